# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions by name, by mask, by landmarks, by a world and by a text; edits in them; what is refused."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from photo_world import SCENE
from tiny_world import SIZE, tiny_parts

from ppstyleclip.align import align_face, crop_mask, crop_to_photo
from ppstyleclip.editor import Edit, Editor, Session
from ppstyleclip.errors import UserError
from ppstyleclip.files import save_png
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.pipelines.editing import edit_face
from ppstyleclip.pipelines.optimization import optimize_faces
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.recipes import Recipe, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks
from ppstyleclip.regions import (
    NAMES,
    RegionEdit,
    RegionMask,
    SampledFaces,
    check_region,
    masks_of_landmarks,
    masks_of_world,
)
from ppstyleclip.regions.auto import masks_of_text
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS, Z_DIM
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.zoo import Bundle, EditDefaults

LEFT = np.zeros([SIZE, SIZE], np.float32)
LEFT[:, : SIZE // 2] = 1


@pytest.fixture(scope="module")
def editor():
    generator, layout, stats, relevance, clip = tiny_parts()
    defaults = EditDefaults(alpha=3.0, beta=0.1, templates="plain")
    return Editor(Bundle("tiny", generator, layout, stats, relevance, clip, defaults))


def happy(region):
    return Edit("face", "happy face", region=region)


# ---- what may be given


def test_names_masks_and_files_are_regions(tmp_path):
    assert check_region(None) is None and check_region("mouth+eyes") == "mouth+eyes"
    save_png(tmp_path / "mask.png", np.repeat(np.uint8(LEFT * 255)[:, :, None], 3, 2))
    by_file, by_array = check_region(tmp_path / "mask.png"), check_region(LEFT)
    assert by_file.name == "mask.png" and by_file == by_array and hash(by_file) == hash(by_array)
    assert happy(LEFT) == happy(LEFT) and happy(LEFT) != happy(1 - LEFT)
    np.testing.assert_array_equal(by_array.values, LEFT)


@pytest.mark.parametrize(
    "region, words",
    [
        ("nowhere", "unknown region 'nowhere'; known: mouth, eyes"),
        ("mouth+nowhere", "unknown region"),
        ("missing.png", "there is no file missing.png"),
        (np.zeros([4, 4]), "is empty; paint the region"),
        (np.full([4, 4], 2.0), "numbers outside 0..1"),
        (np.full([4, 4], np.nan), "numbers outside 0..1"),
        (np.zeros([2, 3, 4, 5]), r"mask is \[H, W\] numbers"),
        (np.array(["a"]), r"or \[H, W\] numbers, got"),
    ],
)
def test_what_is_no_region_is_one_line(region, words):
    with pytest.raises(UserError, match=words) as refusal:
        happy(region)
    assert str(refusal.value).isprintable()


def test_a_mask_of_another_size_is_refused(editor):
    with pytest.raises(UserError, match=f"is 8x8, but the face is {SIZE}x{SIZE}"):
        editor.edit(editor.sample(1), happy(np.ones([8, 8])))


# ---- edits in a region


def test_outside_the_mask_no_pixel_changes_and_inside_some_do(editor):
    face = editor.sample(3)
    before, after = editor.edit(face, happy(LEFT))
    np.testing.assert_array_equal(before, editor.render(face)[0])
    np.testing.assert_array_equal(after[:, SIZE // 2 :], before[:, SIZE // 2 :])
    assert (after != before).any()
    everywhere = editor.edit(face, happy(None))[1]
    assert (everywhere[:, SIZE // 2 :] != before[:, SIZE // 2 :]).any()


def test_a_strip_is_the_edits_at_their_strengths(editor):
    face = editor.sample(3)
    made = result_of(edit_face(editor, face, happy(LEFT), [-2, 0, 3]))
    np.testing.assert_array_equal(made.pictures[1], made.before)
    np.testing.assert_array_equal(made.after, editor.edit(face, happy(LEFT))[1])
    np.testing.assert_array_equal(made.pictures[0][:, SIZE // 2 :], made.before[:, SIZE // 2 :])
    assert made.mask.shape == (SIZE, SIZE)


def test_edits_in_several_regions_and_everywhere(editor):
    face, sad = editor.sample(3), Edit("face", "sad face")
    session = Session(editor, face)
    session.accept(sad)
    base = session.picture()
    session.accept(happy(LEFT))
    right = Edit("face", "smiling face", region=1 - LEFT)
    preview = session.preview(right)
    half = session.picture()
    np.testing.assert_array_equal(half[:, SIZE // 2 :], base[:, SIZE // 2 :])
    np.testing.assert_array_equal(preview[:, : SIZE // 2], half[:, : SIZE // 2])
    assert (preview != half).any() and (session.picture() == half).all()
    session.accept(right)
    np.testing.assert_array_equal(session.picture(), preview)


def test_where_regions_overlap_the_later_takes_the_earlier_step_along(editor):
    face, masks = editor.sample(3), LEFT[None]
    step = editor.step(happy(None))
    twice = editor.synthesize_edits(face, [RegionEdit(step, masks), RegionEdit(step, masks)])
    np.testing.assert_allclose(twice, editor.synthesize_edits(face, [RegionEdit(2 * step, masks)]), atol=1e-4)


def test_many_faces_each_with_its_mask_are_drawn_as_alone(editor):
    faces, masks = editor.sample([1, 2, 3]), np.stack([LEFT, 1 - LEFT, LEFT])
    step = editor.step(happy(None))
    together = editor.synthesize_edits(faces, [RegionEdit(step, masks)])
    for k in range(3):
        alone = editor.synthesize_edits(faces[k : k + 1], [RegionEdit(step, masks[k : k + 1])])
        np.testing.assert_allclose(together[k], alone[0], atol=1e-4)


def test_mappers_and_optimisation_keep_to_a_region(editor):
    face = editor.sample(3).numpy()
    pictures = draw_in_masks(editor, face, face + 0.5, find_masks(editor, face, LEFT))
    before = editor.render(face)
    np.testing.assert_array_equal(pictures[:, :, SIZE // 2 :], before[:, :, SIZE // 2 :])
    assert (pictures != before).any()
    config = OptimizationConfig(steps=2, space="w_plus", learning_rate=0.3)
    *_, record = optimize_faces(editor, face, ["happy face"], config, region=LEFT)
    made = record.result
    np.testing.assert_array_equal(made.after[:, :, SIZE // 2 :], made.before[:, :, SIZE // 2 :])
    assert (made.after != made.before).any()
    outside = editor.synthesize(face)[..., SIZE // 2 :]
    np.testing.assert_allclose(record.images[..., SIZE // 2 :], outside, atol=1e-5)
    with pytest.raises(UserError, match="'auto' follows a text"):
        find_masks(editor, face, "auto")


# ---- landmarks


def test_landmarks_give_every_region_where_it_belongs():
    points = landmarks(np.zeros(NUM_FACTORS), 64)
    masks = masks_of_landmarks(points, 64)
    assert set(masks) == set(NAMES)
    for name, part in (("mouth", slice(48, 68)), ("eyes", slice(36, 48)), ("nose", slice(27, 36))):
        x, y = np.round(points[part].mean(0)).astype(int)
        middle = masks[name][y, x] if name != "eyes" else masks[name][y, int(round(points[36:42, 0].mean()))]
        assert middle > 0.9 and masks[name][2, 2] == 0
    for mask in masks.values():
        assert mask.shape == (64, 64) and mask.dtype == np.float32 and 0 <= mask.min() and mask.max() <= 1
    assert masks["background"][2, 2] > 0.9 and masks["hair"][4, 32] > 0.5
    assert (masks["mouth"] * masks["eyes"]).max() < 0.1
    with pytest.raises(UserError, match="68 points"):
        masks_of_landmarks(points[:5], 64)


def test_a_photo_changes_in_the_region_of_its_landmarks_alone(editor):
    from ppstyleclip.align import faces_of_landmarks

    faces = faces_of_landmarks([face.landmarks for face in SCENE.faces])
    config = PhotoConfig("all", FittingConfig(steps=0))
    made = result_of(edit_photo(editor, SCENE.pixels, happy("mouth"), config, faces=faces))
    changed = (made.pixels != SCENE.pixels).any(axis=2)
    reach = sum(crop_mask(one.alignment, done.masks[0]) for one, done in zip(made.faces, made.applied))
    assert changed.any() and not changed[reach == 0].any()
    x, y = faces[0].landmarks[48:68].mean(0).round().astype(int)
    assert reach[y, x] > 0.5 and reach[2, 2] == 0


def test_a_recipe_keeps_each_edit_in_its_region(editor):
    face = editor.sample(3)
    recipe = Recipe((happy(LEFT), Edit("face", "sad face", region=1 - LEFT)))
    made = result_of(edit_by_recipe(editor, face, recipe))
    before, after = editor.edit(face, *recipe.edits)
    np.testing.assert_array_equal(made.before, before)
    np.testing.assert_array_equal(made.after, after)
    alone = editor.edit(face, happy(LEFT))[1]
    np.testing.assert_array_equal(made.after[:, : SIZE // 2], alone[:, : SIZE // 2])


def test_a_photos_mask_has_the_photos_size_and_a_face_in_it(editor):
    from ppstyleclip.align import faces_of_landmarks

    faces, photo = faces_of_landmarks([SCENE.faces[0].landmarks]), SCENE.pixels
    config, mask = PhotoConfig("all", FittingConfig(steps=0)), np.zeros(photo.shape[:2], np.float32)
    with pytest.raises(UserError, match="but the photo is 320x240"):
        result_of(edit_photo(editor, photo, happy(mask[:10] + 1), config, faces=faces))
    _, alignment = align_face(photo, SCENE.faces[0].landmarks, SIZE)
    x, y = crop_to_photo(alignment, SIZE)[:, :2] @ [SIZE / 2, SIZE / 2] + crop_to_photo(alignment, SIZE)[:, 2]
    mask[int(y) - 12 : int(y) + 12, int(x) - 12 : int(x) + 12] = 1
    made = result_of(edit_photo(editor, photo, happy(mask), config, faces=faces))
    changed = (made.pixels != photo).any(axis=2)
    assert changed.any() and changed.sum() < 6 * mask.sum()
    corner = np.zeros_like(mask)
    corner[:4, :4] = 1
    with pytest.raises(UserError, match="leaves the face out"):
        result_of(edit_photo(editor, photo, happy(corner), config, faces=faces))


# ---- worlds, texts


def test_the_portrait_worlds_renderer_says_where_parts_are():
    z = np.random.RandomState(0).randn(2, Z_DIM).astype(np.float32)
    masks = masks_of_world("portrait", z, ["mouth", "glasses"], 64)
    assert masks["mouth"].shape == (2, 64, 64) and masks["mouth"].max() > 0.9
    rows = np.flatnonzero(masks["mouth"][0].max(axis=1) > 0.5)
    eyes = np.flatnonzero(masks["glasses"][0].max(axis=1) > 0.5)
    assert eyes.max() < rows.min() + 4  # glasses, of a face without any too, are above the mouth


def test_sampled_faces_are_known_again_until_they_are_too_many(monkeypatch):
    from ppstyleclip.regions import sampled

    monkeypatch.setattr(sampled, "MOST", 2)
    faces, w_plus, z = SampledFaces(), np.random.RandomState(0).randn(3, 2, 4), np.eye(3, 4)
    faces.remember(w_plus, [7, 8, 9], z, 1.0)
    assert faces.seed_of(w_plus[0]) is None and faces.seed_of(w_plus[2]) == (9, 1.0)
    np.testing.assert_array_equal(faces.z_of(w_plus[1]), z[1])
    faces.remember(w_plus[:1], 7, z[:1], 0.7)
    assert faces.z_of(w_plus[0]) is None and faces.seed_of(w_plus[0]) == (7, 0.7)


class _Patch:
    """A CLIP that sees the brightness of the upper left quarter alone."""

    def encode_image(self, images):
        seen = images[:, 0, :16, :16].mean(axis=[1, 2])
        return paddle.stack([seen, paddle.ones_like(seen)], axis=1)


def test_a_text_lives_where_its_pixels_are():
    before, after = np.zeros([1, 3, 32, 32], np.float32), np.ones([1, 3, 32, 32], np.float32)
    (mask,) = masks_of_text(_Patch(), np.float32([1, 0]), before, after)
    assert mask[8, 8] > 0.9 and mask[24, 24] == 0 and mask.shape == (32, 32)
    (nowhere,) = masks_of_text(_Patch(), np.float32([1, 0]), before, before)
    assert (nowhere == 1).all()


def test_auto_edits_where_the_text_lives(editor):
    face = editor.sample(3)
    masks = editor.region_masks(face, happy("auto"))
    assert masks.shape == (1, SIZE, SIZE) and masks.max() > 0.5
    before, after = editor.edit(face, happy("auto"))
    np.testing.assert_array_equal(after[masks[0] == 0], before[masks[0] == 0])


def test_a_mask_is_kept_as_a_picture_holds_it():
    mask = RegionMask(np.full([4, 4], 0.3337))
    assert float(mask.values[0, 0]) == np.float32(85) / np.float32(255) and str(mask) == "mask"
