# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photos that a command line names: how they are read, and what is said of their faces."""

from __future__ import annotations

import dataclasses
import os
import warnings
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np

from ppstyleclip.align import (
    Face,
    MissingDlib,
    NoFace,
    choose_faces,
    find_photo_faces,
    read_landmarks,
    read_photo,
)
from ppstyleclip.cli.arguments import refuse_idle
from ppstyleclip.cli.edit_arguments import photo_config
from ppstyleclip.cli.recipe_arguments import recipe_words, refuse_idle_network
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_folder
from ppstyleclip.pictures import SUFFIXES
from ppstyleclip.pipelines.faces import AlignedFace, cut_faces, load_finder, whole_face
from ppstyleclip.pipelines.likeness import LikenessEdit, are_drawn, edit_likeness, see_faces
from ppstyleclip.pipelines.photo import PhotoEdit, edit_photo
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures
from ppstyleclip.pipelines.recipes import Edits
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.video import VideoFile, open_video
from ppstyleclip.worlds.likenesses import ReadLikeness, likeness_world
from ppstyleclip.zoo import Bundle

VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")
MAX_FRAMES = 100_000  # of a video or a folder; a number that is a mistake is told before hours are spent
Tell = Callable[[str], None]
SMOOTH = 4  # frames on each side of a video over which landmarks are averaged
SMOOTH_LATENTS = 4  # the same of latents


@contextmanager
def landmarks_instead(way: str) -> Iterator[None]:
    """Add to what is said where no face can be found that known landmarks would do.

    Args:
        way: how this command or function takes them, such as "--landmarks".
    """
    try:
        yield
    except (NoFace, MissingDlib) as error:
        raise type(error)(f"{error}; or give the 68 landmarks by {way}") from None


def read_face(
    bundle: Bundle,
    path: str | Path,
    *,
    aligned: bool = False,
    which: str | int = "best",
    landmarks: str | Path | None = None,
    landmark_path: str | Path | None = None,
    tell: Tell | None = None,
) -> AlignedFace:
    """Read a photo and cut one face out of it, the first of those chosen.

    Args:
        bundle: of the model; its face models are used.
        path: the photo.
        aligned: it is a crop of a face already.
        which: as in align.choose_faces.
        landmarks: path of landmarks as JSON, in place of dlib.
        landmark_path: as in load_finder.
        tell: is called with a line on the faces that were found.
    Raises:
        UserError: no photo, no face, or a face that is too small.
        MissingFile, MissingExtra: what finds faces is not on this machine; names the cure.
    """
    photo, size = read_photo(path), bundle.generator.size
    if aligned:
        return whole_face(photo, size, name=str(path))
    if landmarks is not None:
        faces = choose_faces(read_landmarks(landmarks), which)
    else:
        faces = _found_faces(bundle, photo, which, landmark_path, str(path), tell)
    return cut_faces(photo, faces, size, bundle.crop)[0]


def _found_faces(bundle, photo, which, landmark_path, name, tell) -> list[Face]:
    """Find and choose faces, and tell of them."""
    found = find_photo_faces(load_finder(bundle, landmark_path), photo, which, name=name)
    if tell is not None:
        tell(found.line(name))
    return found.chosen


def has_frames(path: str | Path) -> bool:
    """Tell whether a path is a folder or a video rather than a photo."""
    return os.path.isdir(path) or Path(path).suffix.lower() in VIDEOS


def pictures_in(folder: str | Path) -> list[Path]:
    """List the pictures of a folder in the order of their names, known by how those end.

    Raises:
        MissingFile: there is no such folder.
        UserError: it may not be read, or holds no pictures, or more than MAX_FRAMES.
    """
    try:
        found = sorted(p for p in check_folder(folder).iterdir() if p.suffix.lower() in SUFFIXES)
    except PermissionError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; check its permissions") from None
    if not found or len(found) > MAX_FRAMES:
        held = f"{len(found):,}" if found else "no"
        raise UserError(f"the folder {folder} holds {held} pictures; 1 to {MAX_FRAMES:,} can be used at once")
    return found


@dataclass(frozen=True)
class PictureFolder:
    """The pictures of a folder, read one by one, and again each time it is gone through."""

    paths: Sequence[Path]

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(read_photo, self.paths)

    def names(self) -> list[str]:
        """What each result is called; see distinct_names."""
        return distinct_names(self.paths)


def open_frames(path: str | Path) -> VideoFile | PictureFolder:
    """Look at a folder of pictures or a video; nothing but its beginning is read yet.

    Raises:
        MissingFile: there is no such file.
        UserError: as pictures_in and open_video.
    """
    if os.path.isdir(path):
        return PictureFolder(pictures_in(path))
    return open_video(path, max_frames=MAX_FRAMES)


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Name the results of pictures after them: without the ending, or with it where two would be the same.

    Names that differ in capital letters only are the same on some systems, so they count as the same.
    """
    counts = Counter(path.stem.casefold() for path in paths)
    names = [path.stem if counts[path.stem.casefold()] == 1 else path.name for path in paths]
    if len({name.casefold() for name in names}) < len(names):
        names = [f"{number:05d}.{path.name}" for number, path in enumerate(paths, 1)]
    longer = [(path.name, name) for path, name in zip(paths, names) if name != path.stem]
    if longer:
        warnings.warn(
            f"{len(longer)} pictures share their names but for the ending, so their results keep it: "
            f"{longer[0][0]} becomes {longer[0][1]}.edited.png",
            stacklevel=2,
        )
    return names


def keep_sources(sources: Iterable[Path], results: Iterable[Path]) -> None:
    """Refuse to write results over the pictures that they are made of.

    Raises:
        UserError: a result has the path of a source.
    """
    kept = {path.resolve() for path in sources}
    for path in results:
        if path.resolve() in kept:
            raise UserError(f"the result {path} would overwrite its source; choose another --output_path")


def in_words(measures: Measures, *stages: Quality) -> list[str]:
    """Say for each face how the stages of its inversion compare, such as "PSNR 31.0 -> 44.7 dB, ..."."""
    return [_one_in_words(measures, stages, k) for k in range(len(stages[0].psnr))]


def _one_in_words(measures: Measures, stages: Sequence[Quality], k: int) -> str:
    def chain(name: str, form: str) -> str:
        return " -> ".join(format(getattr(stage, name)[k], form) for stage in stages)

    words = [f"PSNR {chain('psnr', '.1f')} dB"]
    if measures.distance.name == "lpips":
        words.append(f"LPIPS {chain('distance', '.3f')}")
    else:
        words.append(f"plain distance {chain('distance', '.4f')} (no LPIPS)")
    words.append(
        "identity not measured (no network; give --ir_se50_weights)"
        if measures.identity is None
        else f"identity {chain('identity', '.3f')}"
    )
    return ", ".join(words)


def warn_if_poor(name: str, quality: Quality) -> None:
    """Name the faces that a model draws so badly that their edit means little.

    Args:
        name: of the model.
        quality: of the faces.
    """
    for number, (value, is_poor) in enumerate(zip(quality.psnr, quality.poor), 1):
        if is_poor:
            which = f"face {number}" if len(quality.psnr) > 1 else "the face"
            warnings.warn(
                f"{which} is drawn badly ({value:.1f} dB): it may be no face, or none of the kind "
                f"that '{name}' knows; look at the result",
                stacklevel=2,
            )


@dataclass(frozen=True, eq=False)
class NamedPhoto:
    """A photo that was read, and its chosen faces.

    Attributes:
        path: of its file.
        pixels: `[H, W, 3]` uint8.
        faces: from left to right; None where nothing is looked for.
        numbers: of the chosen faces among all in the photo, 1 for the leftmost.
        are_people: the model draws portraits in their likeness; else it inverts them.
    """

    path: str | Path
    pixels: np.ndarray
    faces: list[Face] | None
    numbers: list[int]
    are_people: bool


def read_named_photo(editor: Editor, path: str | Path, args: Namespace, tell: Tell) -> NamedPhoto:
    """Read a photo and look for its faces as add_photo_arguments say; `tell` and errors as in read_face."""
    config, photo = photo_config(args), read_photo(path)
    if config.align == "none":
        return NamedPhoto(path, photo, None, [1], False)
    if args.landmarks is not None:
        every = read_landmarks(args.landmarks)
        chosen = choose_faces(every, config.face)
        are_people = likeness_world(editor.bundle) is not None and not are_drawn(editor, photo, chosen)
    else:
        with landmarks_instead("--landmarks"):
            seen = see_faces(editor, photo, config.face, landmark_path=args.landmark_path, name=str(path))
        tell(seen.found.line(str(path)))
        every, chosen, are_people = seen.found.faces, seen.found.chosen, seen.are_people
    if are_people:
        refuse_idle(
            args,
            ("encoder", "steps", "tune", "paste"),
            f"with people, of whom '{editor.bundle.name}' draws portraits",
        )
        refuse_idle_network(args, recipe_words(args))
    numbers = [every.index(face) + 1 for face in chosen]
    return NamedPhoto(path, photo, chosen, numbers, are_people)


def edit_named_photo(
    editor: Editor, photo: NamedPhoto, edit: Edits, args: Namespace
) -> tuple[PhotoEdit, Measures]:
    """Edit a photo, whose faces are no people, as add_photo_arguments say."""
    measures = load_measures(editor.bundle, args.ir_se50_weights)
    chosen = dataclasses.replace(photo_config(args), face="all")
    records = edit_photo(
        editor, photo.pixels, edit, chosen, faces=photo.faces, measures=measures, name=str(photo.path)
    )
    return result_of(records), measures


def edit_named_likeness(editor: Editor, photo: NamedPhoto, edit: Edits) -> LikenessEdit:
    """Draw the people of a photo as portraits and edit those."""
    return result_of(edit_likeness(editor, photo.pixels, edit, photo.faces or []))


def likeness_lines(made: LikenessEdit, numbers: Sequence[int]) -> list[str]:
    """Say for each portrait, whose face has this number in the photo, what was read off it, and what not."""
    return [f"face {number}: {_likeness_words(one)}" for number, one in zip(numbers, made.read)]


def _likeness_words(read: ReadLikeness) -> str:
    seen, rest = (", ".join(name.replace("_", " ") for name in names) for names in (read.read, read.filled))
    return f"a portrait in its likeness; read: {seen}; not read, so as it goes with that: {rest}"


def lines_of(made: PhotoEdit, measures: Measures, numbers: Sequence[int]) -> list[str]:
    """Say for each face, by its number in the photo, how well it was inverted, and in how many seconds."""
    lines, after = in_words(measures, *made.inversion.stages), made.quality_after
    if after.identity is not None:
        lines = [f"{line} ({kept:.3f} after the edit)" for line, kept in zip(lines, after.identity)]
    share = made.inversion.seconds / len(lines)
    return [f"face {number}: {line}, {share:.1f} s" for number, line in zip(numbers, lines)]
