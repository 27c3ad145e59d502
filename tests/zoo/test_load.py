# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Models by name and by path: PaddleGAN's files found again, wrong pairs and contradictions refused."""

import os
import re
import shutil
import subprocess
import sys
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import paddle
import pytest
import yaml
from tiny_files import CHANNELS, write_pack, write_weights
from tiny_world import CLIP, live_in, save_tiny_pack, tiny_clip, tiny_generator, tiny_measurements

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.models.clip import CLIP_CONFIGS, build_clip, import_paddleclip
from ppstyleclip.models.stylegan2 import StyleGANv2Generator, channel_table, layout_from_channels
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.zoo import (
    EditDefaults,
    clips,
    generator_fingerprint,
    known_models,
    load_bundle,
    load_generator,
    load_pack,
    read_stats,
    registry,
    save_generator,
    save_relevance,
    save_stats,
)
from ppstyleclip.zoo.downloads.checksums import compute_sha256
from ppstyleclip.zoo.registry import TABLE, fetch_published, read_registry

ROOT = Path(__file__).resolve().parents[2]
REAL_STATS = ROOT.parent / "shared" / "data" / "stylegan2-ffhq-config-f-styleclip-stats.pdparams"
FFHQ = "stylegan2-ffhq-config-f"


def one_line(error):
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    return str(error.value)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mine.pdparams"
    write_weights(path)
    return path


def test_paddlegans_landmark_model_is_taken_where_dlibs_is_not_here(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)
    bundle = load_pack(save_tiny_pack(tmp_path / "pack"))
    with pytest.raises(MissingFile, match="shape_predictor_68_face_landmarks.dat is not on this machine"):
        bundle.face_models  # noqa: B018
    hers = tmp_path / "home" / ".cache" / "paddle" / "hapi" / "weights" / "lms.dat"
    hers.parent.mkdir(parents=True)
    hers.write_bytes(b"\x01\x01landmarks")
    assert load_pack(tmp_path / "pack").face_models == (hers, None)
    (hers.parent / "shape_predictor_68_face_landmarks.dat").write_bytes(b"another")
    with pytest.raises(UserError, match="shape_predictor_68"):
        load_pack(tmp_path / "pack").face_models  # noqa: B018


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    return folder, write_pack(folder)


@pytest.fixture
def pack(written, tmp_path):
    """(folder, fingerprints) of a pack that the test may damage."""
    shutil.copytree(written[0], tmp_path / "pack")
    return tmp_path / "pack", written[1]


@pytest.fixture
def world(pack, tmp_path, monkeypatch):
    """A tiny pack in place of the embedded one; PaddleGAN's cache in an empty home; no network."""
    monkeypatch.setattr(registry, "PACK", pack[0])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    cache = tmp_path / "home" / ".cache" / "ppgan"
    cache.mkdir(parents=True)
    return cache


@pytest.fixture
def ffhq(world, weights, monkeypatch):
    """Files of true form under PaddleGAN's names: a 64 px generator and a small CLIP, random."""
    generator, _ = load_generator(weights)
    layout, rng = generator.layout, np.random.RandomState(6)
    small = {**CLIP_CONFIGS["ViT_B_32"], **CLIP, "name": "ViT_B_32", "vocabulary": None}
    monkeypatch.setitem(clips.CLIP_CONFIGS, "ViT_B_32", small)
    (world / f"{FFHQ}.pdparams").write_bytes(weights.read_bytes())
    stats = {
        word: [paddle.to_tensor(draw(n).astype("float32")) for n in layout.channels]
        for word, draw in (("mean", rng.randn), ("std", rng.rand))
    }
    save = {
        f"{FFHQ}-styleclip-stats": stats,
        f"{FFHQ}-styleclip-global-directions": paddle.randn([layout.num_editable, 16]),
        "ViT-B-32": build_clip(small).net.state_dict(),
    }
    for name, value in save.items():
        paddle.save(value, str(world / f"{name}.pdparams"))
    return save


def test_known_models_and_their_table():
    stylegan2 = ("ffhq-config-f", "animeface-512", "ffhq-inversion", "ffhq-toonify")
    assert known_models() == (
        *("portrait", "portrait-sg3", *stylegan2),
        *("stylegan3-r-ffhq", "stylegan3-r-ffhqu", "stylegan3-t-ffhq"),
    )
    table = read_registry()
    for name, entry in table["files"].items():
        keys = {"url", "page", "what", "for", "licence", "size", "sha256"}
        assert set(entry) - {"clip", "drive"} == keys, name
        assert all(isinstance(value, str) for value in entry.values()), name
        assert entry["page"].startswith("https://"), name
        assert entry["url"] == "" or entry["url"].startswith("https://"), name
        assert re.fullmatch("[0-9a-f]{64}|[0-9a-f]{8}|", entry["sha256"]), name
        assert re.fullmatch(r"[\w.-]+", name) and name != "zoo.lock.json" and not name.endswith(".bz2")
    assert {entry["licence"] for entry in table["files"].values()} == set(table["licences"])
    urls = [entry["page"] for entry in table["files"].values()]
    assert len(urls) == len(set(urls)) > 80
    files = table["files"]
    for entry in read_registry()["models"].values():
        assert {entry.get(part) for part in ("generator", "stats", "relevance")} - {None} <= set(files)
    assert TABLE.is_file() and TABLE.parent.name == "ppstyleclip"  # a wheel has it too


def test_every_way_of_publishing():
    files = read_registry()["files"]
    assert files["vgg16-397923af.pth"]["sha256"] == "397923af"
    openai = files["ViT-B-32.pt"]
    assert len(openai["sha256"]) == 64 and openai["sha256"] in openai["url"]
    drive = files["model_ir_se50.pth"]
    assert drive["drive"] in drive["url"] and drive["drive"] in drive["page"] and "/view" in drive["page"]
    assert files["resnet18_110.pth"]["url"] == "" and files["resnet18_110.pth"]["page"]


@pytest.mark.skipif(not REAL_STATS.exists(), reason="the two real files are not at hand")
@pytest.mark.parametrize(
    "name, path",
    [
        ("styleclip-ffhq-w_plus.npy", "ffhq-w_plus.npy"),
        ("ultranity-styleclip-stats.pdparams", REAL_STATS.name),
    ],
)
def test_digests_of_the_files_at_hand(name, path):
    assert compute_sha256(REAL_STATS.parent / path) == read_registry()["files"][name]["sha256"]


def test_paddleclips_addresses_are_in_the_table():
    """As paddleclip has them; the file's name is that of its own folder, where it is found again."""
    files = read_registry()["files"]
    ours = {entry["clip"]: (entry["url"], name) for name, entry in files.items() if "clip" in entry}
    assert ours == {name: (url, file) for name, (_, url, file) in import_paddleclip().model_dict.items()}
    assert set(ours) == set(CLIP_CONFIGS)


def test_fetching_by_name(world, monkeypatch):
    asked = {}
    monkeypatch.setattr(registry, "fetch", lambda *args, **known: asked.update(known, args=args))
    fetch_published("model_ir_se50.pth")
    url, name = asked["args"]
    assert name == "model_ir_se50.pth" and "drive.usercontent" in url
    assert "drive.google.com/file" in asked["page"] and not asked["sha256"]
    assert asked["licence"].startswith("MIT (its repository); trained on MS1M")
    with pytest.raises(UserError, match="no published file is called 'nothing.pt'; ppstyleclip doctor"):
        fetch_published("nothing.pt")


def test_the_zoos_names_and_no_paddle_for_fetching():
    from ppstyleclip import zoo

    assert all(callable(getattr(zoo, name)) for name in zoo.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        zoo.nothing  # noqa: B018
    code = "import sys\nfrom ppstyleclip.zoo import fetch_published\nassert 'paddle' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_the_embedded_model_is_the_default(world):
    assert load_bundle().name == load_bundle("portrait").name == "tiny"
    assert load_bundle(size=16).generator.size == 16
    with pytest.raises(UserError, match="size 1024 was given.*size 16"):
        load_bundle(size=1024)


def test_no_embedded_model(world, monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "PACK", tmp_path / "nowhere")
    with pytest.raises(MissingFile, match="embedded model is not installed.*ffhq-config-f"):
        load_bundle()


@pytest.mark.parametrize("arguments", [{}, {"weight_path": "x"}])
def test_an_unknown_model_type_lists_the_known(world, arguments):
    with pytest.raises(
        UserError, match="type 'dogs'; known: portrait, portrait-sg3, ffhq-config-f, animeface-512"
    ):
        load_bundle("dogs", **arguments)


def test_ffhq_from_paddlegans_cache(ffhq, world):
    bundle = load_bundle("ffhq-config-f")
    assert bundle.defaults == EditDefaults(alpha=5.0, beta=0.12, unit="style", templates="paddlegan")
    mean = np.concatenate([part.numpy() for part in ffhq[f"{FFHQ}-styleclip-stats"]["mean"]])
    assert (bundle.stats.mean == mean).all() and bundle.stats.std.shape == (bundle.layout.size,)
    assert (bundle.relevance == ffhq[f"{FFHQ}-styleclip-global-directions"].numpy()).all()
    assert bundle.clip.name == "ViT_B_32" and bundle.clip.vocabulary is None
    with pytest.raises(UserError, match="size 1024 was given"):
        load_bundle("ffhq-config-f", size=1024)


def test_ffhq_is_loaded_part_by_part(ffhq, world):
    (world / "ViT-B-32.pdparams").unlink()
    bundle = load_bundle("ffhq-config-f")
    assert bundle.relevance.shape[1] == 16
    with pytest.raises(MissingFile) as error:
        bundle.clip  # noqa: B018
    assert "ViT-B-32.pdparams" in one_line(error) and "/v1/ai-studio-online/eb5e4dbf" in one_line(error)


def test_ffhq_offline_says_what_to_do(world, tmp_path):
    with pytest.raises(MissingFile) as error:
        load_bundle("ffhq-config-f")
    url = "https://paddlegan.bj.bcebos.com/models/stylegan2-ffhq-config-f.pdparams"
    assert url in one_line(error) and str(tmp_path / "cache" / f"{FFHQ}.pdparams") in one_line(error)


def test_animeface_has_a_generator_only(world, weights):
    (world / "stylegan2-animeface-512.pdparams").write_bytes(weights.read_bytes())
    bundle = load_bundle("animeface-512")
    assert bundle.generator.size == 64
    for part, option in (("stats", "--stat_path"), ("relevance", "--direction_path")):
        with pytest.raises(UserError, match=f"no {part} file for generator 'animeface-512'.*{option}"):
            getattr(bundle, part)


def test_a_generator_of_ones_own(world, weights, tmp_path):
    bundle = load_bundle(weight_path=weights)
    assert bundle.name == "mine" and bundle.generator.size == 64
    with pytest.raises(UserError, match="no stats file for generator 'mine'"):
        bundle.stats  # noqa: B018
    stats, relevance = tiny_measurements(bundle.layout)
    mark, clip = bundle.fingerprints["generator"], load_pack(registry.PACK).fingerprints["clip"]
    save_stats(tmp_path / "stats.safetensors", stats, generator=mark)
    save_relevance(tmp_path / "rel.safetensors", relevance, generator=mark, clip=clip, clip_name="portrait")
    own = load_bundle(
        weight_path=weights,
        stat_path=tmp_path / "stats.safetensors",
        direction_path=tmp_path / "rel.safetensors",
    )
    assert (own.stats.mean == stats.mean).all() and own.stats.count == 100
    assert (own.relevance == relevance).all() and own.clip.name == CLIP["name"]


def test_weight_path_wins_over_model_type(ffhq, weights, world, tmp_path):
    paddle.seed(7)
    other = StyleGANv2Generator(64, 12, 8, channels=CHANNELS)
    paddle.save(other.state_dict(), str(tmp_path / "other.pdparams"))
    bundle = load_bundle("ffhq-config-f", weight_path=tmp_path / "other.pdparams")
    assert bundle.fingerprints["generator"] == generator_fingerprint(other)
    assert bundle.relevance.shape[0] == bundle.layout.num_editable  # the model's own directions go with it


def test_the_packs_directions_do_not_go_with_another_generator(world, pack, tmp_path):
    mark = save_generator(tmp_path / "g.safetensors", tiny_generator(seed=4), name="fourth")
    bundle = load_bundle("portrait", weight_path=tmp_path / "g.safetensors")
    assert bundle.name == "fourth" and bundle.clip.name == CLIP["name"] and bundle.defaults.alpha == 7.0
    with pytest.raises(UserError, match=f"{pack[1]['generator']}.*'fourth' has generator {mark}"):
        bundle.relevance  # noqa: B018


def test_relevance_of_another_clip_is_refused(world, tmp_path):
    bundle = load_bundle()
    generator, clip = bundle.fingerprints["generator"], "0123456789abcdef"
    path = tmp_path / "rel.safetensors"
    save_relevance(path, bundle.relevance, generator=generator, clip=clip, clip_name="portrait")
    with pytest.raises(UserError, match=f"{clip}.*{bundle.fingerprints['clip']}"):
        load_bundle(direction_path=path).clip  # noqa: B018


def test_a_clip_by_name(ffhq, world):
    assert load_bundle("ffhq-config-f", clip="portrait").clip.name == CLIP["name"]
    mine = tiny_clip()
    assert load_bundle("ffhq-config-f", clip=mine).clip is mine
    with pytest.raises(UserError, match="no CLIP 'ViT'; give a file, or a name: portrait, ViT_B_32"):
        load_bundle("ffhq-config-f", clip="ViT").clip  # noqa: B018


@pytest.mark.parametrize(
    "saved, words",
    [
        ({"mean": [np.zeros(3)], "std": [np.zeros(3)]}, "3 channels in 1 layer, generator 'tiny' has"),
        ({"mean": np.zeros(5), "std": np.zeros(5)}, r"shape \[5\]"),
        ({"mean": np.zeros(5)}, "no statistics"),
        ([1, 2], "no statistics"),
        ({"mean": "zero", "std": "one"}, "no numbers"),
    ],
)
def test_statistics_that_are_none(world, tmp_path, saved, words):
    paddle.save(saved, str(tmp_path / "s.pdparams"))
    with pytest.raises(UserError, match=words) as error:
        load_bundle(stat_path=tmp_path / "s.pdparams")
    assert "s.pdparams" in one_line(error)


def test_statistics_with_impossible_values(world, tmp_path):
    layout = load_bundle().layout
    for value in (-1.0, np.nan, np.inf):
        stats = StyleStats(np.zeros(layout.size, np.float32), np.full(layout.size, value, np.float32), 1)
        save_stats(tmp_path / "s", stats, generator="")
        with pytest.raises(UserError, match="negative deviations, NaN or infinity"):
            load_bundle(stat_path=tmp_path / "s")
        sides = np.ones(layout.size, np.float32), stats.std
        save_stats(tmp_path / "s", StyleStats(sides[0], sides[0], 1, *sides), generator="")
        with pytest.raises(UserError, match="negative deviations, NaN or infinity"):
            load_bundle(stat_path=tmp_path / "s")


def test_statistics_with_sides(world, tmp_path):
    size = load_bundle().layout.size
    arrays = [np.full(size, value, np.float32) for value in (1, 2, 3, 4)]
    save_stats(tmp_path / "s", StyleStats(*arrays[:2], 1, *arrays[2:]), generator="")
    found = load_bundle(stat_path=tmp_path / "s").stats
    for word, array in zip(("mean", "std", "below", "above"), arrays):
        np.testing.assert_array_equal(getattr(found, word), array)
    save_stats(tmp_path / "short", StyleStats(*arrays[:2], 1, arrays[2][1:], arrays[3]), generator="")
    with pytest.raises(UserError, match="shape"):
        load_bundle(stat_path=tmp_path / "short")


@pytest.mark.parametrize(
    "saved, words",
    [
        (np.zeros((7, 16), np.float32), "7 rows, generator 'tiny' has"),
        (np.zeros(7, np.float32), r"shape \[7\]"),
        (np.zeros((7, 16), np.int64), "no relevance"),
        ([np.zeros(3)], "no relevance"),
        ({"a": 1}, "no relevance"),
    ],
)
def test_relevance_that_is_none(world, tmp_path, saved, words):
    paddle.save(saved, str(tmp_path / "r.pdparams"))
    with pytest.raises(UserError, match=words) as error:
        load_bundle(direction_path=tmp_path / "r.pdparams")
    assert "r.pdparams" in one_line(error)


def test_relevance_as_npy(world, tmp_path):
    relevance = load_bundle().relevance
    np.save(tmp_path / "fs3.npy", relevance.rows.astype(np.float16))
    own = load_bundle(direction_path=tmp_path / "fs3.npy")
    np.testing.assert_allclose(own.relevance, relevance, atol=1e-3)
    assert own.relevance.rows.dtype == np.float32 and own.relevance.effect_norm is None


@pytest.mark.skipif(not REAL_STATS.exists(), reason="PaddleGAN's own statistics file is not at hand")
def test_the_published_statistics_fit_ffhq():
    layout = layout_from_channels(1024, channel_table(2))
    stats = read_stats(REAL_STATS, layout, name="ffhq-config-f")
    assert stats.mean.shape == stats.std.shape == (9088,) and 54.9 < stats.mean.max() < 98


def test_the_table_is_plain_yaml():
    assert set(yaml.safe_load(TABLE.read_text(encoding="utf-8"))) == {"licences", "files", "models"}
