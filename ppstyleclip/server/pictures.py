# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures on the server's disk: uploads until their job ends, results for a time.

A name is random; what a client calls its file plays no part. An upload is kept as plain pixels: where and
when a photo was taken, and all else that its file says, is gone before anything is written to stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import threading
import warnings
from pathlib import Path

import numpy as np

from ppstyleclip import pictures
from ppstyleclip.align import read_photo
from ppstyleclip.drafts import named_refusal, write_atomic
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import import_cv2, import_pillow, save_png
from ppstyleclip.locks import exclusive
from ppstyleclip.pictures import open_picture

NAME = re.compile(r"[0-9a-f]{32}")
KINDS = ("PNG", "JPEG", "WEBP")  # that are taken over the net
_STARTS = tuple(kind.start for kind in pictures.FORMATS if kind.name in KINDS)
_MOST_SCANS = 64  # of a JPEG; each costs as much as a whole picture
_SCAN = b"\xff\xda"


class NoPictureKind(UserError):
    """What was sent is no picture of KINDS."""


class TooManyPixels(UserError):
    """A picture is larger than the server takes."""


class PictureStore:
    """The folder of uploads and results.

    Args:
        folder: made if need be, for its owner alone.
        megapixels: of an upload, at most.
    """

    def __init__(self, folder: Path, megapixels: float) -> None:
        self.megapixels = megapixels
        self.uploads, self.results = folder / "uploads", folder / "results"
        for one in (folder, self.uploads, self.results):
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._decoding = threading.Semaphore(1)  # one at a time, for the memory it takes
        self._etags: dict[str, str] = {}

    def take_upload(self, name: str, data: bytes) -> None:
        """Check a picture and keep its pixels under a job's id.

        Args:
            name: of the job.
            data: what was sent.
        Raises:
            NoPictureKind: it is no picture of KINDS.
            TooManyPixels: it is too large; it was not decoded.
            UserError: it is damaged or tiny.
            CannotWrite: the disk refuses.
        """
        pixels = self.read_upload(data)
        save_png(self._upload(name), pixels)

    def read_upload(self, data: bytes) -> np.ndarray:
        """Decode what was sent, `[H, W, 3]` uint8; errors as take_upload."""
        if not any(start.match(data[:64]) for start in _STARTS):
            raise NoPictureKind(f"the picture is none of {', '.join(KINDS)}; send one of these")
        if data.count(_SCAN) > _MOST_SCANS and data[:2] == b"\xff\xd8":
            raise UserError("the picture has more scans than a photo; save it again as an ordinary JPEG")
        raw = self.uploads / f"raw-{secrets.token_hex(16)}"
        try:
            raw.touch(mode=0o600)
            raw.write_bytes(data)
            with self._decoding, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._check_pixels(raw)
                return read_photo(raw)
        except TooManyPixels:
            raise
        except UserError as error:
            words = str(error).replace(str(raw), "the picture")
            raise (TooManyPixels if "megapixels" in words else UserError)(words) from None
        except (OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the decoder's
                raise
            raise UserError("the picture is damaged; save or download it again") from None
        finally:
            with contextlib.suppress(OSError):
                raw.unlink()

    def _check_pixels(self, path: Path) -> None:
        """Read how many pixels a picture says it has, and no more of it."""
        bomb = import_pillow().DecompressionBombError
        try:
            with open_picture(path) as image:
                width, height = image.size
        except bomb as error:
            raise TooManyPixels(f"the picture has more than {self.megapixels:g} megapixels") from error
        if width * height > self.megapixels * 1e6:
            raise TooManyPixels(
                f"the picture has {width}x{height} pixels, more than {self.megapixels:g} megapixels; make it "
                "smaller first"
            )

    def load_upload(self, name: str) -> np.ndarray:
        """The pixels of a job's photo, `[H, W, 3]` uint8."""
        return read_photo(self._upload(name))

    def drop_upload(self, name: str) -> None:
        """Remove a job's photo."""
        with contextlib.suppress(OSError):
            self._upload(name).unlink()

    def save(self, name: str, pixels: np.ndarray) -> int:
        """Write a result under its random name; how many bytes it has."""
        path = self.path(name)
        save_png(path, pixels)
        return path.stat().st_size

    def drop(self, names: list[str]) -> None:
        """Remove results."""
        for name in names:
            self._etags.pop(name, None)
            with contextlib.suppress(OSError):
                self.path(name).unlink()

    def etag(self, name: str) -> str:
        """The entity tag of a result, made of its bytes."""
        if name not in self._etags:
            if len(self._etags) > 10_000:
                self._etags.clear()
            self._etags[name] = f'"{hashlib.sha256(self.path(name).read_bytes()).hexdigest()[:32]}"'
        return self._etags[name]

    def path(self, name: str) -> Path:
        """Where a result is.

        Raises:
            UserError: the name is none that the server gave.
        """
        if not NAME.fullmatch(name):
            raise UserError("there is no such picture")
        return self.results / f"{name}.png"

    def _upload(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise UserError("there is no such photo")
        return self.uploads / f"{name}.png"

    def sweep(self, kept_uploads: set[str], kept_results: set[str]) -> int:
        """Remove each file that belongs to no job, such as a killed process's; how many there were."""
        gone = 0
        for folder, kept in ((self.uploads, kept_uploads), (self.results, kept_results)):
            for path in folder.iterdir():
                if path.name.removesuffix(".png") not in kept or not path.name.endswith(".png"):
                    with contextlib.suppress(OSError):
                        path.unlink()
                        gone += 1
        return gone


def random_name(path: Path) -> str:
    """The 32 random digits that stand in a file; the first who asks makes it.

    Raises:
        CannotWrite: it cannot be written, or holds something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(path.with_name(f"{path.name}-lock")), named_refusal(path):
        if not path.exists():
            write_atomic(path, secrets.token_hex(16).encode())
        name = path.read_text("ascii", "replace").strip()
    if not NAME.fullmatch(name):
        raise CannotWrite(f"{path} holds no name; remove it")
    return name


def to_png(pixels: np.ndarray) -> bytes:
    """A picture `[H, W, 3]` uint8 as the bytes of a PNG."""
    _, data = import_cv2().imencode(".png", np.ascontiguousarray(pixels[:, :, ::-1]))
    return data.tobytes()
