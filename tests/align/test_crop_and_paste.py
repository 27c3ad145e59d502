# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The FFHQ crop beside the published recipe, and the way back into the photo."""

from pathlib import Path

import numpy as np
import pytest
from edges import edges
from oracles.align_cases import NUM_CASES, PADDED, SHRUNK, SIZE, case, samples

from ppstyleclip.align import align_face, crop_mask, crop_to_photo, frame_of_landmarks, paste, paste_back
from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo.crops import load_crop
from ppstyleclip.zoo.registry import PACK

CROP = PACK / "crop.safetensors"


def psnr(a, b):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((np.asarray(a, np.float64) - b) ** 2)))


def face_at(eyes, mouth, apart):
    """68 landmarks of which only eyes and mouth count: their middles, and how far the eyes are apart."""
    points = np.tile(np.float64(eyes), (68, 1))
    points[36:42, 0] -= apart / 2
    points[42:48, 0] += apart / 2
    points[48:] = mouth
    return points


# ---- against the published recipe (numbers written by oracles/make_align.py) ----


@pytest.fixture(scope="module")
def published():
    with np.load(Path(__file__).parents[1] / "oracles" / "align.npz") as data:
        return data["quads"], data["samples"]


@pytest.mark.parametrize("k", edges(range(NUM_CASES), 8))
def test_corners_and_crop_are_the_published_ones(published, k):
    photo, landmarks = case(k)
    crop, alignment = align_face(photo, landmarks, SIZE)
    assert np.abs(alignment.quad - published[0][k]).max() < 0.01
    assert psnr(samples(crop), published[1][k]) > 40
    assert (alignment.shrink > 1) == (k in SHRUNK)


def test_the_cases_leave_the_photo_where_they_should():
    for k in PADDED:
        photo, landmarks = case(k)
        quad = frame_of_landmarks(landmarks)
        assert quad.min() < 0 or (quad.max(0) > photo.shape[1::-1]).any()


# ---- geometry ----


def test_the_frame_by_hand():
    wide_eyes = frame_of_landmarks(face_at((50, 40), (50, 60), 30))  # 4 * 30 > 3.6 * 20
    np.testing.assert_allclose(wide_eyes, [[-10, -18], [-10, 102], [110, 102], [110, -18]], atol=1e-9)
    long_face = frame_of_landmarks(face_at((50, 40), (50, 80), 10))  # 4 * 10 < 3.6 * 40
    np.testing.assert_allclose(long_face.mean(0), [50, 44], atol=1e-9)
    np.testing.assert_allclose(long_face[2] - long_face[0], [144, 144], atol=1e-9)


@pytest.mark.parametrize("angle", [-160, -25, 10, 90])
def test_the_frame_turns_with_the_face(angle):
    points, turn = face_at((50, 40), (50, 60), 30), np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    expected = frame_of_landmarks(points) @ rotation.T
    np.testing.assert_allclose(frame_of_landmarks(points @ rotation.T), expected, atol=1e-9)


def test_an_upright_frame_of_the_crop_s_size_is_the_photo_s_own_pixels():
    photo = draw_scene(3, faces=0, width=220, height=200).pixels
    landmarks = face_at((100, 90), (100, 100), 16) - [0.5, 0.5]  # 64 pixels wide, corners between pixels
    crop, alignment = align_face(photo, landmarks, 64)
    x, y = np.round(alignment.quad[0] + 0.5).astype(int)
    assert (x, y) == (68, 59)
    assert psnr(crop, photo[y : y + 64, x : x + 64]) > 30
    np.testing.assert_allclose(crop_to_photo(alignment, 64), [[1, 0, 68], [0, 1, 59]], atol=1e-9)


@pytest.mark.parametrize("width, size", [(640, 64), (641, 64), (1283, 32), (997, 20)])
def test_the_way_back_is_the_way_that_was_sampled(width, size):
    """Colours that say where a pixel is: each pixel of the crop must be from where it is said to be."""
    height = width - 101
    y, x = np.mgrid[:height, :width]
    places = np.stack([x * 250 / width, y * 250 / height, 0 * x], 2)
    landmarks = face_at((width * 0.45, height * 0.4), (width * 0.5, height * 0.55), width * 0.12)
    rising, alignment = align_face(np.uint8(np.round(places)), landmarks, size)
    falling, _ = align_face(np.uint8(255 - np.round(places)), landmarks, size)
    colours = (rising[:, :, :2].astype(float) - falling[:, :, :2] + 255) / 2  # both are cut off, not rounded
    forth = crop_to_photo(alignment, size)
    v, u = np.mgrid[4 : size - 4, 4 : size - 4]
    said = (np.stack([u, v, np.ones_like(u)], 2) @ forth.T) * [250 / width, 250 / height]
    off = (colours[4:-4, 4:-4] - said) / (np.hypot(*forth[:, 0]) * 250 / width)  # in pixels of the crop
    assert np.abs(off.mean((0, 1))).max() < 0.05 and np.abs(off).max() < 0.6


# ---- what cannot be cropped ----


@pytest.mark.parametrize("landmarks, words", [
    (np.zeros((5, 2)), r"68 points \(x, y\), got shape \[5, 2\]"),
    (np.full((68, 2), np.nan), "got points that are no numbers"),
    (np.full((68, 2), 30.0), "in one place"),
    ("nose", "68 points"),
    (face_at((50, 40), (50, 44), 4), "face is tiny: its frame is 16 pixels wide"),
    (face_at((900, 40), (900, 60), 20), "is not in the photo of 120x100"),
    (face_at((60, 40), (60, 60), 400), "is not in the photo of 120x100"),
])  # fmt: skip
def test_wrong_landmarks_get_one_line(landmarks, words):
    with pytest.raises(UserError, match=words):
        align_face(np.zeros((100, 120, 3), np.uint8), landmarks, 64)


def test_half_a_face_in_a_small_photo_is_cropped():
    photo = np.random.RandomState(0).randint(0, 255, (30, 40, 3), np.uint8)
    crop, _ = align_face(photo, face_at((2, 3), (2, 23), 20), 64)
    assert crop.shape == (64, 64, 3)


# ---- back into the photo ----


@pytest.fixture(scope="module")
def scene():
    return draw_scene(11, faces=3)


@pytest.mark.parametrize("way", ["blend", "difference", "replace"])
@pytest.mark.parametrize("size", [64, 256])
def test_outside_the_crop_not_a_bit_changes(scene, way, size):
    for face in scene.faces:
        crop, alignment = align_face(scene.pixels, face.landmarks, size, load_crop(CROP))
        mask = crop_mask(alignment)
        out = paste_back(scene.pixels, alignment, 255 - crop, crop, way=way)
        assert out is not scene.pixels and out.dtype == np.uint8
        changed = (out != scene.pixels).any(2)
        assert not changed[mask == 0].any()
        assert changed[mask > 0.2].mean() > 0.9
        inside = mask.sum() / face.side**2
        assert 0.7 < inside < 0.85  # of the frame; nothing of it lies outside the photo


def test_the_mask_is_that_of_the_frame(scene):
    face = scene.faces[1]
    _, alignment = align_face(scene.pixels, face.landmarks, 64)
    mask = crop_mask(alignment)
    y, x = np.nonzero(mask)
    assert mask.max() == 1 and mask[int(face.centre[1]), int(face.centre[0])] == 1
    assert np.abs([x.min(), y.min()] - alignment.quad.min(0)).max() < 8
    assert np.abs([x.max(), y.max()] - alignment.quad.max(0)).max() < 8


def test_nothing_edited_is_nothing_changed(scene):
    crop, alignment = align_face(scene.pixels, scene.faces[0].landmarks, 64)
    rebuilt = np.roll(crop, 3, 0)  # a bad inversion
    for way in ("blend", "difference"):
        out = paste_back(scene.pixels, alignment, rebuilt, rebuilt, way=way)
        np.testing.assert_array_equal(out, scene.pixels)


def test_blend_adds_small_changes_and_replaces_where_they_are_large(scene):
    """A change of 10 levels on the left, of 100 on the right; the drawn crop is 20 levels off everywhere."""
    photo = np.full_like(scene.pixels, 100)
    crop, alignment = align_face(photo, scene.faces[1].landmarks, 64)
    rebuilt = crop.astype(np.float32) + 20
    edited = rebuilt.copy()
    edited[:, :32] += 10
    edited[:, 32:] += 100
    out = paste_back(photo, alignment, edited, rebuilt).astype(int)
    way = crop_to_photo(alignment, 64)
    (x1, y1), (x2, y2) = (np.round(way @ [u, 31.5, 1]).astype(int) for u in (14, 48))
    assert np.abs(out[y1, x1] - 110).max() <= 1  # added: the drawing's own error stays out
    assert np.abs(out[y2, x2] - 220).max() <= 1  # replaced: the drawn crop as it is
    both = [paste_back(photo, alignment, edited, rebuilt, way=way) for way in ("difference", "replace")]
    lower, upper = np.minimum(*both), np.maximum(*both)
    assert ((out >= lower.astype(int) - 1) & (out <= upper.astype(int) + 1)).all()


@pytest.mark.parametrize("size, least", [(512, 36), (256, 34), (128, 27), (64, 21)])
def test_an_unedited_crop_comes_back_as_it_was(scene, size, least):
    for face in scene.faces:
        crop, alignment = align_face(scene.pixels, face.landmarks, size)
        inside = crop_mask(alignment) > 0
        back = paste_back(scene.pixels, alignment, crop, way="replace")
        assert psnr(back[inside], scene.pixels[inside]) > least


@pytest.mark.parametrize("sides, size", [((300, 380), 64), ((120, 150), 512)])
def test_an_edit_lands_where_it_was_made(sides, size):
    """A dot in the crop becomes a dot at the place that crop_to_photo names."""
    scene = draw_scene(5, faces=1, sides=sides)
    crop, alignment = align_face(scene.pixels, scene.faces[0].landmarks, size)
    grey, dot = np.full_like(crop, 100), np.full_like(crop, 100)
    v, u = int(size * 0.3), int(size * 0.6)
    reach = size // 16
    dot[v - reach : v + reach + 1, u - reach : u + reach + 1] = 200
    out = paste_back(np.full_like(scene.pixels, 50), alignment, dot, grey, way="difference")
    weight = out[:, :, 0] - 50.0
    y, x = np.mgrid[: out.shape[0], : out.shape[1]]
    found = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
    np.testing.assert_allclose(found, crop_to_photo(alignment, size) @ [u, v, 1], atol=0.15)
    assert 125 < out.max() < 175


def test_the_edited_crop_may_have_another_size(scene):
    crop, alignment = align_face(scene.pixels, scene.faces[0].landmarks, 64)
    fine, _ = align_face(scene.pixels, scene.faces[0].landmarks, 256)
    inside = crop_mask(alignment) > 0
    assert psnr(paste_back(scene.pixels, alignment, fine, way="replace")[inside], scene.pixels[inside]) > 34


@pytest.mark.parametrize("change, words", [
    ({"way": "mix"}, "blend, difference, replace, got 'mix'"),
    ({"reconstructed": None}, "'difference' needs the reconstructed crop"),
    ({"reconstructed": np.zeros((32, 32, 3))}, "'difference' needs the reconstructed crop"),
    ({"edited": np.zeros((64, 60, 3))}, r"an edited crop is \[S, S, 3\], got \[64, 60, 3\]"),
    ({"photo": np.zeros((480, 600, 3), np.uint8)}, "photo of 640x480 pixels, this one has 600x480"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(scene, change, words):
    crop, alignment = align_face(scene.pixels, scene.faces[0].landmarks, 64)
    parts = {"photo": scene.pixels, "edited": crop, "reconstructed": crop, "way": "difference", **change}
    with pytest.raises(UserError, match=words):
        paste_back(parts["photo"], alignment, parts["edited"], parts["reconstructed"], way=parts["way"])


@pytest.mark.parametrize("way", paste.WAYS)
@pytest.mark.parametrize("band", [1, 5000, 2**30])
def test_bands_make_no_difference(scene, monkeypatch, way, band):
    crop, alignment = align_face(scene.pixels, scene.faces[0].landmarks, 64)
    edited = crop.astype(np.float32)
    edited[20:40, 20:50] += 60
    whole, mask = paste_back(scene.pixels, alignment, edited, crop, way=way), crop_mask(alignment)
    monkeypatch.setattr(paste, "BAND_PIXELS", band)
    again = paste_back(scene.pixels, alignment, edited, crop, way=way)
    assert np.abs(whole.astype(int) - again).max() <= 1 and (whole != again).mean() < 1e-3
    np.testing.assert_array_equal(crop_mask(alignment), mask)


@pytest.mark.slow
def test_a_coarser_grid_of_shares_changes_little(scene, monkeypatch):
    photo = np.repeat(np.repeat(scene.pixels, 4, 0), 4, 1)
    crop, alignment = align_face(photo, 4 * scene.faces[0].landmarks, 256)
    edited = crop.astype(np.float32)
    edited[80:160, 80:200] += 60
    fine = paste_back(photo, alignment, edited, crop)
    monkeypatch.setattr(paste, "BLUR", 8)
    coarse = paste_back(photo, alignment, edited, crop)
    inside = crop_mask(alignment) > 0
    apart = np.abs(coarse[inside].astype(int) - fine[inside])
    assert 0 < apart.mean() < 0.1 and np.quantile(apart, 0.999) <= 3
    np.testing.assert_array_equal(coarse[~inside], photo[~inside])


# ---- a real photograph ----


def test_the_astronaut_is_aligned_by_given_landmarks():
    data = pytest.importorskip("skimage.data", reason="scikit-image, with its photograph, is not installed")
    photo = data.astronaut()
    landmarks = face_at((226, 101), (226, 148), 46)  # read off the picture
    crop, alignment = align_face(photo, landmarks, 128)
    assert crop.shape == (128, 128, 3) and 160 < np.hypot(*(alignment.quad[3] - alignment.quad[0])) < 190
    skin = crop[54:74, 54:74].reshape(-1, 3).mean(0)
    assert skin[0] > skin[1] > skin[2] and skin[0] > 150
    inside = crop_mask(alignment) > 0
    back = paste_back(photo, alignment, crop, way="replace")
    np.testing.assert_array_equal(back[~inside], photo[~inside])
    assert psnr(back[inside], photo[inside]) > 28
