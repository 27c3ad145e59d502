# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Published models, verified: files of true structure, small and random, from a folder as a mirror."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_files import write_weights
from tiny_world import CLIP, live_in

from ppstyleclip.cli.main import main
from ppstyleclip.errors import UserError
from ppstyleclip.files import load_pixels
from ppstyleclip.formats import load_arrays
from ppstyleclip.models.clip import CLIP_CONFIGS, build_clip
from ppstyleclip.progress import last
from ppstyleclip.provenance import png_texts
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.verify import Finding, report_json, report_text, verify_model
from ppstyleclip.verify.known import FFHQ_MEAN, FFHQ_STD, KNOWN, Known, tensor_means
from ppstyleclip.verify.report import verdict_of
from ppstyleclip.zoo import clips, load_generator, registry
from ppstyleclip.zoo.downloads.judge import ANYTHING

NAME, FFHQ = "ffhq-config-f", "stylegan2-ffhq-config-f"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL_STATS = DATA / f"{FFHQ}-styleclip-stats.pdparams"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, Known): a mirror with a 64 px generator, its statistics, relevance, latents and a CLIP."""
    folder = tmp_path_factory.mktemp("mirror")
    write_weights(folder / f"{FFHQ}.pdparams")
    generator, _ = load_generator(folder / f"{FFHQ}.pdparams")
    layout, rng = generator.layout, np.random.RandomState(6)
    with paddle.no_grad():
        w = generator.get_latent(paddle.to_tensor(rng.randn(4000, generator.style_dim).astype(np.float32)))
        s = layout.flatten(generator.style_affine(w)).numpy()
    stats = StyleStats(s.mean(axis=0), s.std(axis=0), 4000)
    parts = {
        word: [paddle.to_tensor(part) for part in layout.unflatten(getattr(stats, word))]
        for word in ("mean", "std")
    }
    paddle.save(parts, str(folder / f"{FFHQ}-styleclip-stats.pdparams"))
    rows = rng.randn(layout.num_editable, 16).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    paddle.save(paddle.to_tensor(rows), str(folder / f"{FFHQ}-styleclip-global-directions.pdparams"))
    paddle.seed(2)
    paddle.save(build_clip(small_clip()).net.state_dict(), str(folder / "ViT-B-32.pdparams"))
    np.save(folder / "styleclip-ffhq-w_plus.npy", np.stack([w.numpy()[:6]] * generator.n_latent, axis=1))
    known = Known(
        layout.channels,
        tuple(tensor_means(layout, stats.mean)),
        tuple(tensor_means(layout, stats.std)),
        "styleclip-ffhq-w_plus.npy",
    )
    return folder, known


def small_clip():
    return {**CLIP_CONFIGS["ViT_B_32"], **CLIP, "name": "ViT_B_32", "vocabulary": None}


@pytest.fixture
def mirror(made, tmp_path, monkeypatch):
    live_in(tmp_path / "pack", monkeypatch, tmp_path)
    monkeypatch.delenv("PPSTYLECLIP_OFFLINE", raising=False)
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", made[0].as_uri())
    monkeypatch.setitem(clips.CLIP_CONFIGS, "ViT_B_32", small_clip())
    monkeypatch.setattr(registry, "expected_of", lambda name, size: ANYTHING)  # theirs are of hundreds of MB
    entry = registry.read_registry()["files"]["styleclip-ffhq-w_plus.npy"]
    monkeypatch.setitem(entry, "sha256", "")
    return made


@pytest.mark.slow
def test_a_model_that_is_whole_but_for_what_nobody_serves(mirror):
    record = last(verify_model(NAME, known={NAME: mirror[1]}))
    found = {finding.part: finding for finding in record.findings}
    assert record.done == record.total and found["generator"].numbers["size"] == 64
    for part in (
        f"{FFHQ}.pdparams", "ViT-B-32.pdparams", "generator", "statistics", "statistics and generator",
        "latents of photographs", "relevance and CLIP",
    ):  # fmt: skip
        assert found[part].state == "ok", found[part]
    assert found[f"{FFHQ}-directions.pdparams"].state == "missing"
    assert found["encoder"].state == "missing" and "pSp-ffhq-inversion" in found["encoder"].description
    assert found["pictures"].numbers["seconds"] > 0
    assert abs(found["statistics and generator"].numbers["std_ratio"] - 1) < 0.1
    assert abs(found["latents of photographs"].numbers["spread"] - 1) < 0.6
    assert {"channels", "change", "cosine"} == set(found["edit"].numbers)
    assert record.picture.shape[1:] == (4 * 66 + 2, 3) and record.picture.shape[0] == 3 * 68
    json.loads(report_json(NAME, record.findings))


@pytest.mark.slow
def test_other_numbers_and_damaged_files_are_findings(mirror):
    known = mirror[1]
    wrong = Known(known.channels[:-1], tuple(2 * x for x in known.mean), known.std, None)
    for name in (f"{FFHQ}-styleclip-global-directions.pdparams",):
        target = registry.fetch_published(name)
        target.write_bytes(b"\x80\x02not this")
    found = {finding.part: finding for finding in last(verify_model(NAME, known={NAME: wrong})).findings}
    assert found["generator"].state == "odd" and found["statistics"].state == "odd"
    assert found[f"{FFHQ}-styleclip-global-directions.pdparams"].state == "failed"
    assert found["relevance and CLIP"].state == "failed" and found["edit"].state == "failed"
    assert found["pictures"].state in ("ok", "odd")


def test_without_any_file_all_is_missing_and_nothing_ends(mirror, monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    record = last(verify_model(NAME))
    assert {finding.state for finding in record.findings} == {"missing", "failed"}
    assert record.picture is None and verdict_of(record.findings) == "not as published"


@pytest.mark.slow
def test_the_command_on_the_embedded_model(tmp_path, capsys):
    assert main(["verify", "portrait", "--output_path", str(tmp_path / "report")]) == 0
    assert "portrait: whole" in capsys.readouterr().out
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# portrait: whole") and "| ok | edit |" in text and str(tmp_path) not in text
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "whole"
    picture = tmp_path / "report" / "report.png"
    assert load_pixels(picture).shape[1] == 4 * (256 + 2) + 2
    assert "AIGC" in png_texts(picture.read_bytes())


def test_an_unknown_model_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["verify", "ffhq"]) == 2
    assert "unknown model type 'ffhq'; known: portrait, portrait-sg3" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError):
        last(verify_model("ffhq"))


def test_verdicts_and_a_report_that_is_a_table():
    ok, missing = Finding("a", "ok", "x | y\n z"), Finding("b", "missing", "fetch it")
    assert verdict_of([ok]) == "whole" and verdict_of([ok, missing]) == "incomplete"
    assert verdict_of([ok, missing, Finding("c", "odd", "")]) == "not as published" == verdict_of([])
    text = report_text("m", [ok, missing], "report.png")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4 and all(row.count("|") == 4 for row in rows)


@pytest.mark.skipif(not REAL_STATS.exists(), reason="the real statistics are not at hand")
def test_the_known_numbers_are_those_of_the_real_statistics():
    arrays, _ = load_arrays(REAL_STATS)
    for word, wanted in (("mean", FFHQ_MEAN), ("std", FFHQ_STD)):
        found = [float(np.mean(part)) for part in arrays[word]]
        np.testing.assert_allclose(found, wanted, atol=6e-5)
    assert tuple(np.size(part) for part in arrays["mean"]) == KNOWN[NAME].channels


def test_known_channels_are_those_of_our_own_classes():
    from ppstyleclip.models.stylegan2 import channel_table, layout_from_channels
    from ppstyleclip.models.stylegan3.geometry import geometry, usual_channels

    for name, size in (("ffhq-config-f", 1024), ("animeface-512", 512), ("ffhq-toonify", 1024)):
        assert layout_from_channels(size, channel_table()).channels == KNOWN[name].channels
    for name, configuration in (("r-ffhq", "R"), ("r-ffhqu", "R"), ("t-ffhq", "T")):
        _, shapes = geometry(1024, configuration, usual_channels(1024, configuration))
        widths = (4, *(shape.in_channels for shape in shapes))
        assert widths == KNOWN[f"stylegan3-{name}"].channels
