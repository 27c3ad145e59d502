# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Accept, undo, redo: a session goes from value to value."""

from __future__ import annotations

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.studio.session import MOST_PHOTOS, MOST_STEPS, Face, Moment, PhotoPlace, Session, Step

FACE = Face("seed", np.zeros([1, 2, 3], np.float32), 1)
SMILE, GLASSES = (Step("direction", "face", text, 5.0, 0.1) for text in ("happy face", "face with glasses"))


@pytest.fixture
def session():
    return Session(Moment(FACE))


def titles(session):
    return [one.title for one in session.steps]


def test_a_draft_is_shown_and_not_kept(session):
    tried = session.try_out(SMILE)
    assert titles(tried) == ["happy face"] and tried.now.steps == ()
    assert titles(tried.try_out(GLASSES)) == ["face with glasses"]
    assert session.steps == (), "a session never changes"


def test_accepted_edits_add_up_and_undo_and_redo_lead_back_and_forth(session):
    both = session.try_out(SMILE).accept().try_out(GLASSES).accept()
    assert titles(both) == ["happy face", "face with glasses"] and both.draft is None
    one = both.undo()
    assert titles(one) == ["happy face"] and titles(one.undo()) == []
    assert titles(one.redo()) == titles(both)
    with pytest.raises(UserError, match="nothing to redo"):
        both.redo()


def test_undo_drops_a_draft_before_it_goes_back(session):
    tried = session.try_out(SMILE).accept().try_out(GLASSES)
    assert titles(tried.undo()) == ["happy face"]
    assert titles(tried.undo().undo()) == []
    with pytest.raises(UserError, match="nothing to undo"):
        session.undo()


def test_what_is_done_after_undo_takes_the_place_of_what_was_undone(session):
    other = session.try_out(SMILE).accept().undo().try_out(GLASSES).accept()
    assert titles(other) == ["face with glasses"] and other.future == ()


def test_an_edit_of_the_list_goes_and_the_draft_stays(session):
    left = session.try_out(SMILE).accept().try_out(GLASSES).remove(0)
    assert titles(left) == ["face with glasses"] and left.draft is GLASSES
    assert titles(left.undo().undo()) == ["happy face"]
    with pytest.raises(UserError, match="no such edit"):
        left.remove(0)


def test_another_face_begins_without_edits_and_undo_brings_the_old_one(session):
    other = Face("seed", np.ones([1, 2, 3], np.float32), 2)
    chosen = session.try_out(SMILE).accept().choose(other)
    assert chosen.face is other and chosen.steps == ()
    assert chosen.undo().face is FACE and titles(chosen.undo()) == ["happy face"]


def test_only_the_latest_photos_are_kept(session):
    for number in range(7):
        place = PhotoPlace(np.full([2, 2, 3], number, np.uint8), None)
        session = session.choose(Face("photo", np.full([1, 2, 3], number, np.float32), place=place))
        session = session.try_out(SMILE).accept()
    kept = [moment.face.place.photo[0, 0, 0] for moment in session.past if moment.face.place is not None]
    assert set(kept) == set(range(7 - MOST_PHOTOS, 7))
    while session.past:
        session = session.undo()
    assert session.face is FACE, "faces without their photos are still there"


def test_there_is_an_end_to_edits(session):
    for _ in range(MOST_STEPS):
        session = session.try_out(SMILE).accept()
    with pytest.raises(UserError, match=f"{MOST_STEPS} edits at most"):
        session.try_out(SMILE).accept()
    with pytest.raises(UserError, match="no edit to accept"):
        session.accept()
    assert session.reset().steps == () and len(session.reset().undo().steps) == MOST_STEPS
