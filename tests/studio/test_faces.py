# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces of photos and of links, on the embedded world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="FastAPI, of the extra 'studio', is not installed")

from ppstyleclip.align import faces_of_landmarks  # noqa: E402
from ppstyleclip.editor import Editor  # noqa: E402
from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.pipelines.records import result_of  # noqa: E402
from ppstyleclip.studio import links  # noqa: E402
from ppstyleclip.studio.drawing import Drawing  # noqa: E402
from ppstyleclip.studio.faces import FaceSource, FoundFaces  # noqa: E402
from ppstyleclip.studio.session import Moment, Session, Step  # noqa: E402
from ppstyleclip.zoo.registry import PACK  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not list(PACK.glob("*.safetensors")), reason="the embedded pack is not there"),
]
HAPPY = Step("direction", "face", "happy face", 5.0, 0.1)


@pytest.fixture(scope="module")
def editor():
    return Editor.from_pretrained()


@pytest.fixture(scope="module")
def scene():
    from ppstyleclip.worlds.portrait.scenes import draw_scene

    return draw_scene(33, faces=2, width=640, height=360, sides=(150, 160))


@pytest.fixture(scope="module")
def found(scene):
    faces = sorted((face.landmarks for face in scene.faces), key=lambda points: points[:, 0].mean())
    return FoundFaces(scene.pixels, faces_of_landmarks(faces), 0, False)


def session_of(face, *steps):
    return Session(Moment(face, steps))


def test_a_face_goes_back_into_its_photo_and_leaves_the_rest_alone(editor, found):
    face, drawing = result_of(FaceSource(editor).take(found, 1)), Drawing(editor, None)
    assert face.kind == "photo" and face.place.poor is False
    assert np.array_equal(drawing.photo(session_of(face)), found.photo), "no edit, no change"
    edited = drawing.photo(session_of(face, HAPPY))
    changed = (edited != found.photo).any(axis=2)
    assert 0.001 < changed.mean() < 0.5 and not changed[:, :200].any(), "the other face is as it was"
    mouth = drawing.photo(session_of(face, replace(HAPPY, region="mouth")))
    assert 0 < (mouth != found.photo).any(axis=2).sum() < changed.sum() / 4


def test_boxes_are_shares_of_the_photo(found):
    for left, top, right, bottom in found.boxes:
        assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def test_there_is_no_face_beyond_the_last(editor, found):
    with pytest.raises(UserError, match="no such face"):
        result_of(FaceSource(editor).take(found, 2))


def test_a_portrait_in_a_likeness_comes_back_from_its_link(editor, found):
    source, drawing = FaceSource(editor), Drawing(editor, None)
    face = result_of(source.take(replace(found, is_likeness=True), 0))
    assert face.kind == "likeness" and face.z is not None and face.place is None
    session = session_of(face, replace(HAPPY, region="mouth"))
    generator = editor.bundle.fingerprints["generator"]
    note = links.from_link(links.to_link(links.note_of(session, editor.bundle.name, generator)))
    back = session_of(source.of_note(note), *map(links.step_of, note.steps))
    assert np.array_equal(back.face.w_plus, face.w_plus)
    assert np.array_equal(drawing.draw(back).after, drawing.draw(session).after)
    with pytest.raises(UserError, match="not taken out of a photo"):
        drawing.photo(session)


def test_a_latent_comes_back_from_its_link_without_its_photo(editor, found):
    source = FaceSource(editor)
    face = result_of(source.take(found, 0))
    note = links.from_link(links.to_link(links.note_of(session_of(face), editor.bundle.name, "")))
    back = source.of_note(note)
    assert back.kind == "latent" and back.place is None and np.array_equal(back.w_plus, face.w_plus)
    for wrong in (replace(note, w_plus=note.w_plus[:16]), replace(note, generator="another")):
        with pytest.raises(UserError, match="does not fit|other weights"):
            source.of_note(wrong)
