# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which pictures are opened; from network output to pictures, and pictures side by side.

`images` are NCHW float in [-1, 1], RGB; `pixels` are NHWC uint8, and one picture is HWC.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import NO_PICTURE, check_file, import_cv2, import_pillow
from ppstyleclip.finite import is_finite
from ppstyleclip.inputs import as_pictures
from ppstyleclip.memory import check_memory

MAX_MEGAPIXELS = 80  # of a picture that is opened
MAX_PICTURE_BYTES = 1_500_000_000  # that reading one may take at its peak
PIXEL_BYTES = 10  # of each pixel: Pillow's own, at most 4, and `[H, W, 3]` twice where the picture is turned


@dataclass(frozen=True)
class PictureFormat:
    """A kind of picture that is opened.

    Attributes:
        name: Pillow's.
        start: what such a file begins with.
        suffixes: of its names, by which pictures are looked for in a folder.
        decoder: bytes a pixel that its decoder takes besides PIXEL_BYTES, as measured.
    """

    name: str
    start: re.Pattern[bytes]
    suffixes: tuple[str, ...]
    decoder: int

    @property
    def plugin(self) -> str:
        """Pillow's module that reads it."""
        return {"JPEG": "Jpeg", "WEBP": "WebP"}.get(self.name, self.name.capitalize()) + "ImagePlugin"


def _known(name: str, start: bytes, suffixes: str, decoder: int) -> PictureFormat:
    return PictureFormat(name, re.compile(start, re.DOTALL), tuple(suffixes.split()), decoder)


# What is opened, told by its first bytes. Everything else that Pillow knows stays closed: some of it starts
# other programs. AVIF only where Pillow reads it by itself.
FORMATS = (
    _known("PNG", rb"\x89PNG\r\n\x1a\n", ".png", 0),
    _known("JPEG", rb"\xff\xd8\xff", ".jpg .jpeg", 1),  # a progressive one keeps all coefficients
    _known("WEBP", rb"RIFF....WEBP", ".webp", 7),
    _known("BMP", rb"BM.{12}", ".bmp", 0),
    _known("TIFF", rb"II[*+]\0|MM\0[*+]", ".tif .tiff", 2),
    _known("GIF", rb"GIF8[79]a", ".gif", 0),
    _known("PPM", rb"P[456]\s", ".ppm .pgm .pbm .pnm", 0),
    _known("AVIF", rb"....ftypavi[fs]", ".avif", 6),
)
SUFFIXES = tuple(suffix for kind in FORMATS for suffix in kind.suffixes)
# What else people take for pictures: what it begins with, what it is.
_OTHERS = (
    (rb"%!|\xc5\xd0\xd3\xc6|%PDF", "a PostScript or PDF document"),
    (rb"....ftyp(hei|hev|mif|msf)", "a HEIC picture"),
    (rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", "a video"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL picture"),
    (rb"8BPS", "a Photoshop file"),
    (rb"v/1\x01|#\?RADIANCE|SIMPLE  =|\x89HDF", "a picture of numbers instead of colours"),
)

INK = (40, 40, 40)
STRIP_SIDE = 128  # pixels that a picture needs at least to be looked at

Pictures = Union[np.ndarray, Sequence[np.ndarray]]


@contextlib.contextmanager
def open_picture(path: Any) -> Iterator[Any]:
    """Open a picture of one of FORMATS with Pillow, which has read no more than its header then.

    Args:
        path: of the file; its content counts, not its name.
    Yields:
        a PIL image.
    Raises:
        MissingFile: there is no such file.
        UserError: it is no such picture, or has more than MAX_MEGAPIXELS, or reading it would take more than
            MAX_PICTURE_BYTES or more memory than is free. Errors of the decoder pass through.
    """
    image_module, path = import_pillow(), check_file(path)
    with open(path, "rb") as file:
        kind = _picture_format(path, file.read(64))
        file.seek(0)
        with image_module.open(file, formats=(kind.name,)) as image:
            _check_size(path, kind, *image.size)
            yield image


def _picture_format(path: Any, head: bytes) -> PictureFormat:
    kind = next((kind for kind in FORMATS if kind.start.match(head)), None)
    if kind is not None:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"PIL.{kind.plugin}")
            if kind.name in import_pillow().OPEN:
                return kind
        raise UserError(f"{path} is a picture in {kind.name}, which this Pillow cannot read; use PNG")
    if not head:
        raise UserError(f"{path} is empty; save or download it again")
    for start, words in _OTHERS:
        if re.match(start, head, re.DOTALL):
            raise UserError(f"{path} is {words}, which is not opened; save it as JPEG or PNG first")
    raise UserError(f"{path} {NO_PICTURE}")


def _check_size(path: Any, kind: PictureFormat, width: int, height: int) -> None:
    size = f"{path} has {width}x{height} pixels"
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise UserError(f"{size}, more than {MAX_MEGAPIXELS} megapixels; make it smaller first")
    needed = width * height * (PIXEL_BYTES + kind.decoder)
    check_memory(needed, f"{size} and", "make it smaller first", MAX_PICTURE_BYTES)


def to_levels(image: np.ndarray) -> np.ndarray:
    """Turn `[3, H, W]` in [-1, 1] into `[H, W, 3]` of 0 to 255; not rounded, so small differences stay."""
    return (image.transpose(1, 2, 0) + 1) * 127.5


def to_pixels(images: Any) -> np.ndarray:
    """Round images to 8 bits: `(x + 1) * 127.5`, to the nearest level, cut off at 0 and 255.

    Args:
        images: `[N, 3, H, W]` in [-1, 1], RGB; a Paddle tensor or an array.
    Returns:
        pixels `[N, H, W, 3]` uint8.
    Raises:
        UserError: a value is NaN or infinite, and would be black or any other level.
    """
    values = images.numpy() if hasattr(images, "numpy") else np.asarray(images)
    if not is_finite(values):
        raise UserError(
            "what was drawn holds NaN or infinity, no colours; use a smaller strength, or another latent"
        )
    levels = values.transpose(0, 2, 3, 1) * np.float32(127.5)  # one pass after another in one buffer
    levels += 128  # 127.5, and a half to be cut off by the cast
    return np.clip(levels, 0, 255, out=levels).astype(np.uint8, order="C")


def to_images(pixels: Any) -> np.ndarray:
    """Turn pixels `[N, H, W, 3]` uint8 into images `[N, 3, H, W]` float32 in [-1, 1].

    Raises:
        UserError: they are no such pixels, as inputs.as_pictures.
    """
    return np.ascontiguousarray(as_pictures(pixels).transpose(0, 3, 1, 2), dtype=np.float32) / 127.5 - 1


def grid(pictures: Pictures, columns: int, *, gap: int = 2, background: int = 0) -> np.ndarray:
    """Lay pictures of one size out in rows of `columns`, read like text.

    Args:
        pictures: `[N, H, W, 3]` uint8, or a list of N such pictures.
        columns: pictures in a row; the last row may be shorter.
        gap: pixels between and around the pictures.
        background: grey level of the gaps.
    Returns:
        one picture `[rows * (H + gap) + gap, columns * (W + gap) + gap, 3]`.
    """
    pictures = np.asarray(pictures, dtype=np.uint8)
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), background, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = gap + (k // columns) * (height + gap), gap + (k % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def strip(pictures: Pictures, labels: Iterable[str]) -> np.ndarray:
    """Put pictures in one row on white, each under its label; small ones are enlarged to be looked at.

    Args:
        pictures: `[N, H, W, 3]` uint8, or a list of N such pictures.
        labels: N short texts in ASCII, as `offset_labels` makes them.
    Returns:
        one picture `[H + a label's height, N * W and gaps, 3]` uint8; H, W at least STRIP_SIDE.
    Raises:
        ValueError: not as many labels as pictures.
    """
    pictures, labels = np.asarray(pictures, dtype=np.uint8), list(labels)
    if len(pictures) != len(labels):
        raise ValueError(f"strip got {len(pictures)} pictures and {len(labels)} labels; they must be as many")
    return labelled_grid(pictures, labels)


def labelled_grid(pictures: Pictures, labels: Sequence[str]) -> np.ndarray:
    """Lay pictures out on white in rows, a label above each column; small pictures are enlarged.

    Args:
        pictures: `[N, H, W, 3]` uint8, or a list of N such pictures, read like text.
        labels: one for each column; what no font here can draw, such as Chinese, is shown as "?".
    Returns:
        one picture `[rows * H + a label's height and gaps, columns * W and gaps, 3]` uint8.
    """
    pictures = enlarged(np.asarray(pictures, dtype=np.uint8))
    height, width = pictures.shape[1:3]
    gap, band = max(2, width // 64), max(18, height // 8)
    rows = grid(pictures, len(labels), gap=gap, background=255)
    sheet = np.concatenate([np.full((band, rows.shape[1], 3), 255, np.uint8), rows])
    for k, label in enumerate(labels):
        shown = label.encode("ascii", "replace").decode()
        _write_centred(sheet, shown, gap + k * (width + gap) + width / 2, band, width)
    return sheet


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Enlarge pictures `[N, H, W, 3]` uint8 a whole number of times, until no side is under STRIP_SIDE."""
    factor = -(-STRIP_SIDE // min(pictures.shape[1:3]))
    if factor == 1:
        return pictures
    cv2, size = import_cv2(), (factor * pictures.shape[2], factor * pictures.shape[1])
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in pictures])


def reduced(pictures: np.ndarray, side: int) -> np.ndarray:
    """Reduce pictures `[N, H, W, 3]` uint8 by a whole factor, until no side is above `side` pixels."""
    factor = -(-max(pictures.shape[1:3]) // side)
    if factor == 1:
        return pictures
    cv2, size = import_cv2(), (pictures.shape[2] // factor, pictures.shape[1] // factor)
    return np.stack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures])


def _write_centred(sheet: np.ndarray, label: str, centre: float, band: int, most: int) -> None:
    """Write a label into the band at the top, no wider than `most` pixels."""
    cv2, scale, thickness = import_cv2(), band / 40, max(1, band // 24)
    (text_width, text_height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    if text_width > most:
        scale *= most / text_width
        (text_width, text_height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    corner = (round(centre - text_width / 2), round((band + text_height) / 2) + 1)
    cv2.putText(sheet, label, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, thickness, cv2.LINE_AA)


def offset_labels(alphas: Iterable[float]) -> list[str]:
    """Write strengths as labels: -1, 0, +2.5."""
    return [f"{alpha:+g}" if alpha else "0" for alpha in alphas]
