# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every pipeline called with arrays alone, as a server calls it: nothing may be opened for writing."""

import builtins
import io
import os
import weakref

import numpy as np
import pytest
from edges import slow
from photo_world import SCENE, SIZE, crops
from tiny_encoder import LEVELS
from tiny_world import STYLE_DIM, live_in

from ppstyleclip import engine
from ppstyleclip.align import FaceFinder, align_face, faces_of_landmarks
from ppstyleclip.editor import Edit, Editor, ResolvedEdit
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig, fitting
from ppstyleclip.pipelines import faces, frames, photo
from ppstyleclip.pipelines.editing import edit_face, move_face
from ppstyleclip.pipelines.faces import cut_faces, whole_face
from ppstyleclip.pipelines.fitting import fit_config, fit_face
from ppstyleclip.pipelines.frame_passes import draw_frames, find_frame_latents, smooth_frame_latents
from ppstyleclip.pipelines.frames import FramesConfig, edit_frames, find_frame_faces
from ppstyleclip.pipelines.interpolation import interpolate_faces
from ppstyleclip.pipelines.inversion import encode_face, find_latents, invert_faces
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.photo_steps import change_photo
from ppstyleclip.pipelines.quality import load_measures
from ppstyleclip.pipelines.records import Record, result_of
from ppstyleclip.pipelines.sampling import SheetConfig, mix_faces, sample_sheets
from ppstyleclip.progress import last
from ppstyleclip.zoo import load_crop, load_pack
from ppstyleclip.zoo.registry import PACK

HAPPY = Edit("face", "happy face")
FACES = faces_of_landmarks([face.landmarks for face in SCENE.faces])
SHORT, ENCODED = FittingConfig(steps=2), FittingConfig(steps=0)
ALL = PhotoConfig("all", SHORT)


@pytest.fixture(scope="module")
def compiled_editor(encoder_pack, tmp_path_factory):
    """An editor that has read its files, and whose programs are compiled."""
    with pytest.MonkeyPatch.context() as patch:
        live_in(encoder_pack, patch, tmp_path_factory.mktemp("compiled"))
        editor = Editor(load_pack(encoder_pack))
        last(find_latents(editor, crops(), SHORT))  # a compiled loss is kept on disk
        _ = editor.bundle.clip, editor.bundle.relevance, editor.bundle.stats
    return editor


@pytest.fixture
def editor(compiled_editor, encoder_pack, monkeypatch, tmp_path):
    """The compiled editor; from here on whatever is opened for writing fails."""
    live_in(encoder_pack, monkeypatch, tmp_path)
    refuse_writing(monkeypatch)
    return compiled_editor


def refuse_writing(monkeypatch):
    opened, opened_low = builtins.open, os.open

    def only_to_read(file, mode="r", *args, **options):
        if set(mode) & set("wax+"):
            raise AssertionError(f"{file} was opened for writing")
        return opened(file, mode, *args, **options)

    def only_to_read_low(path, flags, *args, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise AssertionError(f"{path} was opened for writing")
        return opened_low(path, flags, *args, **options)

    def refuse(*args, **options):
        raise AssertionError(f"a folder or a file was made: {args}")

    monkeypatch.setattr(builtins, "open", only_to_read)
    monkeypatch.setattr(io, "open", only_to_read)
    monkeypatch.setattr(os, "open", only_to_read_low)
    for name in ("mkdir", "makedirs", "rename", "replace"):
        monkeypatch.setattr(os, name, refuse)


def progress_of(records):
    """All records; `done` rises to `total`, and only the last has a result."""
    records = list(records)
    counts = [record.done for record in records]
    assert counts == sorted(counts) and counts[-1] == records[-1].total
    assert [record.result is not None for record in records] == [False] * (len(records) - 1) + [True]
    return records


def test_what_opens_a_file_for_writing_fails_here(editor, tmp_path):
    with pytest.raises(AssertionError, match="opened for writing"):
        (tmp_path / "file").write_text("text")


# ---- faces without a photo


def test_a_face_by_text(editor):
    face = editor.sample(5)
    *_, record = progress_of(edit_face(editor, face, HAPPY, [-1, 0, 2]))
    made = record.result
    assert made.pictures.shape == (3, SIZE, SIZE, 3) and made.alphas == [-1, 0, 2]
    np.testing.assert_array_equal(made.pictures[1], made.before)
    np.testing.assert_array_equal(made.after, editor.edit(face, Edit("face", "happy face", alpha=2))[1])
    assert made.edit == editor.resolve(Edit("face", "happy face", alpha=2.0))
    assert made.direction.num_channels > 0
    widths = list(editor.bundle.layout.channels)
    assert [list(style.shape) for style in made.styles] == [[1, width] for width in widths]


def test_without_strengths_a_face_is_edited_by_the_edits_own(editor):
    made = result_of(edit_face(editor, editor.sample(5), HAPPY))
    assert made.alphas == [3.0] and isinstance(made.edit, ResolvedEdit)
    np.testing.assert_array_equal(made.after, editor.edit(editor.sample(5), HAPPY)[1])


def test_a_face_along_a_direction(editor):
    face, step = editor.sample(5).numpy(), np.full([LEVELS, STYLE_DIM], 0.5, np.float32)
    *_, record = progress_of(move_face(editor, face, step, [0, 2]))
    np.testing.assert_allclose(record.result.w_plus, np.concatenate([face, face + 2 * step]), atol=1e-6)
    np.testing.assert_array_equal(record.result.pictures[0], record.result.before)


def test_sheets_mixtures_and_ways(editor):
    *_, record = progress_of(sample_sheets(editor, SheetConfig(2, 3, seed=1)))
    sheets = record.result
    assert sheets.pictures.shape == (6, SIZE, SIZE, 3) and [len(cells) for cells in sheets.mixtures] == [
        12,
        12,
    ]
    first, second = sheets.w_plus[:1], sheets.w_plus[1:2]
    np.testing.assert_allclose(
        mix_faces(editor, first, second, weights=0.25).w_plus, 0.25 * first + 0.75 * second, atol=1e-6
    )
    np.testing.assert_array_equal(mix_faces(editor, first, second, level=2).w_plus[:, :2], first[:, :2])
    records = progress_of(interpolate_faces(editor, sheets.w_plus[:3], 9))
    assert records[-1].result.shape == (19, SIZE, SIZE, 3) and len(records) == 3


# ---- photos


def test_a_photo_with_landmarks_of_its_faces(editor):
    records = progress_of(edit_photo(editor, SCENE.pixels, HAPPY, ALL, faces=FACES))
    assert [record.stage for record in records] == ["faces", *["latents"] * 3, *["pictures"] * 3]
    made = records[-1].result
    assert made.pixels.shape == SCENE.pixels.shape and (made.pixels != SCENE.pixels).any()
    assert made.original is SCENE.pixels and made.edit == editor.resolve(HAPPY)
    np.testing.assert_array_equal([face.crop for face in made.faces], crops())
    assert made.before.shape == made.after.shape == (3, SIZE, SIZE, 3)
    assert made.inversion.w_plus.shape == (3, LEVELS, STYLE_DIM) and made.inversion.seconds > 0
    assert len(made.inversion.stages) == 2 and made.inversion.stages[-1].poor.shape == (3,)
    assert made.quality_after.psnr.shape == (3,) and made.inversion.editors == [editor] * 3


def test_a_photo_whose_faces_a_finder_finds(editor, monkeypatch):
    monkeypatch.setattr(faces, "find_chosen_faces", lambda finder, pixels, which, name: FACES[:1])
    made = result_of(edit_photo(editor, SCENE.pixels, HAPPY, ALL, finder=FaceFinder(None, None)))
    np.testing.assert_array_equal(made.faces[0].crop, crops()[0])


def test_every_method_cuts_faces_as_the_model_s_own_crop_is(editor):
    weights = load_crop(PACK / "crop.safetensors")
    bundle = editor.bundle.with_parts(crop=weights)
    expected = [align_face(SCENE.pixels, face.landmarks, SIZE, weights)[0] for face in FACES]
    own = Editor(bundle)
    edited = result_of(edit_photo(own, SCENE.pixels, HAPPY, ALL, faces=FACES))
    stays = lambda editor, w_plus, masks: iter([Record(1, 1, "change", w_plus)])  # noqa: E731
    changed = result_of(change_photo(own, SCENE.pixels, stays, ALL, faces=FACES))
    for made in (edited, changed):
        np.testing.assert_array_equal([face.crop for face in made.faces], expected)
    assert (np.stack(expected) != crops()).any()


def test_a_photo_with_a_generator_tuned_to_each_face(editor):
    config = PhotoConfig("all", SHORT, TuningConfig(steps=2))
    *_, record = progress_of(edit_photo(editor, SCENE.pixels, HAPPY, config, faces=FACES[:2]))
    tuned = [one.bundle.generator for one in record.result.inversion.editors]
    assert len({id(one) for one in (*tuned, editor.bundle.generator)}) == 3
    assert len(record.result.inversion.stages) == 3


def test_bad_words_are_refused_before_anything_else(editor):
    with pytest.raises(UserError, match="say the same"):
        next(edit_photo(editor, SCENE.pixels, Edit("face", "face"), ALL, faces=FACES))


def test_closing_a_photos_records_ends_the_work(editor, monkeypatch):
    drawn = []
    monkeypatch.setattr(photo, "paste_parts", lambda *args, **options: drawn.append(args))
    records = edit_photo(editor, SCENE.pixels, HAPPY, ALL, faces=FACES)
    next(records)
    records.close()
    assert list(records) == [] and not drawn


def test_inversion_of_crops(editor):
    measures = load_measures(editor.bundle)
    found = progress_of(invert_faces(editor, crops(), measures, SHORT))[-1].result
    assert len(found.stages) == 2
    face = encode_face(editor, crops()[0], measures)
    np.testing.assert_array_equal(face.drawn, editor.render(face.w_plus[None])[0])
    config = fit_config("paddlegan", steps=2, levels=[0])
    *_, record = progress_of(fit_face(editor, crops()[0], config, measures))
    moved = record.result.w_plus - editor.invert(crops()[:1])[0]
    assert moved[0].any() and not moved[1:].any() and len(record.result.stages) == 2


def test_a_given_start_is_the_first_that_is_found(editor):
    start = np.full([3, LEVELS, STYLE_DIM], 0.5, np.float32)
    found = list(find_latents(editor, crops(), SHORT, start=start))
    assert [(record.done, record.total) for record in found] == [(1, 3), (2, 3), (3, 3)]
    np.testing.assert_array_equal(found[0].w_plus, start)
    first = np.abs(found[1].w_plus - start).max()
    assert first == pytest.approx(SHORT.start_rate, rel=1e-3)  # Adam's first step


def test_cutting_and_whole_pictures(editor):
    cut = cut_faces(SCENE.pixels, FACES, SIZE)
    np.testing.assert_array_equal([face.crop for face in cut], crops())
    assert whole_face(crops()[0], SIZE).alignment is None
    with pytest.raises(UserError, match="the picture is 320x240; an aligned face is a square"):
        whole_face(SCENE.pixels, SIZE)


# ---- frames


@pytest.fixture
def find(monkeypatch):
    """Faces in all frames but those that are black."""
    monkeypatch.setattr(frames, "find_faces_if_any", lambda _, pixels, which: FACES if pixels.any() else [])


BLACK = np.zeros_like(SCENE.pixels)


def test_frames_come_and_go_one_by_one(editor, find):
    asked = []

    def source():
        for k, picture in enumerate([SCENE.pixels, BLACK, SCENE.pixels, SCENE.pixels, BLACK]):
            asked.append(k)
            yield picture

    config = FramesConfig("all", SHORT, together=3)
    records = edit_frames(editor, source(), HAPPY, config, finder=FaceFinder(None, None))
    done, seen = [], []
    for record in records:
        if record.pixels is not None:
            done.append(record)
            seen.append(len(asked))
    assert [record.done for record in done] == [1, 2, 3, 4, 5] and seen == [1, 2, 3, 4, 5]
    assert [record.num_faces for record in done] == [3, 0, 3, 3, 0]
    np.testing.assert_array_equal(done[1].pixels, BLACK)
    expected = result_of(edit_photo(editor, SCENE.pixels, HAPPY, ALL, faces=FACES)).pixels
    for record in (done[0], done[2], done[3]):
        assert np.abs(record.pixels.astype(int) - expected).max() <= 1  # drawn together, not one by one


@pytest.mark.parametrize("together, smooth", [(1, 0), slow((2, 1)), (4, 2), (16, 2)])
def test_faces_of_several_frames_are_fitted_together(editor, find, together, smooth):
    pictures = [SCENE.pixels, BLACK, SCENE.pixels, SCENE.pixels]
    config = FramesConfig("all", SHORT, smooth=smooth, together=together)
    records = list(edit_frames(editor, pictures, HAPPY, config, finder=FaceFinder(None, None)))
    done = [record for record in records if record.pixels is not None]
    assert [record.num_faces for record in done] == [3, 0, 3, 3]
    assert {record.total for record in records} == {4} and records[-1].done == 4
    assert {record.stage for record in records} == {"faces", "latents", "pictures"}
    assert all((record.pixels != SCENE.pixels).any() for record in (done[0], done[2], done[3]))


@pytest.mark.parametrize("passes", [1, 2])
def test_the_loss_of_all_frames_is_one_and_is_given_back_at_the_end(editor, find, monkeypatch, passes):
    made = []

    def compile_gradient(*args):
        run = engine.compile_gradient(*args)
        made.append(weakref.ref(run))
        return run

    monkeypatch.setattr(fitting, "compile_gradient", compile_gradient)
    pictures, config = [SCENE.pixels, BLACK, SCENE.pixels], FramesConfig("all", SHORT, together=2)
    if passes == 1:
        records = edit_frames(editor, pictures, HAPPY, config, finder=FaceFinder(None, None))
    else:
        records = find_frame_latents(editor, pictures, [FACES, [], FACES], config)
    held = [sum(run() is not None for run in made) for _ in records]
    assert len(made) == max(held) == 1 and made[0]() is None


RADII = [(0, SHORT), slow((1, SHORT)), slow((2, SHORT)), (2, ENCODED)]


@pytest.mark.parametrize("smooth, fitting", RADII)
def test_two_ways_through_the_frames_give_what_one_way_gives(editor, find, smooth, fitting):
    pictures = [SCENE.pixels, BLACK, SCENE.pixels, np.roll(SCENE.pixels, 3, 1), SCENE.pixels]
    config, finder = FramesConfig("all", fitting, smooth=smooth, together=2), FaceFinder(None, None)
    once = list(edit_frames(editor, pictures, HAPPY, config, finder=finder))
    first = list(find_frame_faces(editor, iter(pictures), config, finder=finder))
    assert [record.done for record in first] == [1, 2, 3, 4, 5] and first[-1].total == 5
    assert [len(faces) for faces in first[-1].result] == [3, 0, 3, 3, 3]
    twice = list(edit_frames(editor, iter(pictures), HAPPY, config, faces=first[-1].result))
    for one, other in zip(done_of(once), done_of(twice)):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert one.num_faces == other.num_faces
    assert len(done_of(once)) == len(done_of(twice)) == 5 and twice[-1].total == 5


@pytest.mark.parametrize("radius, fitting", RADII)
def test_three_passes_give_what_one_way_gives(editor, find, radius, fitting):
    pictures = [
        SCENE.pixels,
        np.roll(SCENE.pixels, 3, 1),
        BLACK,
        SCENE.pixels,
        SCENE.pixels // 2,
        SCENE.pixels,
    ]
    config = FramesConfig("all", fitting, smooth_latents=radius, together=3)
    once = done_of(edit_frames(editor, iter(pictures), HAPPY, config, finder=FaceFinder(None, None)))
    faces = last(find_frame_faces(editor, pictures, config, finder=FaceFinder(None, None))).result
    rows = list(find_frame_latents(editor, iter(pictures), faces, config))
    known = [row.found for row in rows if row.found is not None]
    assert [len(one.w_plus) for one in known] == [3, 3, 0, 3, 3, 3] and rows[-1].done == rows[-1].total == 6
    smoothed = list(smooth_frame_latents(known, radius))
    assert all(
        (one.w_plus != own.w_plus).any() == (radius > 0) for one, own in zip(smoothed[4:5], known[4:5])
    )
    drawn = list(draw_frames(editor, iter(pictures), smoothed, HAPPY, config, total=6))
    assert (
        [record.num_faces for record in once] == [record.num_faces for record in drawn] == [3, 3, 0, 3, 3, 3]
    )
    for one, other in zip(once, drawn):
        assert np.abs(one.pixels.astype(int) - other.pixels).max() <= 1  # fitted together with others
    later = list(draw_frames(editor, iter(pictures), smoothed, HAPPY, config, total=6, start=4))
    assert [record.done for record in later] == [5, 6]
    np.testing.assert_array_equal(later[0].pixels, drawn[4].pixels)


def done_of(records):
    return [record for record in records if record.pixels is not None]


def test_frames_that_wait_are_held_up_to_their_bytes(editor, find):
    asked = []

    def source():
        for k in range(6):
            asked.append(k)
            yield SCENE.pixels

    config = FramesConfig("all", SHORT, together=100, held_bytes=2 * SCENE.pixels.nbytes)
    records = edit_frames(editor, source(), HAPPY, config, finder=FaceFinder(None, None))
    seen = [len(asked) for record in records if record.pixels is not None]
    assert seen == [3, 3, 3, 6, 6, 6]


def test_frames_without_any_face_are_told_at_the_end(editor, find):
    records = edit_frames(editor, [BLACK, BLACK], HAPPY, finder=FaceFinder(None, None))
    with pytest.raises(UserError, match="none of the 2 pictures shows a face that 'tiny' knows"):
        list(records)
    with pytest.raises(UserError, match="none of the 1 picture shows a face"):
        list(find_frame_faces(editor, [BLACK], finder=FaceFinder(None, None)))


# ---- records


def test_work_that_ends_without_a_result_is_a_mistake():
    with pytest.raises(ValueError, match="without a result"):
        result_of([Record(1, 1, "nothing")])


def test_a_photo_by_any_method_that_moves_latents(editor):
    steps = editor.step(HAPPY)

    def moved(own, w_plus, masks):
        yield Record(1, 2, "moving")
        yield Record(2, 2, "moving", own.styles(w_plus).numpy() + steps)

    measures = load_measures(editor.bundle)
    options = {"faces": FACES, "measures": measures}
    made = progress_of(change_photo(editor, SCENE.pixels, moved, ALL, change_steps=2, **options))[-1].result
    same = result_of(edit_photo(editor, SCENE.pixels, HAPPY, ALL, **options))
    assert np.abs(made.pixels.astype(int) - same.pixels).max() <= 1
    np.testing.assert_array_equal(made.before, same.before)
    assert len(made.faces) == len(made.after) == 3 and made.quality_after.psnr.shape == (3,)
