# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files of other projects through tools/convert_weights.py, and straight into the product's loaders."""

import hashlib
import json
import pickle
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pytest
from foreign_weights import SMALL, drawn, encoder_checkpoint, generator, mapper_checkpoint, nvidia, rosinality
from nvidia_files import nested, save_nvidia, save_nvidia_tensorflow
from oracles.seeded_weights import drawn_clip_state
from tiny_world import live_in, save_tiny_pack, tiny_generator
from tool_main import load_module
from torch_files import save_torch_legacy, save_torch_zip, save_torchscript

from ppstyleclip import __version__
from ppstyleclip.cli.main import run_command
from ppstyleclip.convert import convert
from ppstyleclip.convert.encoders import Structure
from ppstyleclip.convert.networks import clip_parameters
from ppstyleclip.errors import UserError
from ppstyleclip.files import load_pixels, read_safetensors, write_safetensors
from ppstyleclip.formats import load_arrays
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.zoo import (
    clip_fingerprint,
    generator_fingerprint,
    load_bundle,
    load_clip,
    load_generator,
    read_relevance,
    read_stats,
    read_styles,
    save_generator,
)
from ppstyleclip.zoo.generators import generator_state

convert_weights = partial(run_command, "convert_weights")


def save_zip(path):
    save_torch_zip(path, {"g_ema": rosinality(), "latent_avg": drawn((6,))})


def save_legacy(path):
    save_torch_legacy(path, {"g_ema": rosinality(), "latent_avg": drawn((6,))})


def save_pickle(path):
    path.write_bytes(pickle.dumps(generator(), protocol=2))


def save_ada(path):
    networks = {name: nested(nvidia()) for name in ("G", "G_ema")}
    save_nvidia(path, networks, training_set_kwargs={}, protocol=3)


GENERATORS = {"ros.pt": save_zip, "old.pt": save_legacy, "pg.pdparams": save_pickle, "ada.pkl": save_ada}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_load_as_they_are_and_converted(name, home, capsys):
    GENERATORS[name](home / name)
    direct, metadata = load_generator(name, {"size": 16, "n_mlp": 2})
    assert metadata == {} and direct.config()["channels"] == {str(k): v for k, v in SMALL["channels"].items()}
    assert convert_weights([name, "out/mine.safetensors"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: StyleGAN2 generator (") and "16 px" in said
    assert "wrote out/mine.safetensors" in said and "wrote out/mine.png" in said
    again, metadata = load_generator("out/mine.safetensors")
    assert again.config() == direct.config()
    assert generator_fingerprint(again) == generator_fingerprint(direct) == metadata["fingerprint"]
    assert metadata["source"] == name and metadata["name"] == Path(name).stem
    assert metadata["source_sha256"] == hashlib.sha256((home / name).read_bytes()).hexdigest()
    assert metadata["converter"] == f"ppstyleclip {__version__}"
    assert metadata["kind"] == "ppstyleclip generator"
    stored = read_safetensors("out/mine.safetensors")[0]
    assert ("latent_avg" in stored) is (name != "pg.pdparams")
    picture = load_pixels("out/mine.png")
    assert picture.shape == (2 * 128 + 6, 2 * 128 + 6, 3) and picture.std() > 1


def test_all_forms_of_one_generator_are_the_same(home):
    marks = set()
    for name in ("ros.pt", "old.pt", "pg.pdparams"):
        GENERATORS[name](home / name)
        marks.add(generator_fingerprint(load_generator(name)[0]))
    assert len(marks) == 1


def test_the_check_picture_is_drawn_towards_the_files_own_mean(home):
    from ppstyleclip.pipelines.check_picture import draw_faces

    save_zip(home / "ros.pt")
    network = load_generator("ros.pt")[0]
    assert convert_weights(["ros.pt", "a.safetensors"]) == 0
    drawn_faces = load_pixels("a.png")
    np.testing.assert_array_equal(drawn_faces, draw_faces(network, drawn((6,))))
    assert np.abs(drawn_faces.astype(int) - draw_faces(network)).max() > 0


def test_pdparams_as_paddlegan_loads_them(home):
    save_ada(home / "ada.pkl")
    assert convert_weights(["ada.pkl", "mine.pdparams"]) == 0
    assert (home / "mine.png").exists()
    saved = paddle.load("mine.pdparams")
    wanted = generator_state(load_generator("ada.pkl")[0])
    assert set(saved) == set(wanted)  # PaddleGAN's class takes its own keys and no other
    for key, value in saved.items():
        np.testing.assert_array_equal(value.numpy(), wanted[key])
    assert generator_fingerprint(load_generator("mine.pdparams")[0]) == generator_fingerprint(
        load_generator("ada.pkl")[0]
    )
    assert convert_weights(["mine.pdparams", "back.safetensors", "--name", "other"]) == 0
    assert load_generator("back.safetensors")[1]["name"] == "other"


def test_ours_keeps_what_leaves_no_shape(home, capsys):
    network = StyleGANv2Generator(16, 12, 2, lr_mlp=0.5, blur_kernel=(1, 2, 1), channels={4: 6, 8: 6, 16: 4})
    mark = save_generator("a.safetensors", network, name="a")
    assert convert_weights(["a.safetensors", "b.safetensors"]) == 0
    again, metadata = load_generator("b.safetensors")
    assert metadata["fingerprint"] == mark and again.config() == network.config()
    assert convert_weights(["a.safetensors", "c.pdparams"]) == 0
    assert "PaddleGAN's class has no such channels: [6, 6, 4]" in capsys.readouterr().out
    network = StyleGANv2Generator(8, 12, 2, lr_mlp=0.5)
    save_generator("d.safetensors", network, name="d")
    assert convert_weights(["d.safetensors", "e.pdparams"]) == 0
    built = "for StyleGANv2Generator(size=8, style_dim=12, n_mlp=2, channel_multiplier=2, lr_mlp=0.5)"
    assert built in capsys.readouterr().out
    write_safetensors("f.safetensors", generator_state(network), {"config": "{"})
    with pytest.raises(UserError, match="f.safetensors is damaged"):
        load_generator("f.safetensors")


# -- CLIPs

CLIP = {
    "embed_dim": 16,
    "image_size": 16,
    "vision_layers": 1,
    "vision_width": 64,
    "vision_patch_size": 8,
    "context_length": 77,
    "vocab_size": 49408,
    "transformer_width": 64,
    "transformer_heads": 1,
    "transformer_layers": 1,
}


def openai_state() -> dict:
    """OpenAI's keys of a small CLIP, in half precision as their file has it."""
    shapes = {}
    for key, spec in clip_parameters(CLIP).items():
        if "_proj." in key and ".attn." in key and "out_proj" not in key:
            key, shape = key.replace("q_proj.", "in_proj_"), (3 * spec.shape[0], *spec.shape[1:])
            if "k_proj" in key or "v_proj" in key:
                continue
        else:
            shape = spec.shape[::-1] if spec.is_linear else spec.shape
        shapes[key] = () if key == "logit_scale" else shape
    return {key: value.astype(np.float16) for key, value in drawn_clip_state(shapes).items()}


def tree(state) -> dict:
    found = {}
    for key, value in state.items():
        *parts, last = key.split(".")
        here = found
        for part in parts:
            here = here.setdefault(part, {})
        here[last] = np.asarray(value)
    return found


def test_openais_archive_and_the_converted_file(home, capsys):
    extras = {"input_resolution": np.array(16), "context_length": np.array(77), "vocab_size": np.array(49408)}
    save_torchscript(home / "ViT.pt", {**tree(openai_state()), **extras}, name="CLIP")
    clip, mark = load_clip("ViT.pt")
    assert (clip.name, clip.dim, clip.image_size, clip.vocabulary) == ("custom", 16, 16, None)
    assert mark == clip_fingerprint(clip)
    assert convert_weights(["ViT.pt", "clip.safetensors"]) == 0
    assert "features of 16" in capsys.readouterr().out
    again, same_mark = load_clip("clip.safetensors")
    assert same_mark == mark and again.config() == clip.config()
    np.testing.assert_array_equal(again.encode_text(["a face"]).numpy(), clip.encode_text(["a face"]).numpy())
    assert convert_weights(["ViT.pt", "clip.pdparams"]) == 0
    assert load_clip("clip.pdparams")[1] == mark
    save_zip(home / "ros.pt")
    assert clip_fingerprint(load_bundle(weight_path="ros.pt", clip="ViT.pt").clip) == mark
    with pytest.raises(UserError, match="there is no CLIP 'ViT.pth'"):
        load_bundle(weight_path="ros.pt", clip="ViT.pth").clip  # noqa: B018
    assert convert_weights(["clip.safetensors", "x.pdparams"]) == 2
    assert "CLIP of ours" in capsys.readouterr().err
    state = openai_state()
    np.testing.assert_array_equal(
        clip.net.state_dict()["transformer.resblocks.0.attn.v_proj.weight"].numpy(),
        np.split(state["transformer.resblocks.0.attn.in_proj_weight"], 3)[2].T,
    )


def test_a_file_is_read_as_what_it_has_to_be(home):
    save_zip(home / "ros.pt")
    with pytest.raises(UserError, match="ros.pt: a clip is needed; this is: StyleGAN2 generator"):
        load_clip("ros.pt")
    write_safetensors("stats.safetensors", {"mean": drawn((3,)), "std": drawn((3,))})
    with pytest.raises(UserError, match="stats.safetensors: a generator is needed; this is: statistics"):
        load_generator("stats.safetensors")
    save_nvidia_tensorflow(home / "tf.pkl", {"dlatent_avg": drawn((6,))})
    with pytest.raises(UserError, match="tf.pkl: .*TensorFlow"):
        load_generator("tf.pkl")


# -- measurements


@pytest.fixture
def layout():
    return tiny_generator().layout


def test_official_statistics(home, layout, capsys):
    mean, std = ([drawn((n,), seed) ** 2 for n in layout.channels] for seed in (1, 2))
    (home / "S_mean_std").write_bytes(pickle.dumps([mean, std], protocol=3))
    stats = read_stats("S_mean_std", layout, name="tiny")
    np.testing.assert_array_equal(stats.mean, np.concatenate(mean))
    np.testing.assert_array_equal(stats.std, np.concatenate(std))
    for out in ("stats.safetensors", "stats.pdparams"):
        assert convert_weights(["S_mean_std", out]) == 0
        again = read_stats(out, layout, name="tiny")
        np.testing.assert_array_equal(again.mean, stats.mean)
        np.testing.assert_array_equal(again.std, stats.std)
    assert [len(part) for part in paddle.load("stats.pdparams")["mean"]] == list(layout.channels)
    assert "official S_mean_std" in capsys.readouterr().out
    (home / "other").write_bytes(pickle.dumps([mean[:-1], std[:-1]], protocol=3))
    with pytest.raises(UserError, match="other: statistics .mean. have .* channels in"):
        read_stats("other", layout, name="tiny")


def unit_rows(count):
    rows = drawn((count, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def test_official_relevance_and_its_prefix(home, layout):
    whole = unit_rows(layout.num_editable)
    np.save("fs3.npy", whole)
    np.testing.assert_array_equal(
        read_relevance("fs3.npy", layout, name="tiny").rows, whole.astype(np.float32)
    )
    widths = [layout.channels[k] for k in layout.editable_layers]
    part = whole[: sum(widths[:-2])]
    np.save("part.npy", part)
    assert convert_weights(["part.npy", "part.safetensors"]) == 0
    assert convert_weights(["part.npy", "part.pdparams"]) == 0
    for name in ("part.npy", "part.safetensors", "part.pdparams"):
        with pytest.warns(UserWarning, match=f"{name} ends with layer {len(widths) - 2} of {len(widths)}"):
            relevance = read_relevance(name, layout, name="tiny")
        assert relevance.effect_norm is None and relevance.shape == (layout.num_editable, 16)
        np.testing.assert_array_equal(relevance.rows[: len(part)], part.astype(np.float32))
        assert not relevance.rows[len(part) :].any()
        assert relevance.measured.sum() == len(part)
    np.save("odd.npy", whole[: sum(widths[:-2]) + 1])
    with pytest.raises(UserError, match=f"odd.npy: relevance has {len(part) + 1} rows"):
        read_relevance("odd.npy", layout, name="tiny")


def test_styles_and_directions(home, layout):
    styles = [drawn((5, n)) for n in layout.channels]
    (home / "S").write_bytes(pickle.dumps([["layer"] * len(styles), styles], protocol=3))
    assert convert_weights(["S", "S.safetensors"]) == 0
    np.testing.assert_array_equal(read_safetensors("S.safetensors")[0]["s"], np.concatenate(styles, axis=1))
    np.testing.assert_array_equal(read_styles("S", layout, name="tiny"), np.concatenate(styles, axis=1))
    assert convert_weights(["S", "S.pdparams"]) == 0
    assert [part.shape for part in load_arrays("S.pdparams")[0]] == [part.shape for part in styles]
    (home / "edits.pdparams").write_bytes(pickle.dumps({"age": drawn((6, 12)), "smile": drawn((6, 12))}))
    assert convert_weights(["edits.pdparams", "edits.safetensors"]) == 0
    assert json.loads(read_safetensors("edits.safetensors")[1]["config"]) == {"names": ["age", "smile"]}


# -- networks that are only converted so far


def test_a_mapper_says_which_generator_it_was_made_for(home):
    save_torch_zip(home / "mapper.pt", mapper_checkpoint(["mapping"], [512] * 5, description="a smile"))
    save_zip(home / "ros.pt")
    assert convert_weights(["mapper.pt", "mapper.safetensors"]) == 0
    state, metadata = read_safetensors("mapper.safetensors")
    assert metadata["generator"] == generator_fingerprint(load_generator("ros.pt")[0])
    assert json.loads(metadata["mapper"])["texts"] == ["a smile"] and len(state) == 8


@pytest.mark.slow
def test_an_encoder_as_paddlegan_saves_it(home):
    structure = Structure("irse50", "w", 3, 1)
    content = encoder_checkpoint(structure, "BackboneEncoderUsingLastLayerIntoW")
    save_torch_zip(home / "psp.pt", content)
    assert convert_weights(["psp.pt", "psp.pdparams"]) == 0
    saved = load_arrays("psp.pdparams")[0]
    assert saved["opts"]["exp_dir"] == "x" and saved["latent_avg"].shape == (1, 6, 512)
    assert set(saved) - {"opts", "latent_avg"} == set(convert(content).state)


# -- what is refused


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["absent.pt", "a.safetensors"], "no file absent.pt"),
        (["text.txt", "a.safetensors"], "text.txt"),
        (["ros.pt", "a.pt"], "a.pt must end in .safetensors or .pdparams"),
        (["ros.pt", "a"], "must end in"),
        (["same.safetensors", "same.safetensors"], "would replace what is read"),
        (["list.pdparams", "a.safetensors"], "list.pdparams: what this is was not recognised"),
        (["ros.pt", "ros.pt/a.safetensors"], "cannot write"),
    ],
)
def test_bad_input_is_one_line_and_two(arguments, words, home, capsys):
    save_zip(home / "ros.pt")
    (home / "text.txt").write_text("no weights")
    (home / "list.pdparams").write_bytes(pickle.dumps([1, 2]))
    write_safetensors("same.safetensors", {"mean": drawn((3,)), "std": drawn((3,))})
    assert convert_weights(arguments) == 2
    said = capsys.readouterr()
    assert words in said.err and said.err.startswith("error: ") and said.err.count("\n") == 1
    left = {path.name for path in home.iterdir()}
    assert left == {"list.pdparams", "ros.pt", "same.safetensors", "text.txt"}


# -- the whole way of a generator of one's own


def test_the_four_commands_of_the_document(tmp_path, monkeypatch, capsys):
    """docs/en_US/converting.md, with fewer samples and pictures and the tiny world's CLIP."""
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)
    save_ada(tmp_path / "my.pkl")
    names = ("styleclip_getf", "styleclip_extract", "styleganv2clip")
    getf, extract, edit = (load_module(name).main for name in names)
    assert convert_weights(["my.pkl", "my/generator.safetensors"]) == 0
    own = ["--weight_path", "my/generator.safetensors", "--output_path", "my"]
    assert getf([*own, "--num_samples", "50"]) == 0
    assert extract([*own, "--num_images", "3", "--clip", "portrait"]) == 0
    start = "my/stylegan2-my-styleclip"
    measured = [
        "--stat_path",
        f"{start}-stats.safetensors",
        "--direction_path",
        f"{start}-global-directions.safetensors",
    ]
    assert edit([*own, *measured, "--target", "happy face", "--beta_threshold", "0"]) == 0
    assert {"src.editing.png", "dst.editing.png"} < {path.name for path in (tmp_path / "my").iterdir()}
    assert load_pixels("my/dst.editing.png").shape == (16, 16, 3)
    assert capsys.readouterr().err.count("error") == 0
