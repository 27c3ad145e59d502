# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures in motion: GIF (any browser) and MP4 (any player), written whole or not at all; frames read.

Videos are read and written picture by picture, so their length costs no memory.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Union

import numpy as np

from ppstyleclip.errors import CannotWrite, MissingExtra, UserError, shown
from ppstyleclip.files import atomic_file, atomic_path, check_file, import_cv2, import_pillow, named_refusal
from ppstyleclip.finite import is_number
from ppstyleclip.inputs import as_pictures
from ppstyleclip.memory import check_memory

FPS = (1, 50)  # a GIF counts hundredths of a second, and browsers slow down what is under two of them
MP4_FPS = (0.1, 240)  # of videos that are edited
CODEC = "mp4v"  # MPEG-4 part 2: OpenCV's wheels carry no H.264 encoder
H264 = "libx264"  # PyAV's wheels carry it
H264_CURE = 'pip install "ppstyleclip[video]"'
MAX_SIDE = 8190  # pixels, of those codecs
USUAL_FPS = 25.0  # of a video that does not say
MAX_VIDEO_BYTES = 1_500_000_000  # that reading, editing and writing one may take
FRAME_BYTES = 27  # of each pixel of a frame: decoded, read, edited, encoded, as measured
WORK_BYTES = 300_000_000  # of frames that wait for each other, and of the part of one that is pasted
MANY_PIXELS = 2**22  # of a frame from which on H.264 looks ahead to no others, for they would take gigabytes

# MP4 and MOV, AVI, MKV and WebM. What else FFmpeg knows stays closed: play lists name other files and hosts.
_STARTS = re.compile(rb"....(?:ftyp|moov|mdat|wide|free|skip)|RIFF....AVI |\x1aE\xdf\xa3", re.DOTALL)

Pictures = Union[np.ndarray, Sequence[np.ndarray]]
Write = Callable[[np.ndarray], None]


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
    pictures, pillow = _checked(pictures, fps), import_pillow()
    first, others = pillow.fromarray(pictures[0]), (pillow.fromarray(picture) for picture in pictures[1:])
    with named_refusal(path), atomic_file(path) as file:
        first.save(file, "GIF", save_all=True, append_images=others, duration=10 * round(100 / fps), loop=0)


def save_mp4(path: str | Path, pictures: Pictures, *, fps: float) -> None:
    """Write pictures as MP4, as mp4_writer does.

    Args:
        path: where; missing folders are made.
        pictures: `[N, H, W, 3]` uint8, RGB, or a list of N such pictures.
        fps: pictures a second, 1 to 50.
    Raises:
        UserError: no such pictures, too large ones, or fps out of range.
        CannotWrite, MissingExtra: as mp4_writer.
    """
    pictures = _checked(pictures, fps)
    with mp4_writer(path, fps=fps) as write:
        for picture in pictures:
            write(picture)


def mp4_codec() -> str:
    """Name the codec that mp4_writer takes: H264 where PyAV is installed and has it, else CODEC.

    Players show both; browsers show H.264 only.
    """
    try:
        av = importlib.import_module("av")
        return str(av.codec.Codec(H264, "w").name)
    except (ImportError, ValueError, AttributeError):  # av's UnknownCodecError is a ValueError
        return CODEC


@contextlib.contextmanager
def mp4_writer(path: str | Path, *, fps: float) -> Iterator[Write]:
    """Write an MP4 picture by picture; its frames are counted before it takes its name.

    Args:
        path: where; missing folders are made.
        fps: pictures a second, 0.1 to 240.
    Yields:
        a function that takes the next picture, `[H, W, 3]` uint8, RGB, all of one size. An odd last row or
        column is doubled, for the codecs halve the resolution of colours.
    Raises:
        UserError: fps out of range; a picture is too large, or of another size than the first.
        CannotWrite: the file cannot be written, or did not come out whole.
        MissingExtra: there is neither PyAV nor an OpenCV that can write MP4.
    """
    if not MP4_FPS[0] <= fps <= MP4_FPS[1]:
        raise UserError(f"an MP4 has {MP4_FPS[0]} to {MP4_FPS[1]} pictures a second, got {fps:g}")
    encoder: _H264 | _OpenCV
    with atomic_path(path, ".mp4") as draft:
        encoder = _H264(draft, fps) if mp4_codec() == H264 else _OpenCV(draft, fps)
        count, size = 0, (0, 0)

        def write(picture: np.ndarray) -> None:
            nonlocal count, size
            size = size if count else picture.shape[:2]
            _check_frame(picture, size)
            even = np.pad(picture, [(0, size[0] % 2), (0, size[1] % 2), (0, 0)], mode="edge")
            with encoder_refusal(path):
                encoder.write(even if any(side % 2 for side in size) else np.ascontiguousarray(picture))
            count += 1

        try:
            yield write
        finally:
            with encoder_refusal(path):
                encoder.close()
        if not count or _count_frames(draft) != count:
            raise CannotWrite(f"cannot write {path}: the video did not come out whole; is the disk full?")


def _check_frame(picture: np.ndarray, size: tuple[int, ...]) -> None:
    height, width = size
    if max(size) > MAX_SIDE:
        raise UserError(f"an MP4 has at most {MAX_SIDE} x {MAX_SIDE} pixels, got {width} x {height}")
    if picture.shape != (*size, 3):
        got = f"{picture.shape[1]} x {picture.shape[0]}"
        raise UserError(f"the frames of a video are of one size, {width} x {height}; got {got}")


@contextlib.contextmanager
def encoder_refusal(path: str | Path) -> Iterator[None]:
    """Turn what PyAV says of a disk into one line; its errors are OSErrors where the system's are."""
    try:
        with named_refusal(path):
            yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        if type(error).__module__.split(".")[0] != "av":
            raise
        raise CannotWrite(f"cannot write {path}: {' '.join(str(error).split())[:200]}") from None


class _H264:
    """PyAV's encoder."""

    def __init__(self, path: Path, fps: float):
        self._path, self._rate = path, Fraction(fps).limit_denominator(1001)
        self._container: Any = None
        self._stream: Any = None

    def write(self, picture: np.ndarray) -> None:
        av, cv2 = importlib.import_module("av"), import_cv2()
        height, width = picture.shape[:2]
        if self._container is None:
            self._container = av.open(str(self._path), "w", format="mp4")
            self._stream = self._container.add_stream(H264, rate=self._rate)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
            self._stream.options = {"crf": "18", "x264-params": "colormatrix=smpte170m"}
            if height * width > MANY_PIXELS:
                few = {"preset": "ultrafast", "tune": "zerolatency"}
                self._stream.options = {**self._stream.options, **few}
                self._stream.codec_context.thread_count = 1
        planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))

    def close(self) -> None:
        if self._container is not None:
            container, stream = self._container, self._stream
            self._container = self._stream = None  # they hold the encoder's frames
            try:
                container.mux(stream.encode(None))
            finally:
                container.close()


class _OpenCV:
    """OpenCV's encoder."""

    def __init__(self, path: Path, fps: float):
        self._path, self._fps = path, fps
        self._writer: Any = None

    def write(self, picture: np.ndarray) -> None:
        cv2 = import_cv2()
        if self._writer is None:
            size = picture.shape[1::-1]
            codec = cv2.VideoWriter_fourcc(*CODEC)
            self._writer = cv2.VideoWriter(str(self._path), codec, float(self._fps), size)
            if not self._writer.isOpened():
                raise MissingExtra(f"this OpenCV cannot write MP4; run: {H264_CURE}")
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()


@dataclass(frozen=True)
class VideoFile:
    """A video whose frames are read one by one, and again each time it is gone through.

    Attributes:
        path: of the file.
        width, height: of its frames, in pixels.
        rate: frames a second, USUAL_FPS where it does not say.
        max_frames: that it may have.
        expected: how many frames it says to have, which may be wrong; None where it does not say.
    """

    path: Path
    width: int
    height: int
    rate: float
    max_frames: int
    expected: int | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield frames `[H, W, 3]` uint8, RGB.

        Raises:
            UserError: there are none that can be read, or more than max_frames.
        """
        count = 0
        with _capture(self.path) as video:
            for count, frame in enumerate(_frames_of(video), 1):
                if count > self.max_frames:
                    raise UserError(f"{self.path} holds more than {self.max_frames:,} frames; cut it")
                yield frame
        if not count:
            raise UserError(f"{self.path} holds no frames that can be read")


def open_video(path: str | Path, *, max_frames: int) -> VideoFile:
    """Look at a video: MP4, MOV, AVI, MKV or WebM, told by its content.

    Args:
        path: of the file.
        max_frames: that it may have.
    Raises:
        MissingFile: there is no such file.
        UserError: it is no such video, or its frames are so large that editing them would take more than
            MAX_VIDEO_BYTES or more memory than is free.
    """
    path, cv2 = check_file(path), import_cv2()
    with open(path, "rb") as file:
        if not _STARTS.match(file.read(16)):
            raise UserError(f"{path} holds no frames that can be read; use MP4, MOV, AVI, MKV or WebM")
    with _capture(path) as video:
        width, height = (
            int(video.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        rate, said = float(video.get(cv2.CAP_PROP_FPS)), float(video.get(cv2.CAP_PROP_FRAME_COUNT))
    if width < 1 or height < 1:
        raise UserError(f"{path} holds no frames that can be read")
    size = f"{path}, with frames of {width}x{height} pixels,"
    check_memory(width * height * FRAME_BYTES + WORK_BYTES, size, "make it smaller first", MAX_VIDEO_BYTES)
    rate = min(max(rate, MP4_FPS[0]), MP4_FPS[1]) if rate > 0 else USUAL_FPS  # no NaN either
    return VideoFile(path, width, height, rate, max_frames, int(said) if 0 < said <= max_frames else None)


@contextlib.contextmanager
def _capture(path: Path) -> Iterator[Any]:
    cv2 = import_cv2()
    # By FFmpeg alone: others take a name with digits for a row of pictures. One thread: each holds frames.
    options = [cv2.CAP_PROP_N_THREADS, 1] if hasattr(cv2, "CAP_PROP_N_THREADS") else []
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is wrong is said here, in one line
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, options)
    try:
        yield video
    finally:
        video.release()


def _frames_of(video: Any) -> Iterator[np.ndarray]:
    cv2 = import_cv2()
    while True:
        is_read, frame = video.read()
        if not is_read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB, dst=frame)


def check_fps(fps: float) -> None:
    """Refuse a speed that a GIF cannot have; both kinds keep to it, so that they show the same."""
    if not is_number(fps) or not FPS[0] <= fps <= FPS[1]:
        raise UserError(f"fps must be {FPS[0]} to {FPS[1]} pictures a second, got {shown(fps)}")


def _checked(pictures: Pictures, fps: float) -> np.ndarray:
    check_fps(fps)
    return as_pictures(pictures, "a video is pictures [N, H, W, 3] uint8")


def _count_frames(path: Path) -> int:
    with _capture(path) as video:
        count = 0
        while video.grab():
            count += 1
        return count
