# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The portrait world's StyleGAN3, by name: it draws the world's people, and edits do what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import paddle
import pytest

from ppstyleclip import Edit, Editor, available_models, load_generator
from ppstyleclip.align import faces_of_landmarks
from ppstyleclip.cli.main import run_command
from ppstyleclip.files import load_pixels
from ppstyleclip.methods.inversion import inversion_steps
from ppstyleclip.models.canvas import Canvas
from ppstyleclip.models.stylegan3 import canvas_transform
from ppstyleclip.pictures import enlarged, grid, to_images, to_pixels
from ppstyleclip.pipelines.photo import edit_photo
from ppstyleclip.pipelines.quality import POOR, psnr
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.judge import load_judge, read_factors
from ppstyleclip.worlds.portrait.render import render_batch
from ppstyleclip.worlds.portrait.scenes import draw_scene
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


@pytest.mark.slow
def test_its_encoder_finds_portraits_and_corrects_itself(editor):
    encoder = editor.bundle.encoder
    assert encoder.network.input_channels == 6
    rendered = render_batch(factors_from_z(sample_z(HELD_OUT, 4)), 64)
    found = editor.invert(rendered)
    with paddle.no_grad():
        steps = inversion_steps(
            encoder.network,
            paddle.to_tensor(to_images(rendered)),
            latent_avg=encoder.latent_avg,
            draw=lambda w_plus: paddle.to_tensor(editor.synthesize(w_plus)),
            n_iters=1,
        )
        (first,) = [step.w_plus.numpy() for step in steps]
    after, before = (psnr(rendered, editor.render(w_plus)) for w_plus in (found, first))
    assert after.mean() > before.mean() and after.min() > POOR
    apart = psnr(rendered[::-1], editor.render(found))
    assert (after > apart + 3).all()  # of the others


@pytest.mark.slow
def test_a_leaning_face_of_a_photo_is_edited_where_it_is(editor):
    scene = draw_scene(HELD_OUT, faces=1, width=240, height=200, angles=(14, 18), sides=(120, 130))
    faces = faces_of_landmarks([face.landmarks for face in scene.faces])
    made = result_of(edit_photo(editor, scene.pixels, Edit("face", "face with glasses"), faces=faces))
    assert not made.inversion.stages[-1].poor.any() and made.inversion.stages[-1].identity.mean() > 0.5
    changed = np.abs(made.pixels.astype(int) - scene.pixels).max(2) > 8
    middle = np.round(np.mean(faces[0].landmarks, axis=0)).astype(int)
    box = np.abs(np.argwhere(changed)[:, ::-1] - middle).max(1)
    assert changed.any() and box.max() < 100  # the face's surroundings stay


@pytest.mark.slow
def test_its_mapper_is_found_by_name_and_draws_on_a_canvas(tmp_path, monkeypatch, editor):
    monkeypatch.chdir(tmp_path)
    assert (
        run_command("map", ["--modules", "happy", "--seed", "3", "--model_type", NAME, "--rotate", "10"]) == 0
    )
    (picture,) = tmp_path.glob("output_dir/results_*.png")
    face, mapped = editor.sample(3).numpy(), np.load(tmp_path / "output_dir" / "latent.npy")[None]
    canvas = Canvas(rotate=10)
    pair = np.concatenate([editor.on_canvas(canvas).render(one) for one in (face, mapped)])
    np.testing.assert_allclose(load_pixels(picture).astype(int), grid(enlarged(pair), 2, gap=0), atol=2)
    judge = load_judge(JUDGE)
    before, after = (read_factors(judge, to_images(editor.render(w)))[0] for w in (face, mapped))
    assert (after - before)[INDEX["smile"]] > 0.4


@pytest.mark.slow
def test_a_shell_edits_by_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wish = ["3", "--target", "happy face", "--model_type", NAME]
    assert run_command("edit", wish) == 0
    assert (tmp_path / "edited.png").exists()


@pytest.mark.slow
def test_the_server_draws_and_edits_by_it(tmp_path, editor):
    pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
    pytest.importorskip("socketio", reason="the extra 'server' is not installed")
    from ppstyleclip.server.model import load_model
    from ppstyleclip.server.schemas import JobRequest
    from ppstyleclip.server.settings import load_settings
    from ppstyleclip.server.work import check_request, run_request

    model = load_model(load_settings(data=tmp_path, model_type=NAME))
    assert list(model.mappers) == ["happy"]
    request = JobRequest(seed=3, target="happy face")
    check_request(model, request, has_photo=False, max_steps=500)
    *_, record = run_request(model, request, None)
    before, after = editor.edit(editor.sample(3), Edit("face", "happy face"))
    np.testing.assert_array_equal(record.result.pictures["before"], before)
    assert np.abs(record.result.pictures["edited"].astype(int) - after).max() <= 1  # batches round otherwise
    assert json.dumps(record.result.card)


def test_styles_are_in_eight_bits_what_the_exported_program_draws(editor):
    z = sample_z(HELD_OUT, 2)
    with paddle.no_grad():
        w_plus = editor.bundle.generator.get_latents(paddle.to_tensor(z))
    assert np.abs(editor.render(w_plus).astype(int) - to_pixels(draw(editor.bundle.generator, z))).max() <= 1
