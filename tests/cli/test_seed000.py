# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""text2image_manipulation's commands as its README prints them, its defaults, its files by their names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from foreign_weights import mapper_checkpoint
from tiny_mappers import HAIR, save_mappers
from tiny_world import STYLE_DIM, live_in, save_tiny_pack
from torch_files import save_torch_zip

from ppstyleclip.cli.mappers import map as mapping
from ppstyleclip.cli.mappers import mapper_identity, seed000, train_mapper
from ppstyleclip.cli.mappers.mapper_data import chosen_texts
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import load_pixels
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.zoo import find_mapper, load_mapper, load_pack, registry, save_identity
from ppstyleclip.zoo.named_files import named_file, published_name

SCRIPTS = Path(__file__).resolve().parents[2] / "applications" / "mapper"
SHORT = [
    "--max_steps", "4", "--train_dataset_size", "60", "--test_dataset_size", "30", "--val_interval", "4",
    "--image_interval", "4", "--save_interval", "0",
]  # fmt: skip


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = save_tiny_pack(tmp_path_factory.mktemp("pack"))
    save_mappers(folder)
    return folder


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    (tmp_path / "cache").mkdir()
    return tmp_path


def seen(monkeypatch, module, function, argv):
    """The options with which a script calls its command."""
    found = []
    monkeypatch.setattr(module, "run", lambda args, *_: found.append(args))
    assert run_cli(function, argv) == 0
    return found[0]


# ---- defaults


def test_the_defaults_of_training(monkeypatch):
    args = seen(monkeypatch, train_mapper, seed000.train, [])
    found = {name: getattr(args, name) for name in ("model_type", "data_mode", "mapper_mode", "output_path")}
    assert found == {
        "model_type": "ffhq-config-f",
        "data_mode": "color",
        "mapper_mode": "Mapper_sum",
        "output_path": "results/",
    }
    assert (args.latents_train_path, args.latents_test_path) == ("train_data.pt", "test_data.pt")
    bundle = type("Bundle", (), {"name": "ffhq-config-f", "identity": object()})
    config, run_config, identity = train_mapper._configs(args, bundle)
    assert identity is bundle.identity
    assert (config.steps, config.batch_size, config.learning_rate) == (100_000, 1, 0.5)
    assert config.objective.weights == {"clip": 1.0, "l2": 0.8, "identity": 0.1}
    assert (config.validate_every, run_config.pictures_every, run_config.save_every) == (2000, 1000, 2000)
    assert (run_config.train_faces, run_config.val_faces, run_config.board_every) == (20_000, 1000, 50)


def test_the_printed_commands_of_training(monkeypatch):
    for line, expected in (
        (
            "--data_mode hair --train_dataset_size 25000 --mapper_mode Mapper_cat --no_fine_mapper",
            {"data_mode": "hair", "train_dataset_size": 25000, "mapper_mode": "Mapper_cat", "fine": False},
        ),
        (
            "--data_mode female --train_dataset_size 25000 --mapper_mode Mapper_sum",
            {"data_mode": "female", "mapper_mode": "Mapper_sum", "fine": None},
        ),
        (
            "--data_mode color --text_embed_mode clip_encoder --mapper_mode Mapper_cat",
            {"text_embed_mode": "clip_encoder", "mapper_mode": "Mapper_cat"},
        ),
        (
            "--data_mode multi --train_dataset_size 78000 --mapper_mode Mapper_multi",
            {"data_mode": "multi", "train_dataset_size": 78000, "mapper_mode": "Mapper_multi"},
        ),
        (
            "--stylegan_weights a.pt --stylegan_size 1024 --workers 1 --test_workers 1 --test_batch_size 1 "
            "--model_download --exp_dir here",
            {"weight_path": "a.pt", "size": 1024, "output_path": "here", "latents_train_path": None},
        ),
        (
            "--model_type portrait",
            {"data_mode": "color", "latents_train_path": None, "latents_test_path": None},
        ),
    ):
        args = vars(seen(monkeypatch, train_mapper, seed000.train, line.split()))
        assert {name: args[name] for name in expected} == expected


def test_the_printed_commands_of_inference(monkeypatch):
    three = "--modules celeb_female --modules hair_sum --modules color_sum"
    texts = "--texts Emma_Stone --texts wavy --texts pink"
    for function, line, expected in (
        (
            seed000.combine,
            f"--latent_path test_female.pt {three} {texts}",
            {
                "modules": ["celeb_female", "hair_sum", "color_sum"],
                "texts": ["Emma_Stone", "wavy", "pink"],
                "latent": "test_female.pt",
                "index": 60,
                "intermediate_outputs": True,
                "output_path": "results/",
                "model_type": "ffhq-config-f",
            },
        ),
        (
            seed000.combine_single,
            "--texts Emma_Watson --texts wavy --texts black",
            {"modules": ["multi"], "latent": "test_female.pt", "index": 60},
        ),
        (seed000.combine_single, "--texts wavy --w_num 3", {"index": 3}),
        (seed000.combine_single, "--texts wavy --seed 3", {"index": None, "latent": None, "seed": 3}),
        (seed000.combine_single, "--model_type portrait --texts a", {"index": None, "latent": None}),
    ):
        args = vars(seen(monkeypatch, mapping, function, line.split()))
        assert {name: args[name] for name in expected} == expected


def test_a_chain_needs_its_modules(capsys):
    assert run_cli(seed000.combine, ["--texts", "wavy"]) == 2
    assert "single_inference.py" in capsys.readouterr().err


# ---- end to end


@pytest.mark.slow
@pytest.mark.filterwarnings("always::UserWarning")  # the tiny CLIP knows ten words
def test_trained_then_used(capsys):
    model = ["--model_type", "portrait"]
    assert (
        run_cli(seed000.train, [*model, *SHORT, "--data_mode", "multi", "--mapper_mode", "Mapper_multi"]) == 0
    )
    said = capsys.readouterr().out
    assert "no identity loss: 'tiny' has no identity network; name one with --ir_se50_weights" in said
    options = json.loads(Path("results/opt.json").read_text())
    assert options["data_mode"] == "multi" and options["mapper_mode"] == "Mapper_multi"
    mapper = load_mapper("results/mapper.safetensors")
    assert mapper.texts[1] == "Emma_Watson" and mapper.prompts[1] == "Emma Watson, Actress"
    assert np.abs(mapper.text_vector(["Emma Watson, Actress"]) - mapper.words[1]).max() == 0
    single = ["--modules", "results/mapper.safetensors", "--texts", "Emma_Watson", "--texts", "wavy"]
    assert run_cli(seed000.combine_single, [*model, *single]) == 0
    assert Path("results/results_['Emma_Watson', 'wavy'].png").is_file()
    chain = ["--modules", "hair", "--modules", "smile", "--texts", HAIR[0]]
    assert run_cli(seed000.combine, [*model, *chain, "--exp_dir", "chain"]) == 0
    assert sorted(path.name for path in Path("chain").iterdir()) == [
        "latent.npy",
        "latent_1.npy",
        f"results_['{HAIR[0]}'].png",
    ]
    height, width = load_pixels(f"chain/results_['{HAIR[0]}'].png").shape[:2]
    assert width == 3 * height  # the face, and what each mapper made of it


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "inference", "single_inference"])
def test_the_scripts_answer_help(name):
    done = subprocess.run(
        [sys.executable, f"{name}.py", "--help"], cwd=SCRIPTS, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS.parents[1])},
    )  # fmt: skip
    assert done.returncode == 0 and "usage" in done.stdout and done.stderr == ""


# ---- files by their published names


def test_a_published_name_is_found_in_the_working_folder_then_in_the_cache(world):
    with pytest.raises(MissingFile, match="test_female.pt is not on this machine"):
        named_file("test_female.pt")
    cached = world / "cache" / "train_faces.pt"
    save_torch_zip(cached, [np.zeros([1, 6, STYLE_DIM], np.float32)])
    assert named_file("train_data.pt") == named_file("train_faces.pt") == cached
    Path("train_data.pt").write_bytes(b"mine")
    assert named_file("train_data.pt") == Path("train_data.pt")
    with pytest.raises(MissingFile, match="there is no file folder"):
        named_file(os.path.join("folder", "train_data.pt"))
    assert published_name("color_sum.pt") == "text2image-color_sum.pt"
    assert published_name("afro.pt") == "styleclip-mapper-afro.pt" and published_name("afro") is None


def test_a_mapper_by_the_name_of_its_file(world):
    cached = world / "cache" / "text2image-multi_sum.pt"
    save_torch_zip(cached, mapper_checkpoint(["course_mapping"], [6, 6]))
    assert find_mapper("multi_sum.pt") == find_mapper("multi") == cached
    with pytest.raises(MissingFile, match="no mapper 'many_sum.pt'"):
        find_mapper("many_sum.pt")


def test_options_take_published_names(world, capsys):
    bank = [np.random.RandomState(k).randn(6, STYLE_DIM).astype(np.float32) for k in range(3)]
    save_torch_zip(world / "cache" / "test_female.pt", np.stack(bank))
    line = ["--modules", "smile", "--latent_path", "test_female.pt", "--w_num", "2", "--exp_dir", "out"]
    assert run_cli(lambda: mapping.run(mapping.parse_args(line))) == 0
    whole = line[:2] + ["--latents_test_path", "test_female.pt", "--exp_dir", "all"]
    assert run_cli(lambda: mapping.run(mapping.parse_args(whole))) == 0
    np.testing.assert_allclose(
        np.load("out/latent.npy"), np.load("all/inference_results/latent_00002.npy"), atol=1e-6
    )
    assert "test_female.pt of tiny: 3 faces" in capsys.readouterr().out


# ---- the identity loss


def tiny_identity(path):
    paddle.seed(3)
    save_identity(path, IRSE50(widths=(4, 4, 4, 4), depths=(1, 1, 1, 1), face_size=16, dim=8))


def test_where_the_identity_network_comes_from(world, pack, monkeypatch):
    load = mapper_identity.load_training_identity
    bundle = load_pack(pack)
    assert load(bundle, None, is_asked=False)[0] is None
    with pytest.raises(UserError, match="--id_lambda needs an identity network, and 'tiny' has no"):
        load(bundle, None, is_asked=True)
    tiny_identity("own.safetensors")
    network, reason = load(bundle, "own.safetensors", is_asked=True)
    assert isinstance(network, IRSE50) and reason == ""
    assert load(bundle.with_parts(identity=network), None, is_asked=False)[0] is network
    ffhq = bundle.with_parts(name="ffhq-config-f")
    network, reason = load(ffhq, None, is_asked=False)
    assert network is None and reason.startswith("model_ir_se50.pth is not on this machine")
    monkeypatch.setattr(registry, "fetch_published", lambda name: Path("own.safetensors"))
    assert isinstance(load(ffhq, None, is_asked=False)[0], IRSE50)
    assert registry.published_identity("animeface-512") is None


# ---- a word and its prompt


def test_a_word_may_stand_for_a_text():
    texts = chosen_texts(["Elsa=Elsa from Frozen", "long hair"], None, "table", 1)
    assert texts.names == ("Elsa", "long hair") and texts.prompts == ("Elsa from Frozen", "long hair")
    for bad in ("=happy face", "happy="):
        with pytest.raises(UserError, match="WORD=TEXT"):
            chosen_texts([bad], None, "none", 1)
