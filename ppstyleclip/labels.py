# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Words in pictures, in a font that has their letters: Pillow's own, or one of the system's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.errors import MissingExtra
from ppstyleclip.files import import_pillow

INK = (40, 40, 40)
FONT_SUFFIXES = (".ttf", ".ttc", ".otf", ".otc")
MOST_FONTS = 400  # of the system's that are looked into
# Fonts that have Chinese letters, as their files are called; they are looked into first.
_CHINESE = (
    "notosanscjk notosanssc sourcehansans wqy msyh pingfang hiragino stheiti simhei simsun droidsansfallback "
    "uming ukai arialuni arial unicode deng notoserifcjk"
).split()
_NO_LETTER = "\uffff"  # which no font has, so it is drawn as every letter that a font lacks


def draw_label(
    pixels: np.ndarray,
    text: str,
    centre: tuple[float, float],
    size: int,
    *,
    colour: tuple[int, int, int] = INK,
) -> np.ndarray:
    """Write a line into a picture.

    Args:
        pixels: `[H, W, 3]` uint8.
        text: the line; see can_write.
        centre: (x, y) of the middle of the line.
        size: of the letters, in pixels.
        colour: RGB.
    Returns:
        a picture of the same shape.
    """
    left, top, right, bottom = _box(text, size)
    corner = (centre[0] - (left + right) / 2, centre[1] - (top + bottom) / 2)
    return draw_line(pixels, text, corner, size, colour=colour)


def draw_line(
    pixels: np.ndarray,
    text: str,
    corner: tuple[float, float],
    size: int,
    *,
    colour: tuple[int, int, int] = INK,
) -> np.ndarray:
    """Do what draw_label does, from (x, y) of the line's upper left corner on."""
    import_pillow()
    from PIL import Image, ImageDraw

    image = Image.fromarray(np.ascontiguousarray(pixels))
    ImageDraw.Draw(image).text(corner, text, font=_font(text, size), fill=colour)
    return np.asarray(image)


def draw_badge(pixels: np.ndarray, text: str, size: int) -> np.ndarray:
    """Write white letters of a size into a dark box in the lower right corner of a picture."""
    import_pillow()
    from PIL import Image, ImageDraw

    image = Image.fromarray(np.ascontiguousarray(pixels))
    draw, pad = ImageDraw.Draw(image, "RGBA"), max(1, size // 6)
    left, top, right, bottom = _box(text, size)
    x, y = image.width - (right - left) - 2 * pad, image.height - (bottom - top) - 2 * pad
    draw.rectangle((x - pad, y - pad, image.width, image.height), (0, 0, 0, 140))
    draw.text((x - left, y - top), text, font=_font(text, size), fill=(255, 255, 255, 255))
    return np.asarray(image.convert("RGB"))


def label_width(text: str, size: int) -> int:
    """How many pixels wide a line is."""
    left, _, right, _ = _box(text, size)
    return int(right - left)


def can_write(text: str) -> bool:
    """Whether a font with all letters of a text is on this machine."""
    return _font_for(text, 16) is not None


def writable(text: str) -> str:
    """A text with a question mark for each letter that no font of this machine has."""
    return text if can_write(text) else "".join(letter if can_write(letter) else "?" for letter in text)


def _font(text: str, size: int) -> Any:
    return _font_for(text, size) or _own_font(size)


def _box(text: str, size: int) -> tuple[float, float, float, float]:
    """Where the letters of a line lie that is written at (0, 0): left, top, right, bottom."""
    import_pillow()
    from PIL import Image, ImageDraw

    return ImageDraw.Draw(Image.new("RGB", (1, 1))).textbbox((0, 0), text, font=_font(text, size))


@lru_cache(maxsize=256)
def _font_for(text: str, size: int) -> Any:
    """A font that has all letters of a text, or None."""
    own = _own_font(size)
    if _has_letters(own, text):
        return own
    path = _font_path("".join(sorted(set(text))))
    return None if path is None else _open_font(path, size)


@lru_cache(maxsize=64)
def _own_font(size: int) -> Any:
    """The font that comes with Pillow; one of dots, of one size, where Pillow has no FreeType."""
    import_pillow()
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size)
    except (TypeError, OSError, ImportError):  # Pillow before 10.1, or one without FreeType
        try:
            return ImageFont.load_default()
        except OSError as error:
            raise MissingExtra(f"Pillow has no letters ({error}); run: pip install -U pillow") from None


@lru_cache(maxsize=64)
def _font_path(letters: str) -> str | None:
    """The first font of the system that has these letters."""
    for path in _system_fonts():
        font = _open_font(path, 16)
        if font is not None and _has_letters(font, letters):
            return path
    return None


def _open_font(path: str, size: int) -> Any:
    import_pillow()
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(path, size)
    except (OSError, ImportError):  # no font that FreeType reads, or no FreeType
        return None
    # A path that FreeType does not read sends Pillow to the system's folders, for another font of that name.
    return font if font.path == path else None


def _has_letters(font: Any, text: str) -> bool:
    """Whether every letter of a text looks otherwise than one that the font does not have."""
    try:
        missing = _look(font, _NO_LETTER)
        return all(letter.isspace() or _look(font, letter) != missing for letter in set(text))
    except (UnicodeError, OSError, ValueError):  # a font of dots has Latin letters only
        return text.isascii()


def _look(font: Any, letter: str) -> tuple[Any, bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[str, ...]:
    """Font files of this machine, those that are known to have Chinese letters first.

    PPSTYLECLIP_FONT names one that comes before all others.
    """
    found = [path for folder in _font_folders() for path in _fonts_below(folder)]

    def rank(path: str) -> tuple[int, str]:
        name = os.path.basename(path).lower().replace("-", "")
        return next((k for k, word in enumerate(_CHINESE) if name.startswith(word)), len(_CHINESE)), path

    wished = os.environ.get("PPSTYLECLIP_FONT")
    return (*([wished] if wished else []), *sorted(found, key=rank)[:MOST_FONTS])


def _fonts_below(folder: Path) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(FONT_SUFFIXES):
                yield os.path.join(where, name)


def _font_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home))
        windows = os.environ.get("WINDIR", r"C:\Windows")
        return [Path(windows) / "Fonts", Path(local) / "Microsoft" / "Windows" / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"]
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".fonts",
        home / ".local" / "share" / "fonts",
    ]
