# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A face, and an edit of it that comes and goes, filmed by a moving camera: StyleGAN3's canvas moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ppstyleclip.editor import AnyEdit, Editor, Face
from ppstyleclip.methods.checks import check_choice, check_count, check_kind, check_signed
from ppstyleclip.models.canvas import Canvas, check_can_move
from ppstyleclip.pictures import to_pixels
from ppstyleclip.pipelines.records import Record
from ppstyleclip.pipelines.rendering import check_one_face
from ppstyleclip.regions import RegionEdit, moved_masks

PATHS = ("circle", "pan", "sway", "turn")
TOGETHER = 8  # frames between two records


@dataclass(frozen=True)
class CameraConfig:
    """How the camera goes; the last frame leads back to the first one.

    Attributes:
        path: "circle", the picture goes round its middle; "pan", to one side and to the other; "sway", it
            turns one way and the other; "turn", all around.
        frames: how many.
        reach: how far "circle" and "pan" go, in sides of the picture.
        degrees: how far "sway" turns.
        steady: whether the edit is at its strength in all frames; else it comes and goes once.
    Raises:
        UserError: a value that cannot be.
    """

    path: str = "circle"
    frames: int = 96
    reach: float = 0.08
    degrees: float = 15.0
    steady: bool = False

    def __post_init__(self) -> None:
        check_choice("path", self.path, PATHS)
        check_count("frames", self.frames, least=1)
        check_signed("reach", self.reach)
        check_signed("degrees", self.degrees)

    @property
    def shares(self) -> np.ndarray:
        """`[frames]` how much of the edit each shows: 0 in the first, 1 in the middle; or 1."""
        return np.ones(self.frames) if self.steady else (1 - np.cos(self._angles)) / 2

    def canvases(self) -> list[Canvas]:
        """Where the canvas lies in each frame."""
        return [self._canvas(angle) for angle in self._angles]

    @property
    def _angles(self) -> np.ndarray:
        return 2 * np.pi * np.arange(self.frames) / self.frames

    def _canvas(self, angle: float) -> Canvas:
        x, y = self.reach * np.sin(angle), self.reach * np.cos(angle)
        if self.path == "turn":
            return Canvas(rotate=np.rad2deg(angle))
        if self.path == "sway":
            return Canvas(rotate=self.degrees * np.sin(angle))
        return Canvas((x, y if self.path == "circle" else 0.0))


@dataclass(frozen=True, eq=False)
class Film:
    """The frames of a film.

    Attributes:
        pixels: `[F, H, W, 3]` uint8.
        alphas: `[F]` the strength of the edit in each; 0 without one.
        edit: the edit with everything filled in, or None.
    """

    pixels: np.ndarray
    alphas: np.ndarray
    edit: AnyEdit | None


def film_face(
    editor: Editor,
    face: Face,
    edit: AnyEdit | None = None,
    config: CameraConfig = CameraConfig(),  # noqa: B008  frozen
) -> Iterator[Record[Film]]:
    """Film one face, and an edit of it, while the camera moves.

    Args:
        editor: of a StyleGAN3.
        face: one face; w_plus `[1, L, D]` or s `[1, S]`.
        edit: Edit, in its region where it has one, which moves along; None: the face alone.
        config: CameraConfig.
    Yields:
        Record of frames; the result is a Film.
    Raises:
        UserError: several faces, another family of generators, or as Editor.solve and Editor.direction.
    """
    check_kind("config", config, CameraConfig)
    check_one_face(editor, face, "filmed")
    canvases, parts = config.canvases(), []
    check_can_move(editor.bundle.generator, *(canvas.rotate for canvas in canvases))
    made = None if edit is None else editor.fixed(face, edit)
    step = np.zeros([], np.float32) if made is None else editor.step(made)
    masks = None if made is None else editor.region_masks(face, made)
    shares = config.shares.astype(np.float32) * (made is not None)
    for start in range(0, config.frames, TOGETHER):
        some = canvases[start : start + TOGETHER]
        s = np.concatenate([editor.moved(face, canvas) for canvas in some])
        steps = np.multiply.outer(shares[start : start + TOGETHER], step)
        if masks is None:
            parts.append(editor.render(editor.added(s, steps.reshape(len(s), -1))))
        else:
            moved = np.concatenate([moved_masks(masks, canvas) for canvas in some])
            parts.append(to_pixels(editor.synthesize_edits(s, [RegionEdit(steps, moved)])))
        done = start + len(some)
        film = None
        if done == config.frames:
            alphas = shares * (0.0 if made is None else made.alpha)
            film = Film(np.concatenate(parts), alphas, made)
        yield Record(done, config.frames, "frames", film)
