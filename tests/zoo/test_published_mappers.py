# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Published mappers, the whole way: from a file as the peers' code writes it to the step that they make."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from foreign_weights import SMALL, rosinality
from oracles.seeded_weights import keyed_state, seeded_z
from tiny_world import live_in
from torch_files import Layer, Name, Object, save_torch_zip, whole

from ppstyleclip.cli.main import run_command
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.zoo import find_mapper, load_mapper, published_names, seed000_words
from ppstyleclip.zoo.mappers import check_mapper_fits

STORED = np.load(Path(__file__).parents[1] / "oracles" / "mappers.npz", allow_pickle=False)
STYLE_DIMS = [64] * 15 + [32] * 3 + [16] * 3 + [8] * 3 + [4] * 2


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


def state_of(case):
    return keyed_state(json.loads(bytes(STORED[f"{case}/shapes"]).decode()), lr_mul=0.01)


def saved(path, case, decoder=None, **opts):
    """A checkpoint of StyleCLIP or seed 000: mapper and generator in one dict, and options."""
    state = {f"mapper.{key}": value for key, value in state_of(case).items()}
    state.update({f"decoder.{key}": value for key, value in (decoder or {}).items()})
    save_torch_zip(path, {"state_dict": state, "opts": opts})
    return path


def latents(layers=18):
    return seeded_z(2 * layers, 512).reshape(2, layers, 512)


@pytest.mark.parametrize("case", ["single", "levels", "levels_no_fine"])
def test_official_checkpoints(tmp_path, case):
    mapper = load_mapper(saved(tmp_path / "m.pt", case, description="an afro"))
    assert (mapper.scale, mapper.space, mapper.texts, mapper.embed) == (0.1, "w_plus", ("an afro",), "none")
    step = mapper.step(latents())[:, :, ::32]
    np.testing.assert_allclose(step, 0.1 * STORED[f"{case}/step"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", ["full", "no_rgb"])
def test_official_checkpoints_of_style_space(tmp_path, case):
    mapper = load_mapper(saved(tmp_path / "m.pt", case))
    assert mapper.space == "s" and mapper.config["style_dims"] == STYLE_DIMS
    step = mapper.step(seeded_z(2, sum(STYLE_DIMS)))[:, ::4]
    np.testing.assert_allclose(step, 0.1 * STORED[f"{case}/step"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "case, texts, name, opts",
    [
        ("hairstyle_sum", ["wavy"], "hairstyle_sum.pt", {}),
        ("hairstyle_sum", ["Wavy hair"], "text2image-hairstyle_sum.pt", {}),
        (
            "hairstyle_sum",
            ["wavy"],
            "best_model.pt",
            {"data_mode": "hair", "text_embed_mode": "nn.embedding"},
        ),
        ("color_cat", ["pink"], "color_cat.pt", {}),
        ("multi_sum", ["Emma_Watson", "black"], "multi_sum.pt", {}),
        ("multi_sum", ["emma watson", "black"], "mine.pt", {"data_mode": "multi"}),
    ],
)
def test_seed_000s_checkpoints(tmp_path, case, texts, name, opts):
    mapper = load_mapper(saved(tmp_path / name, case, **opts))
    assert mapper.embed == "table"
    w_plus = latents()[:1]
    w_hat = w_plus + mapper.step(w_plus, mapper.text_vector(texts))
    np.testing.assert_allclose(w_hat[:, :, ::16], STORED[f"{case}/w_hat"], rtol=0, atol=1e-5)
    assert np.abs(w_hat - w_plus)[:, :4].max() > 0.05


def test_seed_000s_lists_and_rows(tmp_path):
    mapper = load_mapper(saved(tmp_path / "celeb_female_sum.pt", "hairstyle_sum"))
    assert mapper.texts == ("Elsa", "Anna", "Emma_Stone", "Anne_Hathaway", "Scarlett_Johansson")
    np.testing.assert_array_equal(mapper.text_vector("Anna")[0], seed000_words(5)[1])
    with pytest.raises(UserError, match="does not know 'Rapunzel'; it knows: Elsa, Anna"):
        mapper.text_vector("Rapunzel")


class Told:
    """A CLIP that notes what it is told."""

    def encode_text(self, texts):
        self.texts = texts
        return type("Features", (), {"numpy": lambda self: np.ones([1, 512], np.float32)})()


def test_a_mapper_of_clips_features_says_to_clip_what_it_was_trained_on(tmp_path):
    mapper, clip = load_mapper(saved(tmp_path / "Disney_clip_cat.pt", "color_cat")), Told()
    assert mapper.embed == "clip" and mapper.text_vector("Ariel", clip).shape == (1, 512)
    assert clip.texts == ["Ariel from the little mermaid, Disney princess"]
    mapper.text_vector("Mulan", clip)
    assert clip.texts == ["Mulan"]
    with pytest.raises(UserError, match="a CLIP is needed"):
        mapper.text_vector("Ariel")


def test_seed_004s_pickled_network(tmp_path):
    groups = {}
    for key, value in state_of("gan3").items():
        group, _, index, part = key.split(".")
        groups.setdefault(group, {}).setdefault(index, {})[part] = value
    layers = {
        group: Layer(
            "src.mapper.layers_group.LayersGroup",
            children={
                "mapper": Layer(
                    "torch.nn.modules.container.Sequential",
                    children={
                        "0": Layer("src.mapper.layers_group.PixelNorm"),
                        **{
                            k: Layer("src.mapper.layer.MapperLayer", parameters=parts)
                            for k, parts in own.items()
                        },
                    },
                )
            },
        )
        for group, own in groups.items()
    }
    save_torch_zip(tmp_path / "m.pt", whole(Layer("src.mapper.mapper.LatentMapper", children=layers)))
    mapper = load_mapper(tmp_path / "m.pt")
    assert mapper.scale == 1.0 and mapper.network.levels == (5, 3, 8)
    step = mapper.step(latents(16))[:, :, ::32]
    np.testing.assert_allclose(step, STORED["gan3/step"], rtol=0, atol=1e-5)


def test_converted_mappers_are_read_like_ours(tmp_path):
    saved(tmp_path / "hairstyle_sum.pt", "hairstyle_sum")
    assert run_command("convert", [str(tmp_path / "hairstyle_sum.pt"), "hair.safetensors"]) == 0
    first, second = load_mapper(tmp_path / "hairstyle_sum.pt"), load_mapper("hair.safetensors")
    for name in ("config", "scale", "space", "texts", "prompts", "embed", "made_for"):
        assert getattr(first, name) == getattr(second, name)
    steps = [one.step(latents(), one.text_vector("Long hair")) for one in (first, second)]
    np.testing.assert_array_equal(*steps)


def test_which_generator_a_published_mapper_was_trained_for(tmp_path):
    class Bundle:
        """What check_mapper_fits looks at."""

        def __init__(self, generator):
            from ppstyleclip.convert import convert
            from ppstyleclip.zoo.generators import build_converted_generator, generator_fingerprint

            self.name, self.generator = "other", build_converted_generator(convert({"g_ema": generator}))
            self.layout = self.generator.layout
            self.fingerprints = {"generator": generator_fingerprint(self.generator)}

    config = {**SMALL, "style_dim": 512}
    decoder = rosinality(config)
    mapper = load_mapper(saved(tmp_path / "m.pt", "single", decoder))
    check_mapper_fits(mapper, "m.pt", Bundle(decoder))
    noise = {key: value + 1 for key, value in decoder.items() if key.startswith("noises.")}
    check_mapper_fits(mapper, "m.pt", Bundle({**decoder, **noise}))  # copies differ in their noise
    with pytest.raises(UserError, match="m.pt was trained for another generator than 'other'"):
        check_mapper_fits(mapper, "m.pt", Bundle(rosinality(config, seed=1)))
    with pytest.raises(UserError, match="w_plus of 18 layers, 512 wide; 'other' .16 px. has 6 and 512"):
        check_mapper_fits(load_mapper(saved(tmp_path / "n.pt", "levels")), "n.pt", Bundle(decoder))
    with pytest.raises(UserError, match="26 styles, 1136 channels; 'other' .16 px. has 8 and"):
        check_mapper_fits(load_mapper(saved(tmp_path / "n.pt", "no_rgb")), "n.pt", Bundle(decoder))


@pytest.mark.parametrize(
    "write, words",
    [
        (lambda path: saved(path, "multi_sum"), "does not say which"),
        (lambda path: saved(path, "multi_sum", data_mode="cats"), "data_mode is 'cats'"),
        (lambda path: path.write_bytes(b"not a file"), "m.pt"),
        (lambda path: save_torch_zip(path, Object(Name("os", "system"), {})), "refused"),
        (
            lambda path: save_torch_zip(path, {"state_dict": {"x": np.zeros(3, np.float32)}}),
            "a mapper is needed",
        ),
        (
            lambda path: save_torch_zip(
                path,
                {
                    "state_dict": {
                        f"mapper.mapper_{k}.mapping.{n}.{part}": np.zeros(
                            (4, 4) if part == "weight" else 4, np.float32
                        )
                        for k in (0, 5)
                        for n in (1, 2)
                        for part in ("weight", "bias")
                    }
                },
            ),
            "styles [0, 5]",
        ),
    ],
)
def test_files_that_are_no_mappers_are_one_line(tmp_path, write, words):
    write(tmp_path / "m.pt")
    with pytest.raises(UserError) as error:
        load_mapper(tmp_path / "m.pt")
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_there_and_is_no_file_is_told(tmp_path):
    with pytest.raises(MissingFile, match="is a folder, a file is needed"):
        find_mapper(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="pipe is a pipe; save what it gives as a file"):
        find_mapper(tmp_path / "pipe")


def test_names_of_published_mappers(tmp_path):
    names = published_names()
    assert len(names) == 24 and names["celeb_female"] == "text2image-celeb_female_sum.pt"
    assert names["afro"] == "styleclip-mapper-afro.pt"
    with pytest.raises(MissingFile, match="there is no mapper 'hat'; give a file, or a published one: afro"):
        find_mapper("hat")
    with pytest.raises(MissingFile, match="styleclip-mapper-afro.pt"):
        find_mapper("afro")
    folder = tmp_path / "bundle" / "mappers"
    folder.mkdir(parents=True)
    (folder / "afro.safetensors").write_bytes(b"")
    assert find_mapper("afro", tmp_path / "bundle") == folder / "afro.safetensors"
