# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photo edited by text: its faces found, cut out, inverted, edited, and pasted back.

A program calls it like this:

    finder, measures = load_finder(editor.bundle), load_measures(editor.bundle)  # once
    edit = Edit("face", "happy face")
    for record in edit_photo(editor, photo, edit, finder=finder, measures=measures):
        ...                  # record.done of record.total
    record.result.pixels     # the edited photo
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ppstyleclip.align import Face, FaceFinder, choose_faces, paste_back
from ppstyleclip.editor import Editor, ResolvedEdit
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.faces import AlignedFace, cut_faces, find_chosen_faces, load_finder
from ppstyleclip.pipelines.inversion import InversionResult, invert_faces
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures, measure
from ppstyleclip.pipelines.recipes import Applied, Edits, apply_recipe, as_recipe, check_recipe, edit_styles
from ppstyleclip.pipelines.records import Record, result_of


@dataclass(frozen=True)
class PhotoConfig:
    """How the faces of a photo are edited.

    Attributes:
        face: which, as in align.choose_faces: a number, from 1 for the leftmost; "best"; "largest"; or "all".
        fitting: of the latents, behind the encoder.
        tuning: of a generator for each face; None tunes nothing.
        paste: how an edited face returns, one of align.paste.WAYS.
    """

    face: str | int = "best"
    fitting: FittingConfig = FittingConfig()
    tuning: TuningConfig | None = None
    paste: str = "blend"


@dataclass(frozen=True, eq=False)
class PhotoEdit:
    """An edited photo and what came on the way; N faces, from left to right.

    Attributes:
        pixels: `[H, W, 3]` uint8, the edited photo.
        original: `[H, W, 3]` uint8, the photo.
        faces: N AlignedFaces.
        before, after: `[N, S, S, 3]` uint8, the faces as they were inverted, and edited.
        inversion: InversionResult: latents, the editors that drew each face, quality, seconds.
        quality_after: Quality of the edited faces, beside the crops; `inversion.stages[-1].poor` tells which
            faces are drawn badly.
        edit: the edit with every default filled in; of several, and of one that was solved, the first of the
            first face.
        applied: of each face what was done, with all edits.
    """

    pixels: np.ndarray
    original: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    inversion: InversionResult
    quality_after: Quality
    edit: ResolvedEdit
    applied: list[Applied]


def edit_photo(
    editor: Editor,
    photo: np.ndarray,
    edit: Edits,
    config: PhotoConfig = PhotoConfig(),  # noqa: B008  frozen
    *,
    faces: Sequence[Face] | None = None,
    finder: FaceFinder | None = None,
    measures: Measures | None = None,
    name: str = "the photo",
) -> Iterator[Record[PhotoEdit]]:
    """Edit the faces of a photo by text.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        edit: Edit, or a Recipe of several; "auto" is solved for each face.
        config: PhotoConfig.
        faces: the photo's faces where their landmarks are known (align.faces_of_landmarks); then nothing is
            looked for.
        finder: of load_finder; None loads the model's own.
        measures: of load_measures; None loads what is on this machine.
        name: of the photo, for messages.
    Yields:
        Record, its stages "faces", "latents", "tuning" and "pictures"; the result is a PhotoEdit.
    Raises:
        UserError: a text, no face (align.NoFace), no such face, or one that is tiny.
        MissingFile, MissingExtra: as load_finder.

    Examples:
        >>> from ppstyleclip import Edit, Editor
        >>> from ppstyleclip.align import faces_of_landmarks
        >>> from ppstyleclip.pipelines.records import result_of
        >>> from ppstyleclip.toonface.scenes import draw_scene
        >>> scene = draw_scene(21, faces=1, width=320, height=240, sides=(120, 130))
        >>> faces = faces_of_landmarks([face.landmarks for face in scene.faces])
        >>> edit, editor = Edit("face", "happy face"), Editor.from_pretrained()
        >>> records = edit_photo(editor, scene.pixels, edit, faces=faces)
        >>> made = result_of(records)  # or a loop over the records, which tell how far the work is
        >>> made.pixels.shape, made.inversion.stages[-1].poor.tolist()
        ((240, 320, 3), [False])
    """
    check_recipe(editor, edit)  # bad words are refused before a minute is spent on the faces
    if faces is None:
        finder = load_finder(editor.bundle) if finder is None else finder
        chosen = find_chosen_faces(finder, photo, config.face, name=name)
    else:
        chosen = choose_faces(faces, config.face)
    measures = load_measures(editor.bundle) if measures is None else measures
    cut = cut_faces(photo, chosen, editor.bundle.generator.size)
    yield from _edit_cut_faces(editor, photo, cut, edit, config, measures)


def _edit_cut_faces(
    editor: Editor,
    photo: np.ndarray,
    faces: list[AlignedFace],
    edit: Edits,
    config: PhotoConfig,
    measures: Measures,
) -> Iterator[Record[PhotoEdit]]:
    """Invert faces that are cut out, edit them and paste them back."""
    crops, steps = np.stack([face.crop for face in faces]), config.fitting.steps + 1
    total = 1 + steps + (config.tuning.steps if config.tuning else 0) * len(faces) + len(faces)
    yield Record(1, total, "faces")
    found: InversionResult | None = None
    for record in invert_faces(editor, crops, measures, config.fitting, config.tuning):
        found = record.result
        yield Record(1 + record.done, total, record.stage)
    assert found is not None
    edited, before, after = photo, [], []
    applied = [result_of(apply_recipe(own, w[None], edit)) for own, w in zip(found.editors, found.w_plus)]
    for number, (face, latent, own) in enumerate(zip(faces, found.w_plus, found.editors), 1):
        settled = applied[number - 1].settled(as_recipe(edit).orthogonal)
        edited, old, new = paste_edit(own, edited, [face], latent[None], settled, paste=config.paste)
        before.append(old[0])
        after.append(new[0])
        if number < len(faces):
            yield Record(total - len(faces) + number, total, "pictures")
    quality = measure(measures, crops, np.stack(after))
    yield Record(
        total,
        total,
        "pictures",
        PhotoEdit(
            edited,
            photo,
            faces,
            np.stack(before),
            np.stack(after),
            found,
            quality,
            applied[0].edits[0],
            applied,
        ),
    )


def paste_edit(
    editor: Editor,
    photo: np.ndarray,
    faces: Sequence[AlignedFace],
    w_plus: np.ndarray,
    edit: Edits,
    *,
    paste: str = "blend",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edit faces of a photo whose latents are known, and put them back.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        faces: N AlignedFaces of it.
        w_plus: `[N, L, D]` their latents.
        edit: Edit, or a Recipe of several.
        paste: as in PhotoConfig.
    Returns:
        (photo with the edited faces, drawn faces `[N, S, S, 3]` uint8 before and after the edit).
    """
    before, after = editor.synthesize(w_plus), editor.synthesize(edit_styles(editor, w_plus, edit))
    for face, old, new in zip(faces, before, after):
        assert face.alignment is not None  # it was cut out of this photo
        photo = paste_back(photo, face.alignment, _levels(new), _levels(old), way=paste)
    return photo, to_pixels(before), to_pixels(after)


def _levels(image: np.ndarray) -> np.ndarray:
    """Turn `[3, H, W]` into `[H, W, 3]` of 0 to 255; not rounded, so that small differences stay."""
    return (image.transpose(1, 2, 0) + 1) * 127.5
