# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A moved canvas as styles, and an editor that draws on one."""

import numpy as np
import paddle
import pytest
from stylegan3_world import LAYERS, STYLE_DIM, save_tiny_stylegan3, tiny_stylegan3
from tiny_world import live_in, tiny_generator

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.models.canvas import Canvas, canvas_transform, check_can_move, move_canvas
from ppstyleclip.models.stylegan3.transforms import moved_input
from ppstyleclip.regions import moved_masks
from ppstyleclip.session import Session
from ppstyleclip.zoo import load_pack

MOVED = Canvas((0.25, -0.125), 30)
HAPPY = Edit("face", "happy face")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return load_pack(save_tiny_stylegan3(tmp_path_factory.mktemp("pack")))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)


@paddle.no_grad()
def drawn(generator, s, transform=None):
    """Images of flat styles, under NVIDIA's transform."""
    styles = generator.layout.unflatten(paddle.to_tensor(s))
    transform = None if transform is None else paddle.to_tensor(transform)
    return generator.synthesis_from_styles(styles, transform=transform).numpy()


@pytest.mark.parametrize("configuration", ["T", "R"])
def test_styles_of_a_moved_canvas_draw_what_the_transform_draws(configuration):
    generator = tiny_stylegan3(configuration, 32)
    s = np.random.RandomState(1).standard_normal((2, generator.layout.size)).astype(np.float32)
    wanted = drawn(generator, s, MOVED.matrix())
    moved = move_canvas(generator, s, MOVED)
    np.testing.assert_array_equal(moved[:, 4:], s[:, 4:])
    np.testing.assert_allclose(drawn(generator, moved), wanted, atol=1e-4 * np.abs(wanted).max())
    assert np.abs(wanted - drawn(generator, s)).max() > 0.1 * np.abs(wanted).max()


def test_a_canvas_for_each_style_and_two_moves_in_a_row():
    style = np.random.RandomState(2).standard_normal((2, 4)).astype(np.float32)
    both = np.stack([canvas_transform((0.1, 0.2)), canvas_transform(rotate=-70)])
    each = moved_input(style, both)
    for k in range(2):
        np.testing.assert_allclose(each[k : k + 1], moved_input(style[k : k + 1], both[k]), atol=1e-6)
    np.testing.assert_allclose(
        moved_input(moved_input(style, both[0]), both[1]), moved_input(style, both[0] @ both[1]), atol=1e-5
    )
    still = moved_input(style, np.eye(3))
    np.testing.assert_allclose(still, style / np.linalg.norm(style[:, :2], axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("matrix", [np.diag([2, 2, 1]), np.diag([-1, 1, 1]), np.diag([1, 0.5, 1])])
def test_a_transform_that_does_more_is_refused(matrix):
    with pytest.raises(ValueError, match="a rotation and a translation"):
        moved_input(np.ones([1, 4]), matrix)


def test_a_quarter_turn_of_a_mask_and_of_a_translation():
    mask = np.random.RandomState(3).uniform(size=(1, 8, 8)).astype(np.float32)
    np.testing.assert_allclose(moved_masks(mask, Canvas(rotate=90))[0], np.rot90(mask[0]), atol=1e-5)
    np.testing.assert_allclose(moved_masks(mask, Canvas((0.25, 0)))[0][:, 2:], mask[0][:, :-2], atol=1e-5)


@pytest.mark.parametrize("values", [((np.nan, 0), 0), ((0, 0), np.inf), ((0,), 0), ("ab", 0), ((0, 0), "x")])
def test_a_canvas_is_finite_numbers(values):
    with pytest.raises(UserError) as error:
        Canvas(*values)
    assert "\n" not in str(error.value)


# ---- the editor


def test_an_editor_draws_its_faces_on_the_canvas(bundle):
    editor, still = Editor(bundle, canvas=MOVED), Editor(bundle)
    face = editor.sample(seed=3)
    s = still.styles(face).numpy()
    wanted = drawn(bundle.generator, s, MOVED.matrix())
    np.testing.assert_allclose(editor.synthesize(face), wanted, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_array_equal(editor.render(s), still.render(face))  # styles stay where they are
    np.testing.assert_allclose(editor.styles(face).numpy(), still.moved(face, MOVED), atol=1e-6)
    assert tuple(editor.mean_w_plus().shape) == (1, LAYERS, STYLE_DIM)


def test_edits_happen_on_the_canvas(bundle):
    editor, still = Editor(bundle, canvas=MOVED), Editor(bundle)
    face = editor.sample(seed=3)
    edited = still.apply(face, HAPPY).numpy()
    wanted = still.render(move_canvas(bundle.generator, edited, MOVED))[0]
    before, after = editor.edit(face, HAPPY)
    session = Session(editor, face)
    session.accept(HAPPY)
    for picture in (after, session.picture(), editor.render(editor.apply(face, HAPPY))[0]):
        np.testing.assert_allclose(picture.astype(int), wanted.astype(int), atol=1)
    np.testing.assert_array_equal(before, editor.render(face)[0])
    assert (before != still.render(face)[0]).any()


def test_a_network_of_translations_is_turned_a_little_and_warned_of_more(recwarn):
    generator = tiny_stylegan3("T")
    check_can_move(generator, 30, -30, 350)
    check_can_move(tiny_stylegan3("R"), 90)
    assert not recwarn
    with pytest.warns(UserWarning, match="configuration T, which follows turns up to about 30 degrees"):
        check_can_move(generator, 10, -40)


def test_other_families_refuse(tmp_path):
    with pytest.raises(UserError, match="'stylegan2' generator cannot be moved or turned") as error:
        move_canvas(tiny_generator(), np.zeros([1, 4]), MOVED)
    assert "\n" not in str(error.value)
