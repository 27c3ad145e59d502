# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What lies in the portrait world's pack does what it is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from edges import slow

import ppstyleclip.worlds.portrait as world
from ppstyleclip.align import align_face, find_faces, frame_of_landmarks
from ppstyleclip.pictures import to_images, to_pixels
from ppstyleclip.pipelines.faces import load_finder
from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX, NUM_FACTORS, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.identity import IDENTITY, dressed
from ppstyleclip.worlds.portrait.render import render_batch
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo import choose_direction, load_bundle, load_pack, open_directions

PACK = Path(world.__file__).parent / "pack"
HELD_OUT = 970_000  # seeds that no fit saw


@pytest.fixture(scope="module")
def bundle():
    return load_pack(PACK)


def draw(bundle, w_plus):
    with paddle.no_grad():
        styles = bundle.generator.style_affine(paddle.to_tensor(np.asarray(w_plus, np.float32)))
        return to_pixels(bundle.generator.synthesis_from_styles(styles, noise="const"))


def features(bundle, pixels):
    with paddle.no_grad():
        return bundle.identity.identity_features(paddle.to_tensor(to_images(pixels))).numpy()


@pytest.mark.slow
def test_the_bank_holds_faces_of_this_generator(bundle):
    assert bundle.latents.shape[1:] == (bundle.generator.n_latent, bundle.generator.style_dim)
    assert len(bundle.latents) >= 24
    pixels = draw(bundle, bundle.latents[:6]).astype(float)
    assert pixels.std() > 30  # no face is blank
    apart = np.abs(pixels[:, None] - pixels[None]).mean((2, 3, 4))
    assert apart[~np.eye(6, dtype=bool)].min() > 5  # and no two are the same


def test_every_factor_has_a_direction_by_name(bundle):
    found = open_directions(bundle=PACK)
    assert set(found) == {*FACTORS, "gender", "yaw"} - {"head_turn"}
    for step in found.values():
        assert step.shape == (1, bundle.generator.style_dim) and np.isfinite(step).all()
    np.testing.assert_array_equal(choose_direction(found, "smile"), bundle.directions["smile"])


@pytest.mark.parametrize("name, rows, columns, sign", [
    ("background_tone", (0.02, 0.16), (0.02, 0.16), 1),
    slow(("skin_tone", (0.66, 0.72), (0.32, 0.38), -1)),
    slow(("hair_lightness", (0.14, 0.22), (0.42, 0.58), 1)),
])  # fmt: skip
def test_a_direction_changes_what_its_name_says(bundle, name, rows, columns, sign):
    w_plus = bundle.latents[[3, 4, 8, 9]]
    less, more = (draw(bundle, w_plus + offset * bundle.directions[name]) for offset in (-1.5, 1.5))
    rows, columns = (
        slice(*(round(bundle.generator.size * share) for share in ends)) for ends in (rows, columns)
    )
    change = (more.astype(float) - less)[:, rows, columns].mean((1, 2, 3))
    assert (sign * change > 4).all()


@pytest.fixture(scope="module")
def finder(bundle):
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    return load_finder(bundle)


def test_faces_of_held_out_scenes_are_found_and_cut_out(bundle, finder):
    true, corners = 0, []
    for seed in range(HELD_OUT, HELD_OUT + 3):
        scene = draw_scene(seed, faces=2)
        found = find_faces(finder, scene.pixels)
        true += len(scene.faces)
        for one in found:
            middle = one.landmarks.mean(0)
            near = min(scene.faces, key=lambda face: np.abs(middle - face.landmarks.mean(0)).sum())
            quad = frame_of_landmarks(one.landmarks, bundle.crop)
            corners.append(np.hypot(*(quad - near.frame).T).mean() / near.side)
    assert len(corners) >= true - 1
    assert np.mean(corners) < 0.06


def test_known_landmarks_give_the_frame(bundle):
    scene = draw_scene(HELD_OUT + 9, faces=1, width=320, height=260, sides=(150, 160))
    (face,) = scene.faces
    quad = frame_of_landmarks(face.landmarks, bundle.crop)
    assert np.hypot(*(quad - face.frame).T).mean() < 0.06 * face.side
    crop, _ = align_face(scene.pixels, face.landmarks, 64, bundle.crop)
    assert crop.shape == (64, 64, 3)


@pytest.mark.slow
def test_people_are_known_in_any_dress(bundle):
    rng, people = np.random.RandomState(5), np.random.RandomState(6).randn(24, len(IDENTITY))
    drawn = [render_batch(factors_from_z(dressed(people, rng)), 128) for _ in range(2)]
    first, second = (features(bundle, pixels) for pixels in drawn)
    cosines = first @ second.T
    apart = cosines[~np.eye(24, dtype=bool)]
    assert np.mean([(apart < one).mean() for one in np.diag(cosines)]) > 0.93


def test_the_same_face_is_itself_whether_drawn_or_rendered(bundle):
    z = sample_z(HELD_OUT, 3)
    with paddle.no_grad():
        w_plus = bundle.generator.get_latents(paddle.to_tensor(z)).numpy()
    pair = features(bundle, draw(bundle, w_plus)), features(bundle, render_batch(factors_from_z(z), 128))
    assert ((pair[0] * pair[1]).sum(1) > 0.8).all()
    assert factors_from_z(z).shape == (3, NUM_FACTORS) and INDEX["smile"] == FACTORS.index("smile")


@pytest.mark.parametrize("name", (None, "e4e"))
def test_the_encoders_find_latents_that_draw_the_face(bundle, name):
    """Much nearer than the mean face is; e4e's offsets are there, and are short beside what w differs."""
    encoder = bundle.encoder if name is None else load_bundle(encoder=name).encoder
    network, mean = encoder.network, encoder.latent_avg
    size, side = bundle.generator.size, network.input_size
    pixels = render_batch(factors_from_z(sample_z(HELD_OUT + 1, 4)), size)
    small = to_images(pixels).reshape(4, 3, side, size // side, side, size // side).mean((3, 5))
    with paddle.no_grad():
        w_plus = network(paddle.to_tensor(small)).numpy() + mean
    offsets = np.linalg.norm(w_plus[:, 1:] - w_plus[:, :1], axis=2)
    assert (offsets.min() > 0) == (name == "e4e")
    assert offsets.mean() < 0.15 * np.linalg.norm(w_plus[:, 0] - mean, axis=1).mean()
    average = np.broadcast_to(mean, w_plus.shape)
    near, far = (((draw(bundle, w).astype(float) - pixels) ** 2).mean() for w in (w_plus, average))
    assert near < 0.4 * far
