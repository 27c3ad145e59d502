# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The portrait world's StyleGAN3, by name: it draws the world's people, and edits do what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest

from ppstyleclip import Edit, Editor, available_models, load_generator
from ppstyleclip.cli.main import run_command
from ppstyleclip.models.stylegan3 import canvas_transform
from ppstyleclip.pictures import to_images, to_pixels
from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.judge import load_judge, read_factors
from ppstyleclip.worlds.portrait.render import render_batch
from ppstyleclip.zoo import load_bundle, open_directions
from ppstyleclip.zoo.pack import CLIP, GENERATOR
from ppstyleclip.zoo.registry import PACK, PACKS

NAME = "portrait-sg3"
HELD_OUT = 970_000  # seeds that no fit saw
JUDGE = Path(__file__).parents[3] / "benchmarks" / "judges" / "judge-1.safetensors"


@pytest.fixture(scope="module")
def editor():
    return Editor.from_pretrained(NAME)


def draw(generator, z, transform=None):
    """Images `[N, 3, 64, 64]` ndarray."""
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(paddle.to_tensor(z)))
        moved = None if transform is None else paddle.to_tensor(transform)
        return generator.synthesis_from_styles(styles, transform=moved).numpy()


def test_it_is_known_by_name_and_shares_what_the_first_model_has(editor):
    bundle, first = editor.bundle, load_bundle()
    assert NAME in available_models() and bundle.name == NAME
    assert (bundle.generator.family, bundle.generator.size) == ("stylegan3", 64)
    assert bundle.fingerprints["clip"] == first.fingerprints["clip"]
    assert bundle.clip.dim == bundle.relevance.shape[1]
    assert bundle.face_models == first.face_models and bundle.finds_own_faces
    assert repr(bundle.crop) == repr(first.crop)
    assert load_generator(NAME).channels == bundle.generator.channels
    assert bundle.latents.shape[1:] == (16, 128) and len(bundle.s_base) == 20


def test_it_is_small_and_holds_no_second_clip():
    files = list(PACKS[NAME].iterdir())
    assert {CLIP} & {path.name for path in files} == set() and (PACK / CLIP).exists()
    assert sum(path.stat().st_size for path in files) < 5e6
    assert (PACKS[NAME] / GENERATOR).stat().st_size < 4e6


def test_it_draws_the_person_that_a_latent_names(editor):
    z = sample_z(HELD_OUT, 12)
    rendered = to_images(render_batch(factors_from_z(z), 64))
    drawn = draw(editor.bundle.generator, z)
    error = np.mean((drawn.clip(-1, 1)[:, None] - rendered[None]) ** 2, axis=(2, 3, 4))
    assert (error.argmin(axis=1) == np.arange(12)).all()
    assert 10 * np.log10(4 / np.diag(error).mean()) > 20  # dB


def test_a_moved_canvas_moves_the_picture(editor):
    z = sample_z(HELD_OUT, 4)
    still = draw(editor.bundle.generator, z)
    moved = draw(editor.bundle.generator, z, canvas_transform(translate=(8 / 64, -4 / 64)))
    inside = moved[:, :, 8:-8, 12:-8], still[:, :, 12:-4, 4:-16]
    error = np.mean((inside[0] - inside[1]) ** 2)
    assert 10 * np.log10(4 / error) > 30  # dB
    assert np.mean((moved - still) ** 2) > 10 * error


@pytest.mark.parametrize("target, factor, sign", [
    ("face with glasses", "glasses", 1),
    pytest.param("happy face", "smile", 1, marks=pytest.mark.slow),
    pytest.param("face with long hair", "hair_length", 1, marks=pytest.mark.slow),
    pytest.param("脸 -> 戴眼镜的脸", "glasses", 1, marks=pytest.mark.slow),
])  # fmt: skip
def test_an_edit_moves_what_its_words_name(editor, target, factor, sign):
    neutral, _, target = target.rpartition(" -> ")
    factors = factors_from_z(sample_z(HELD_OUT, 60))
    rows = np.flatnonzero(sign * factors[:, INDEX[factor]] < -0.3)[:6]
    with paddle.no_grad():
        w_plus = editor.bundle.generator.get_latents(paddle.to_tensor(sample_z(HELD_OUT, 60)[rows]))
    edited = editor.render(editor.apply(w_plus, Edit(neutral or "face", target)))
    judge = load_judge(JUDGE)
    before, after = (read_factors(judge, to_images(p)) for p in (editor.render(w_plus), edited))
    assert (sign * (after - before)[:, INDEX[factor]]).mean() > 0.8


def test_its_directions_are_named(editor):
    assert set(open_directions(NAME)) == set(open_directions()) == set(editor.bundle.directions)
    faces = editor.bundle.latents[:4]
    darker = faces + 2 * editor.bundle.directions["skin_tone"]
    before, after = (editor.render(one)[:, 42:46, 20:24].mean((1, 2, 3)) for one in (faces, darker))
    assert (after < before - 8).all()


def test_a_shell_edits_by_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wish = ["3", "--target", "happy face", "--model_type", NAME]
    assert run_command("edit", wish) == 0
    assert (tmp_path / "edited.png").exists()


def test_the_server_draws_and_edits_by_it(tmp_path, editor):
    pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
    pytest.importorskip("socketio", reason="the extra 'server' is not installed")
    from ppstyleclip.server.model import load_model
    from ppstyleclip.server.schemas import JobRequest
    from ppstyleclip.server.settings import load_settings
    from ppstyleclip.server.work import check_request, run_request

    model = load_model(load_settings(data=tmp_path, model_type=NAME))
    request = JobRequest(seed=3, target="happy face")
    check_request(model, request, has_photo=False, max_steps=500)
    *_, record = run_request(model, request, None)
    before, after = editor.edit(editor.sample(3), Edit("face", "happy face"))
    np.testing.assert_array_equal(record.result.pictures["before"], before)
    np.testing.assert_array_equal(record.result.pictures["edited"], after)
    assert json.dumps(record.result.card)


def test_styles_are_in_eight_bits_what_the_exported_program_draws(editor):
    z = sample_z(HELD_OUT, 2)
    with paddle.no_grad():
        w_plus = editor.bundle.generator.get_latents(paddle.to_tensor(z))
    assert np.abs(editor.render(w_plus).astype(int) - to_pixels(draw(editor.bundle.generator, z))).max() <= 1
