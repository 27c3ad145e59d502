# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Editor and Session against the formula s + alpha * ds, and what they refuse."""

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from tiny_world import tiny_parts

from ppstyleclip.editor import Edit, Editor, Session
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import style_direction
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.recipes import Recipe
from ppstyleclip.regions import RegionEdit
from ppstyleclip.text import text_direction

NO_EDIT = r'an edit such as Edit\("face", "happy face"\) is needed, got .happy face.'
HAPPY, SAD = Edit("face", "happy face"), Edit("face", "sad face")


@pytest.fixture(scope="module")
def bundle():
    generator, layout, stats, relevance, clip = tiny_parts()
    defaults = SimpleNamespace(
        alpha=3.0, beta=0.1, unit="style", templates="plain", pull=0.0, truncation=0.7, within=0.0
    )
    return SimpleNamespace(
        name="tiny",
        fingerprints={},
        generator=generator,
        layout=layout,
        stats=stats,
        relevance=relevance,
        strength=None,
        clip=clip,
        defaults=defaults,
    )


@pytest.fixture(scope="module")
def editor(bundle):
    return Editor(bundle)


@pytest.fixture(scope="module")
def face(editor):
    return editor.sample(7)


# ---- faces


def test_another_limit_moves_edits_and_nothing_else(tiny_editor):
    editor = tiny_editor
    face, strong = editor.sample(3), Edit("face", "happy face", alpha=9)
    near = editor.limited(0.5)
    assert editor.limited(editor.bundle.defaults.within) is editor and near.sampled is editor.sampled
    np.testing.assert_array_equal(near.render(face), editor.render(face))
    s = editor.styles(face).numpy()
    mean, std = editor.stats.mean, editor.stats.std
    far = np.maximum(np.abs(s - mean), np.float32(0.5) * std) + 1e-4
    assert (np.abs(near.apply(face, strong).numpy() - mean) <= far).all()
    assert not (np.abs(editor.apply(face, strong).numpy() - mean) <= far).all()
    with pytest.raises(UserError, match="within must be"):
        editor.limited(-1)


def test_a_seed_is_one_face_whatever_is_drawn_beside_it(editor):
    alone, beside = editor.sample(5).numpy(), editor.sample([3, 5]).numpy()
    assert beside.shape == (2, 6, 12)
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-6)
    assert np.abs(beside[0] - alone[0]).max() > 0.1


def test_sample_is_z_of_numpys_seed_truncated_over_all_layers(editor, bundle):
    z = np.random.RandomState(5).standard_normal([1, 12]).astype(np.float32)
    mean, w = bundle.generator.mean_latent().numpy(), bundle.generator.get_latent(paddle.to_tensor(z)).numpy()
    expected = mean + 0.7 * (w - mean)
    np.testing.assert_allclose(editor.sample(5).numpy(), np.tile(expected[:, None], [1, 6, 1]), atol=1e-5)
    np.testing.assert_allclose(editor.sample(5, truncation=1.0).numpy()[:, 0], w, atol=1e-5)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(editor, seed):
    with pytest.raises(UserError, match="seed must be"):
        editor.sample(seed)


def test_styles_takes_w_plus_or_styles_as_tensor_or_array(editor, bundle, face):
    s = editor.styles(face)
    assert s.shape == [1, bundle.layout.size]
    np.testing.assert_array_equal(editor.styles(face.numpy()).numpy(), s.numpy())
    np.testing.assert_array_equal(editor.styles(s).numpy(), s.numpy())


@pytest.mark.parametrize("shape", [[1, 18, 512], [1, 6, 13], [1, 5, 12], [6, 12], [12], [1, 1, 6, 12]])
def test_a_latent_of_another_generator_is_refused(editor, shape):
    with pytest.raises(UserError, match=r"takes \[N, 6, 12\].*this generator"):
        editor.styles(np.zeros(shape, np.float32))


def test_a_latent_that_is_not_finite_is_refused(editor, face):
    with pytest.raises(UserError, match="not finite"):
        editor.styles(face.numpy() * np.nan)


# ---- edits


def test_apply_is_the_formula(editor, bundle):
    faces = editor.sample([1, 2])
    dt = text_direction(bundle.clip, "face", "happy face", templates="plain")
    ds = style_direction(bundle.relevance, dt, bundle.layout, bundle.stats, beta=0.1, unit="style").ds
    s = editor.styles(faces).numpy()
    expected = [s[0] - ds, s[0], s[0] + 2 * ds, s[1] - ds, s[1], s[1] + 2 * ds]
    np.testing.assert_allclose(editor.apply(faces, HAPPY, [-1, 0, 2]).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(editor.apply(faces, HAPPY).numpy(), s + 3 * ds, atol=1e-5)


def test_edits_keep_channels_near_their_mean(bundle):
    """However an edit is drawn, and however many there are; what lay beyond before stays where it was."""
    defaults = SimpleNamespace(**{**vars(bundle.defaults), "within": 1.5})
    editor = Editor(SimpleNamespace(**{**vars(bundle), "defaults": defaults}))
    faces = editor.sample([1, 2], truncation=1.0)
    s, ds = editor.styles(faces).numpy(), Editor(bundle).direction(HAPPY).ds
    low, high = (bundle.stats.mean + sign * 1.5 * bundle.stats.std for sign in (-1, 1))
    for alpha in (0, 3, 40):
        expected = np.clip(s + np.float32(alpha) * ds, np.minimum(low, s), np.maximum(high, s))
        found = editor.apply(faces, HAPPY, [alpha]).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert (np.abs(found - (s + np.float32(alpha) * ds)).max() > 1e-3) == (alpha > 0)
    strong = replace(HAPPY, alpha=40)
    whole = editor.synthesize(editor.apply(faces, strong))
    np.testing.assert_allclose(editor.synthesize_edits(faces, [strong]), whole, atol=1e-5)
    mask = np.ones([1, *whole.shape[2:]], np.float32)
    in_region = editor.synthesize_edits(faces, [RegionEdit(editor.step(strong), mask)])
    np.testing.assert_allclose(in_region, whole, atol=1e-4)
    free = editor.synthesize_edits(faces, [RegionEdit(editor.step(strong), None, is_kept=False)])
    np.testing.assert_allclose(free, editor.synthesize(s + editor.step(strong)), atol=1e-5)
    session = Session(editor, faces[:1])
    for edit in (strong, SAD, strong):
        session.accept(edit)
    steps = sum(editor.step(edit) for edit in (strong, SAD, strong))
    expected = np.clip(s[:1] + steps, np.minimum(low, s[:1]), np.maximum(high, s[:1]))
    np.testing.assert_allclose(session.s.numpy(), expected, atol=1e-4)


def test_what_an_edit_names_wins_over_the_bundle(editor):
    edit = editor.resolve(Edit("face", "happy face", beta=0.02, unit="sigma"))
    assert (edit.alpha, edit.beta, edit.unit, edit.templates) == (3.0, 0.02, "sigma", "plain")
    wide = editor.direction(Edit("face", "happy face", beta=0.02))
    assert wide.num_channels > editor.direction(HAPPY).num_channels


def test_a_direction_is_computed_once_per_edit_and_whatever_alpha(editor):
    assert editor.direction(Edit("face", "happy face", alpha=1)) is editor.direction(HAPPY)
    assert editor.direction(SAD) is not editor.direction(HAPPY)


def test_edit_draws_before_and_after(editor, face):
    before, after = editor.edit(face, HAPPY)
    assert before.shape == (16, 16, 3) and before.dtype == np.uint8
    assert np.abs(before.astype(int) - after).max() > 2
    np.testing.assert_array_equal(before, editor.render(face)[0])
    np.testing.assert_array_equal(editor.edit(face)[1], before)


def test_two_edits_add_up(editor, face):
    s = editor.styles(face).numpy()
    both = s + editor.step(HAPPY) + editor.step(SAD)
    np.testing.assert_array_equal(editor.edit(face, HAPPY, SAD)[1], editor.render(both)[0])


def test_pictures_repeat_and_do_not_depend_on_the_batch(editor, bundle):
    faces = editor.sample(range(40))
    together = editor.render(faces)
    np.testing.assert_array_equal(together, editor.render(faces))
    alone = np.concatenate([editor.render(faces[k : k + 1]) for k in (0, 31, 32, 39)])
    assert np.abs(together[[0, 31, 32, 39]].astype(int) - alone).max() <= 1
    s = bundle.layout.unflatten(editor.styles(faces[:1]))
    images = bundle.generator.synthesis_from_styles(s, noise="const")
    np.testing.assert_array_equal(to_pixels(images), alone[:1])


def test_latents_of_a_file_for_this_generator(editor):
    layers, width = editor.bundle.generator.n_latent, editor.bundle.generator.style_dim
    w_plus = np.random.RandomState(0).randn(3, layers, width).astype(np.float32)
    assert editor.take_latents(w_plus) is w_plus
    repeated = editor.take_latents(w_plus[:, :1])
    assert repeated.shape == w_plus.shape and (repeated == w_plus[:, :1]).all()
    for other in (w_plus[..., :-1], w_plus[:, :2], np.full_like(w_plus, np.nan)):
        with pytest.raises(UserError):
            editor.take_latents(other)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e308])
def test_strengths_that_are_no_numbers(editor, face, bad):
    for edit in (Edit("face", "happy face", alpha=bad), Edit("face", "happy face", beta=bad)):
        with pytest.raises(UserError, match="alpha|beta"):
            editor.apply(face, edit)
    with pytest.raises(UserError, match="alpha"):
        editor.apply(face, HAPPY, alphas=[1.0, bad])
    with pytest.raises(UserError, match="truncation"):
        editor.sample(1, truncation=bad)


def test_words_that_clip_never_saw_are_named_in_a_warning(editor):
    odd = Edit("face", "zorp face with moustache")
    with pytest.warns(UserWarning, match=r"CLIP of 'portrait' never saw 'zorp', 'moustache'"):
        editor.direction(odd)
    assert editor.unknown_words(odd) == ["zorp", "moustache"]
    assert editor.unknown_words(HAPPY) == []


@pytest.mark.parametrize(
    "edit, words",
    [
        (Edit("face", ""), "non-empty"),
        (Edit(" ", "happy face"), "non-empty"),
        (Edit("face", "face"), "say the same"),
        (Edit("face", "happy face " * 50), "at most 75"),
        (Edit("face", "happy face", beta=2.0), r"largest usable beta is 0\.\d"),
        (Edit("face", "happy face", templates="french"), "known: paddlegan"),
        (Edit("face", "happy face", unit="metres"), "known: style, sigma"),
    ],
)
def test_edits_that_cannot_be_are_refused(editor, face, edit, words):
    with pytest.raises(UserError, match=words):
        editor.edit(face, edit)


def test_words_that_the_clip_never_saw_are_the_fault_where_nothing_answers(editor, face, monkeypatch):
    monkeypatch.setattr(editor.bundle.clip, "unknown_words", lambda text: ["hapy"], raising=False)
    with pytest.raises(UserError, match="never saw 'hapy'.* nothing reaches beta 2; use other words"):
        with pytest.warns(UserWarning, match="never saw"):
            editor.edit(face, Edit("face", "hapy face", beta=2.0))


def test_texts_that_next_to_nothing_answers_are_warned_of(editor, face):
    edit = Edit("face", "sad face")
    largest = editor.direction(edit).max_relevance
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", "hardly anything")
        assert editor.direction(replace(edit, beta=0.3 * largest)).num_channels > 3
    usual = SimpleNamespace(**{**vars(editor.bundle.defaults), "beta": 0.999 * largest})
    strict = Editor(SimpleNamespace(**{**vars(editor.bundle), "defaults": usual}))
    with pytest.warns(UserWarning, match="hardly anything answers 'face -> sad face': 1 style channel, at "):
        assert strict.direction(edit).num_channels == 1


# ---- session


def test_a_session_previews_accepts_undoes_and_resets(editor, face):
    session = Session(editor, face)
    start = session.picture()
    np.testing.assert_array_equal(session.preview(HAPPY), editor.edit(face, HAPPY)[1])
    np.testing.assert_array_equal(session.picture(), start)
    session.accept(HAPPY)
    session.accept(SAD)
    assert session.history == (HAPPY, SAD)
    np.testing.assert_array_equal(session.picture(), editor.edit(face, HAPPY, SAD)[1])
    np.testing.assert_array_equal(session.preview(HAPPY), editor.edit(face, HAPPY, SAD, HAPPY)[1])
    assert session.undo() is SAD
    np.testing.assert_array_equal(session.picture(), editor.edit(face, HAPPY)[1])
    session.reset()
    assert session.history == ()
    np.testing.assert_array_equal(session.s.numpy(), editor.styles(face).numpy())


def test_a_session_starts_from_styles_too(editor, face):
    session = Session(editor, editor.apply(face, HAPPY))
    np.testing.assert_array_equal(session.picture(), editor.edit(face, HAPPY)[1])


def test_a_session_keeps_no_edit_that_fails_and_has_nothing_to_undo(editor, face):
    session = Session(editor, face)
    with pytest.raises(UserError, match="largest usable"):
        session.accept(Edit("face", "happy face", beta=2.0))
    assert session.history == ()
    with pytest.raises(UserError, match="no edit to undo"):
        session.undo()
    with pytest.raises(UserError, match="edits one face, got 2"):
        Session(editor, editor.sample([1, 2]))


@pytest.mark.parametrize(
    "name", ["apply", "edit", "fixed", "synthesize_edits", "region_masks", "region_edit", "solve"]
)
def test_bare_words_are_no_edit(bundle, name):
    editor = Editor(bundle)
    face = editor.sample(seed=1)
    edits = ["happy face"] if name == "synthesize_edits" else "happy face"
    with pytest.raises(UserError, match=NO_EDIT):
        made = getattr(editor, name)(face, edits)
        list(made)


@pytest.mark.parametrize("name", ["resolve", "direction", "step", "text_direction", "unknown_words"])
def test_words_alone_are_no_edit(bundle, name):
    with pytest.raises(UserError, match=NO_EDIT):
        getattr(Editor(bundle), name)("happy face")


def test_a_seed_is_no_face(bundle):
    editor = Editor(bundle)
    for call in (editor.edit, editor.apply, lambda face, _: Session(editor, face)):
        with pytest.raises(UserError, match=r"are arrays, such as editor.sample\(seed=58\) gives, got 58"):
            call(58, HAPPY)


def test_bare_words_are_no_recipe():
    with pytest.raises(UserError, match=NO_EDIT):
        Recipe(("happy face",))
