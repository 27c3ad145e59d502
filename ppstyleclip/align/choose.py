# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which faces of a photo are meant, and what is said of those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppstyleclip.align.detect import SMALLEST
from ppstyleclip.align.faces import Face, FaceFinder, confident_places, find_faces
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.inputs import as_list

WORDS = ("best", "largest", "all")  # that choose faces; a number does too
SMALLER = 20  # side of faces that are too small to be edited, but worth a word
SMALLER_PIXELS = 500_000  # of a photo in which they are looked for: each megapixel takes a second
SMALLER_PIXELS_ONLY = 2_000_000  # of one in which no other face was found
LYING_SIDE, LYING_SMALLEST = 1280, 60  # longer side of the photo when faces that lie are looked for; theirs
MAX_NAMED = 9  # faces of which the place is said
_ADVICE = (
    "use a photo with a face seen from the front, upright, both eyes visible, "
    f"at least {SMALLEST} pixels wide"
)


class NoFace(UserError):
    """A photo has no face that could be found; known landmarks would do."""


@dataclass(frozen=True, eq=False)
class PhotoFaces:
    """What was found in a photo.

    Attributes:
        faces: all faces that are sure, from left to right.
        chosen: those that are meant, from left to right.
        smaller: how many faces were seen that are smaller than detect.SMALLEST pixels.
    """

    faces: list[Face]
    chosen: list[Face]
    smaller: int = 0

    def line(self, name: str) -> str:
        """Say in one line how many faces the photo of this name has, where, and which are chosen."""
        count = len(self.faces)
        places = [_place(number, face) for number, face in enumerate(self.faces[:MAX_NAMED], 1)]
        places += [f"and {count - MAX_NAMED} more"] * (count > MAX_NAMED)
        numbers = [str(self.faces.index(face) + 1) for face in self.chosen]
        chosen = "all" if len(numbers) == count > 1 else "face " + ", ".join(numbers)
        line = f"found {count} face{'s' * (count > 1)} in {name}: {', '.join(places)}; chosen: {chosen}"
        if self.smaller:
            are = "one more is" if self.smaller == 1 else f"{self.smaller} more are"
            line += f"; {are} too small to be edited"
        return line


def _place(number, face):
    left, top, right, bottom = face.box
    text = f"{number} at {(left + right) / 2:.0f},{(top + bottom) / 2:.0f} ({right - left:.0f} pixels"
    return text + (")" if face.confidence is None else f", confidence {face.confidence:.1f})")


def find_photo_faces(
    finder: FaceFinder,
    photo: np.ndarray,
    which: str | int = "best",
    *,
    name: str = "the photo",
    faces: list[Face] | None = None,
) -> PhotoFaces:
    """Find the faces of a photo and choose among them; say what else was seen.

    Args:
        finder: of load_face_finder.
        photo: `[H, W, 3]` uint8.
        which: as in choose_faces.
        name: of the photo, for messages.
        faces: what find_faces gave, where it was asked already.
    Returns:
        PhotoFaces.
    Raises:
        NoFace: there is none; the message says if one lies on its side or is too small.
        UserError: there is no face of that number.
    """
    check_choice(which)
    faces = find_faces(finder, photo) if faces is None else faces
    smaller = _count_smaller(finder, photo, faces)
    if not faces:
        raise NoFace(_without(finder, photo, smaller, name))
    return PhotoFaces(faces, choose_faces(faces, which), smaller)


def _count_smaller(finder, photo, faces) -> int:
    """How many further faces below SMALLEST pixels there are, where that is soon known; else 0."""
    if photo.shape[0] * photo.shape[1] > (SMALLER_PIXELS if faces else SMALLER_PIXELS_ONLY):
        return 0
    boxes = [one.box for one in confident_places(finder, photo, SMALLER)]
    return sum(box[2] - box[0] < SMALLEST and not any(_meets(box, one.box) for one in faces) for box in boxes)


def _meets(first, second) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _without(finder, photo, smaller, name) -> str:
    """Why no face was found in a photo."""
    turn = _lying(finder, photo)
    if turn:
        lies = {90: "lies on its side", 180: "is upside down", 270: "lies on its side"}[turn]
        way = {90: "to the right", 180: "by half a turn", 270: "to the left"}[turn]
        return f"no upright face was found in {name}, but one that {lies}; turn the photo {way} first"
    if smaller:
        count = "one that is" if smaller == 1 else f"{smaller} that are"
        return (
            f"no face of {SMALLEST} pixels was found in {name}, but {count} smaller; use a larger copy of it"
        )
    if finder.kind is not None:
        return (
            f"no face of the kind that '{finder.kind}' knows was found in {name}; for photographs of people "
            "name a model of theirs, such as ffhq-config-f"
        )
    return f"no face was found in {name}; {_ADVICE}"


def _lying(finder, photo) -> int:
    """By how many degrees a turn of the photo to the right makes a face of it upright; 0 if none does."""
    cv2, scale = import_cv2(), LYING_SIDE / max(photo.shape[:2])
    if scale < 1:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = [
        (places[0].confidence, 90 * quarters)
        for quarters in (1, 2, 3)
        if (places := confident_places(finder, np.rot90(photo, -quarters), LYING_SMALLEST))
    ]
    return max(found, default=(0, 0))[1]


def check_choice(which: object) -> None:
    """Refuse what names no face: neither a number nor one of WORDS.

    Raises:
        UserError: so it is.
    """
    if which in WORDS:
        return
    try:
        if isinstance(which, (bool, float)):
            raise TypeError
        int(which)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        known = ", ".join(f"'{word}'" for word in WORDS[:-1])
        raise UserError(f"face is a number, {known} or '{WORDS[-1]}', got '{which}'") from None


def choose_faces(faces: Sequence[Face], which: str | int = "best") -> list[Face]:
    """Choose among the faces of a photo.

    Args:
        faces: of find_faces or read_landmarks.
        which: a number, from 1 for the leftmost; "best", of the largest area times confidence; "largest"; or
            "all".
    Returns:
        the chosen faces, from left to right.
    Raises:
        NoFace: there are no faces.
        UserError: there is none of that number.
    """
    check_choice(which)
    faces = as_list(faces, "face", least=0)
    if not all(hasattr(face, "landmarks") for face in faces):
        raise UserError("faces are those of find_faces, or of faces_of_landmarks(landmarks), got others")
    if not faces:
        raise NoFace(f"no face was found; {_ADVICE}")
    if which == "all":
        return list(faces)
    if which in WORDS:
        return [max(faces, key=lambda face: face.weight if which == "best" else face.area)]
    number = int(which)
    if not 1 <= number <= len(faces):
        count = "only one face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise UserError(f"there is no face {number}: {count} found, numbered from 1 at the left")
    return [faces[number - 1]]
