# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photos of turned faces keep their pose where the generator can draw it."""

import numpy as np
import paddle
import pytest
from edges import slow
from stylegan3_encoder import add_restyle
from stylegan3_world import save_tiny_stylegan3, tiny_stylegan3
from tiny_encoder import save_with_encoder
from tiny_world import live_in

from ppstyleclip.align import crop_mask, faces_of_landmarks, frame_of_landmarks, upright_frame
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.models.canvas import Canvas
from ppstyleclip.pipelines.faces import cut_faces, unaligned_face, whole_face
from ppstyleclip.pipelines.inversion import draw_unaligned
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo, paste_edit
from ppstyleclip.pipelines.photo_steps import change_photo
from ppstyleclip.pipelines.records import Record, result_of
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo import load_pack

SCENE = draw_scene(5, faces=1, width=320, height=240, sides=(150, 160), angles=(18, 22))
MARKS = SCENE.faces[0].landmarks
SIZE = 16


@pytest.fixture(scope="module", params=["R", "T", "stylegan2"])
def editor(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    if request.param == "stylegan2":
        save_with_encoder(folder)
    else:
        save_tiny_stylegan3(folder, request.param)
        add_restyle(folder, tiny_stylegan3(request.param))
    return Editor(load_pack(folder))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)


def is_posed(editor):
    return editor.bundle.generator.family == "stylegan3" and editor.bundle.generator.configuration == "R"


def cut():
    (face,) = cut_faces(SCENE.pixels, faces_of_landmarks(MARKS), SIZE)
    return face


@paddle.no_grad()
def test_a_latent_is_drawn_as_its_face_stands_in_the_photo(editor):
    face = cut()
    w_plus = editor.invert(face.crop[None])[0]
    made = draw_unaligned(editor, SCENE.pixels, face, w_plus)
    if not is_posed(editor):
        assert made is None
        return
    generator = editor.bundle.generator
    styles = generator.style_affine(paddle.to_tensor(w_plus[None]))
    drawn = generator.synthesis_from_styles(styles, transform=paddle.to_tensor(made.transform)).numpy()[0]
    wanted = np.clip((drawn.transpose(1, 2, 0) + 1) * 127.5, 0, 255)
    np.testing.assert_allclose(made.drawn, wanted, atol=1)
    assert (made.drawn != editor.render(w_plus[None])[0]).any()
    angle = np.degrees(np.arctan2(made.transform[1, 0], made.transform[0, 0]))
    right = np.subtract(*face.alignment.quad[[3, 0]])  # in the photo, y points down
    np.testing.assert_allclose(angle, -np.degrees(np.arctan2(right[1], right[0])), atol=1e-3)
    assert draw_unaligned(editor, SCENE.pixels, whole_face(face.crop, SIZE), w_plus) is None


def test_an_edited_face_returns_in_its_pose(editor):
    config = PhotoConfig(fitting=FittingConfig(steps=0))
    edit, faces = Edit("face", "happy face", region="mouth"), faces_of_landmarks(MARKS)
    made = result_of(edit_photo(editor, SCENE.pixels, edit, config, faces=faces))
    quad = frame_of_landmarks(MARKS)
    (face,) = made.faces
    wanted = upright_frame(quad) if is_posed(editor) else quad
    np.testing.assert_allclose(face.alignment.quad, wanted, atol=1e-9)
    if is_posed(editor):
        np.testing.assert_array_equal(face.crop, unaligned_face(SCENE.pixels, cut()).crop)
    changed = (made.pixels != SCENE.pixels).any(2)
    mask = crop_mask(face.alignment, made.applied[0].parts[0].masks[0])
    assert changed.any() and not changed[mask == 0].any()
    np.testing.assert_array_equal(made.before, made.inversion.editors[0].render(made.inversion.w_plus))
    mouth = MARKS[48:].mean(0).astype(int)
    assert changed[mouth[1] - 8 : mouth[1] + 8, mouth[0] - 8 : mouth[0] + 8].any()


@pytest.mark.parametrize("space, region", [slow(("w_plus", None)), slow(("s", None)), ("s", "mouth")])
def test_any_method_returns_a_face_in_its_pose(editor, space, region):
    def change(own, w_plus, masks):
        moved = w_plus + np.float32(0.5)
        yield Record(1, 1, "moving", moved if space == "w_plus" else own.styles(moved).numpy())

    config = PhotoConfig(fitting=FittingConfig(steps=0))
    made = result_of(
        change_photo(editor, SCENE.pixels, change, config, faces=faces_of_landmarks(MARKS), region=region)
    )
    (face,), (latent,), (mask,) = made.faces, made.inversion.w_plus, made.masks
    own = editor.on_canvas(face.canvas) if is_posed(editor) else editor
    np.testing.assert_array_equal(made.before, own.render(latent[None]))
    assert not (made.pixels != SCENE.pixels).any(2)[crop_mask(face.alignment, mask) == 0].any()
    if region is None:
        whole = own.render(latent[None] + np.float32(0.5))[0]
        np.testing.assert_allclose(made.after[0].astype(int), whole, atol=2)
    else:
        np.testing.assert_array_equal(made.after[0][mask == 0], made.before[0][mask == 0])
        assert (made.after[0] != made.before[0])[mask > 0].any()


def test_a_frame_is_what_a_photo_is(editor):
    """paste_edit is what folders and videos are edited by."""
    config = PhotoConfig(fitting=FittingConfig(steps=0))
    edit = Edit("face", "happy face", region="mouth")
    made = result_of(edit_photo(editor, SCENE.pixels, edit, config, faces=faces_of_landmarks(MARKS)))
    pixels, before, after = paste_edit(editor, SCENE.pixels, [cut()], made.inversion.w_plus, edit)
    for one, other in ((pixels, made.pixels), (before, made.before), (after, made.after)):
        np.testing.assert_array_equal(one, other)


def test_an_editor_on_a_canvas_shares_what_is_loaded(editor):
    canvas = Canvas((0.1, 0), 20)
    if editor.bundle.generator.family == "stylegan2":
        with pytest.raises(UserError, match="cannot be moved"):
            editor.on_canvas(canvas)
        return
    moved = editor.on_canvas(canvas)
    assert moved.bundle is editor.bundle and editor.canvas is None and moved.canvas == canvas
    face = editor.sample(1)
    np.testing.assert_allclose(moved.styles(face).numpy(), editor.moved(face, canvas), atol=1e-6)
    np.testing.assert_array_equal(
        moved.step(Edit("face", "happy face")), editor.step(Edit("face", "happy face"))
    )
