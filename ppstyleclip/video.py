# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures in motion: GIF (any browser) and MP4 (any player), written whole or not at all; frames read."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Union

import numpy as np

from ppstyleclip.errors import CannotWrite, MissingExtra, UserError
from ppstyleclip.files import import_cv2, import_pillow, write_atomic

FPS = (1, 50)  # a GIF counts hundredths of a second, and browsers slow down what is under two of them
CODEC = "mp4v"  # MPEG-4 part 2: OpenCV's wheels carry no H.264 encoder
MAX_SIDE = 8190  # pixels, of that codec
USUAL_FPS = 25.0  # of a video that does not say

Pictures = Union[np.ndarray, Sequence[np.ndarray]]


def save_gif(path: str | Path, pictures: Pictures, *, fps: float) -> None:
    """Write pictures as a GIF that repeats for ever.

    Each picture gets 256 colours of its own, and is shown for 1 / fps seconds, to the nearest hundredth.

    Args:
        path: where; missing folders are made.
        pictures: `[N, H, W, 3]` uint8, RGB, or a list of N such pictures.
        fps: pictures a second, 1 to 50.
    Raises:
        UserError: no such pictures, or fps out of range.
        CannotWrite: the file cannot be written.
        MissingExtra: Pillow is not installed.
    """
    pictures = _checked(pictures, fps)
    first, *others = [import_pillow().fromarray(picture) for picture in pictures]
    memory = io.BytesIO()
    first.save(memory, "GIF", save_all=True, append_images=others, duration=10 * round(100 / fps), loop=0)
    write_atomic(path, memory.getvalue())


def save_mp4(path: str | Path, pictures: Pictures, *, fps: float) -> None:
    """Write pictures as MP4 (MPEG-4 part 2), and read it back before it takes its name.

    Players show it; most browsers do not, for want of that codec.

    Args:
        path: where; missing folders are made.
        pictures: `[N, H, W, 3]` uint8, RGB, or a list of N such pictures; an odd last row or column is
            doubled, for the codec halves the resolution of colours.
        fps: pictures a second, 1 to 50.
    Raises:
        UserError: no such pictures, too large ones, or fps out of range.
        CannotWrite: the file cannot be written, or did not come out whole.
        MissingExtra: OpenCV is not installed, or cannot write MP4.
    """
    pictures = _checked(pictures, fps)
    height, width = pictures.shape[1:3]
    if max(height, width) > MAX_SIDE:
        raise UserError(f"an MP4 has at most {MAX_SIDE} x {MAX_SIDE} pixels, got {width} x {height}")
    pictures = np.pad(pictures, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)], mode="edge")
    with tempfile.TemporaryDirectory() as folder:  # OpenCV writes to names only, and goes by how they end
        draft = Path(folder) / "draft.mp4"
        _encode(draft, pictures, fps)
        if _count_frames(draft) != len(pictures):
            raise CannotWrite(
                f"cannot write {path}: the video did not come out whole; is there space in "
                f"{Path(folder).parent}?"
            )
        write_atomic(path, draft.read_bytes())


def read_video(path: str | Path, *, max_frames: int) -> tuple[list[np.ndarray], float]:
    """Read all frames of a video.

    Returns:
        (frames `[H, W, 3]` uint8, RGB; frames a second, USUAL_FPS where the video does not say).
    Raises:
        UserError: it holds no frames that can be read, or more than max_frames.
    """
    cv2 = import_cv2()
    frames: list[np.ndarray] = []
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS)
    while len(frames) <= max_frames:
        is_read, frame = video.read()
        if not is_read:
            break
        frames.append(np.ascontiguousarray(frame[:, :, ::-1]))
    video.release()
    if not frames or len(frames) > max_frames:
        held = f"more than {max_frames} frames; cut it" if frames else "no frames that can be read"
        raise UserError(f"{path} holds {held}")
    return frames, rate if rate > 0 else USUAL_FPS


def check_fps(fps: float) -> None:
    """Refuse a speed that a GIF cannot have; both kinds keep to it, so that they show the same."""
    if not FPS[0] <= fps <= FPS[1]:
        raise UserError(f"fps must be {FPS[0]} to {FPS[1]} pictures a second, got {fps:g}")


def _checked(pictures: Pictures, fps: float) -> np.ndarray:
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.size == 0:
        raise UserError(
            f"a video is pictures [N, H, W, 3] uint8, got {list(pictures.shape)} {pictures.dtype}"
        )
    check_fps(fps)
    return pictures


def _encode(path: Path, pictures: np.ndarray, fps: float) -> None:
    cv2 = import_cv2()
    height, width = pictures.shape[1:3]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*CODEC), float(fps), (width, height))
    if not writer.isOpened():
        raise MissingExtra("this OpenCV cannot write MP4; run: pip install --force-reinstall opencv-python")
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[:, :, ::-1]))
    writer.release()


def _count_frames(path: Path) -> int:
    cv2 = import_cv2()
    video, count = cv2.VideoCapture(str(path)), 0
    while video.read()[0]:
        count += 1
    video.release()
    return count
