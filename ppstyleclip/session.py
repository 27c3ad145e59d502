# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One face and the edits that were accepted so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import paddle

from ppstyleclip.edits import AnyEdit, is_auto
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions.solve import with_solution
from ppstyleclip.pictures import to_pixels
from ppstyleclip.worker import on_worker

if TYPE_CHECKING:
    from ppstyleclip.editor import Editor, Face


class Session:
    """One face and the edits accepted so far; the face is always its start plus the sum of their steps.

    Examples:
        >>> from ppstyleclip import Edit, Editor, Session
        >>> editor = Editor.from_pretrained()
        >>> session = Session(editor, editor.sample(seed=58))
        >>> session.accept(Edit("face", "happy face"))
        >>> session.accept(Edit("face", "face with glasses"))
        >>> print(session.undo())
        face -> face with glasses
        >>> [str(edit) for edit in session.history], session.picture().shape
        (['face -> happy face'], (256, 256, 3))
    """

    @on_worker
    def __init__(self, editor: Editor, face: Face):
        self.editor, self.start, self._face = editor, editor.styles(face), face
        if self.start.shape[0] != 1:
            raise UserError(f"a session edits one face, got {self.start.shape[0]}; use Editor.apply")
        self._accepted: list[tuple[AnyEdit, str]] = []  # and what a solved strength was bound by

    @property
    def history(self) -> tuple[AnyEdit, ...]:
        """The accepted edits, oldest first."""
        return tuple(edit for edit, _ in self._accepted)

    @property
    def bounds(self) -> tuple[str, ...]:
        """What the strength of each was bound by, as Solution.bound; "" where it was given."""
        return tuple(bound for _, bound in self._accepted)

    @property
    @on_worker
    def s(self) -> paddle.Tensor:
        """The face as it stands, flat styles `[1, S]`, as if no edit kept to a region."""
        return self._styles_with(self.history)

    def picture(self) -> np.ndarray:
        """Draw the face as it stands, `[H, W, 3]` uint8."""
        return self._drawn(self.history)

    def preview(self, edit: AnyEdit) -> np.ndarray:
        """Draw the face as it would be after one more edit, and change nothing."""
        return self._drawn([*self.history, self._fixed(edit)[0]])

    def _drawn(self, edits: Sequence[AnyEdit]) -> np.ndarray:
        """One picture; what it needs is loaded in the thread that asks."""
        if any(edit.region is not None for edit in edits):
            return to_pixels(self.editor.synthesize_edits(self._face, edits))[0]
        for edit in edits:
            self.editor.step(edit)
        return self._drawn_at_once(edits)

    @on_worker
    def _drawn_at_once(self, edits: Sequence[AnyEdit]) -> np.ndarray:
        return self.editor.render(self._styles_with(edits))[0]

    def start_and_now(self) -> tuple[np.ndarray, np.ndarray]:
        """Draw the face as it was and as it stands, two pictures `[H, W, 3]`."""
        if not any(edit.region is not None for edit in self.history):
            return self._both()
        before = self.editor.synthesize(self.start)
        after = self.editor.synthesize_edits(self._face, self.history, before=before)
        return to_pixels(before)[0], to_pixels(after)[0]

    @on_worker
    def _both(self) -> tuple[np.ndarray, np.ndarray]:
        before, after = self.editor.render(paddle.concat([self.start, self.s]))
        return before, after

    def accept(self, edit: AnyEdit) -> None:
        """Keep an edit; one that fails (a text, a threshold) is not kept. "auto" is solved now."""
        edit, bound = self._fixed(edit)
        self.editor.step(edit)
        self._accepted.append((edit, bound))

    def undo(self) -> AnyEdit:
        """Take the latest edit back and return it."""
        if not self._accepted:
            raise UserError("there is no edit to undo")
        return self._accepted.pop()[0]

    def reset(self) -> None:
        """Take all edits back."""
        self._accepted.clear()

    def _fixed(self, edit: AnyEdit) -> tuple[AnyEdit, str]:
        """The edit with "auto" solved beside the accepted ones, and what bound it."""
        if not is_auto(edit):
            return edit, ""
        others = [self.editor.region_edit(self._face, one) for one in self.history]
        *_, record = self.editor.solve(self._face, edit, others=others)
        assert record.result is not None
        return self.editor.resolve(with_solution(edit, record.result)), record.result.bound

    def _styles_with(self, edits: Sequence[AnyEdit]) -> paddle.Tensor:
        steps = sum((self.editor.step(edit) for edit in edits), np.zeros(self.start.shape[1], np.float32))
        return paddle.to_tensor(self.editor.added(self.start.numpy(), steps))
