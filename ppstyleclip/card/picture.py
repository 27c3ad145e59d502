# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A card as one picture: before, after, difference, numbers; and a label that can be seen."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.card.model import Card
from ppstyleclip.errors import MissingExtra
from ppstyleclip.files import import_cv2, import_pillow

SIDE, GAP, LINE, SIZE = 256, 12, 22, 15  # pixels of a picture, between pictures, of a line, of a letter
INK, GREY = (30, 30, 30), (120, 120, 120)
COLOURS = {"good": (30, 130, 60), "weak": (170, 120, 0), "harmful": (180, 40, 30)}
AMPLIFIED = 1.5  # by which the difference is made more visible
# Fonts that have Chinese letters, where systems keep them.
_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simsun.ttc",
)
_WORDS = {
    "before": "修改前",
    "after": "修改后",
    "difference": "差异",
    "good": "良好",
    "weak": "不足",
    "harmful": "有害",
    "identity": "身份",
    "inside": "区域内",
    "outside": "区域外",
    "along the text": "沿文本",
    "across it": "偏离文本",
    "strength": "强度",
    "channels": "通道",
    "seconds": "秒",
    "region": "区域",
}


def draw_card(
    card: Card, before: np.ndarray, after: np.ndarray, *, chinese: bool | None = None
) -> np.ndarray:
    """Draw a card.

    Args:
        card: Card.
        before, after: `[H, W, 3]` uint8.
        chinese: write Chinese; None: where the edit's words do, and a font on this machine has the letters.
    Returns:
        `[H, W, 3]` uint8.
    Raises:
        MissingExtra: there is no Pillow.
    """
    has_letters = _chinese_font() is not None
    is_chinese = any(ord(letter) > 0x2E7F for letter in card.title) if chinese is None else chinese
    words = _WORDS if is_chinese and has_letters else {}
    lines = _lines(card, words)
    pictures = [_shown(one) for one in (before, after, _difference(before, after))]
    height = GAP + LINE + SIDE + GAP + LINE * (2 + len(lines)) + GAP
    image_module = import_pillow()
    from PIL import ImageDraw

    sheet = image_module.new("RGB", (3 * SIDE + 4 * GAP, height), "white")
    draw, font = ImageDraw.Draw(sheet), _font(SIZE, is_chinese)
    for k, (picture, title) in enumerate(zip(pictures, ("before", "after", "difference"))):
        left = GAP + k * (SIDE + GAP)
        draw.text((left, GAP), words.get(title, title), INK, font)
        sheet.paste(image_module.fromarray(picture), (left, GAP + LINE))
    top = GAP + LINE + SIDE + GAP
    draw.text((GAP, top), _writable(card.title, has_letters), INK, font)
    verdict = words.get(card.verdict, card.verdict)
    draw.text((GAP, top + LINE), f"{verdict}: {card.reason}", COLOURS[card.verdict], font)
    for number, line in enumerate(lines, 2):
        draw.text((GAP, top + number * LINE), line, INK if number < 4 else GREY, font)
    return np.asarray(sheet)


def _lines(card: Card, words: dict[str, str]) -> list[str]:
    def say(word: str) -> str:
        return words.get(word, word)

    n, last = card.numbers, card.edits[-1]
    identity = "-" if n.identity is None else f"{n.identity:.3f}"
    bound = f" ({last.bound_by})" if last.bound_by else ""
    region = last.region.name if last.region else "-"
    return [
        f"{say('identity')} {identity}   {n.likeness} {say('inside')} {n.inside:.3f}, {say('outside')} "
        f"{n.outside:.3f}   CLIP {say('along the text')} {n.along:+.3f}, {say('across it')} {n.across:.3f}",
        f"{say('strength')} {last.alpha:g} {last.unit}{bound}   {say('region')} {region}   {say('channels')} "
        f"{card.moved.channels}/{card.moved.editable}   {card.seconds:g} {say('seconds')}",
        f"{card.model}   generator {card.fingerprints.get('generator', '')}   clip "
        f"{card.fingerprints.get('clip', '')}   ppstyleclip {card.versions.get('ppstyleclip', '')}, paddle "
        f"{card.versions.get('paddle', '')}",
    ]


def _writable(text: str, has_letters: bool) -> str:
    """A text without the letters that no font here has; the JSON has them all."""
    return text if has_letters else "".join(sign if ord(sign) < 0x2E80 else "?" for sign in text)


def _difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    change = (np.int16(after) - np.int16(before)) * AMPLIFIED
    return np.clip(128 + change, 0, 255).astype(np.uint8)


def _shown(picture: np.ndarray) -> np.ndarray:
    cv2 = import_cv2()
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, size, interpolation=way)


def add_visible_label(pixels: np.ndarray) -> np.ndarray:
    """A picture with a label in its lower right corner that says it is synthetic.

    The letters are a twentieth of the shorter side, as GB 45438-2025 asks, and at least nine pixels. Where
    no font here has Chinese letters, it says AI.
    """
    image_module = import_pillow()
    from PIL import ImageDraw

    has_letters = _chinese_font() is not None
    text, size = "AI生成" if has_letters else "AI", max(9, round(0.05 * min(pixels.shape[:2])))
    image = image_module.fromarray(pixels)
    draw, font = ImageDraw.Draw(image, "RGBA"), _font(size, has_letters)
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    pad = max(1, size // 6)
    x, y = image.width - (right - left) - 2 * pad, image.height - (bottom - top) - 2 * pad
    draw.rectangle((x - pad, y - pad, image.width, image.height), (0, 0, 0, 140))
    draw.text((x - left, y - top), text, (255, 255, 255, 255), font)
    return np.asarray(image.convert("RGB"))


@lru_cache(maxsize=8)
def _font(size: int, chinese: bool) -> Any:
    from PIL import ImageFont

    path = _chinese_font() if chinese else None
    try:
        return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
    except (TypeError, OSError, ImportError):  # an older Pillow, or one without FreeType
        try:
            return ImageFont.load_default()
        except OSError as error:
            raise MissingExtra(f"Pillow has no letters ({error}); run: pip install -U pillow") from None


@lru_cache(maxsize=1)
def _chinese_font() -> str | None:
    """A font of this machine that has Chinese letters; PPSTYLECLIP_FONT names another."""
    wished = os.environ.get("PPSTYLECLIP_FONT")
    return next((path for path in filter(None, (wished, *_FONTS)) if Path(path).is_file()), None)
