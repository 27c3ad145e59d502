# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A card as one picture: before, after, difference, numbers; and a label that can be seen."""

from __future__ import annotations

import numpy as np

from ppstyleclip.card.model import Card
from ppstyleclip.files import import_cv2
from ppstyleclip.labels import can_write, draw_badge, draw_line, writable

SIDE, GAP, LINE, SIZE = 256, 12, 22, 15  # pixels of a picture, between pictures, of a line, of a letter
INK, GREY = (30, 30, 30), (120, 120, 120)
COLOURS = {"good": (30, 130, 60), "weak": (170, 120, 0), "harmful": (180, 40, 30)}
AMPLIFIED = 1.5  # by which the difference is made more visible
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
    is_chinese = any(ord(letter) > 0x2E7F for letter in card.title) if chinese is None else chinese
    words = _WORDS if is_chinese and can_write("".join(_WORDS.values())) else {}
    lines = _lines(card, words)
    height = GAP + LINE + SIDE + GAP + LINE * (2 + len(lines)) + GAP
    sheet = np.full([height, 3 * SIDE + 4 * GAP, 3], 255, np.uint8)
    shown = {"before": before, "after": after, "difference": _difference(before, after)}
    for k, (title, picture) in enumerate(shown.items()):
        left, picture = GAP + k * (SIDE + GAP), _shown(picture)
        sheet = draw_line(sheet, words.get(title, title), (left, GAP), SIZE, colour=INK).copy()
        sheet[GAP + LINE : GAP + LINE + len(picture), left : left + picture.shape[1]] = picture
    verdict = words.get(card.verdict, card.verdict)
    told = [(card.title, INK), (f"{verdict}: {card.reason}", COLOURS[card.verdict])]
    told += [(line, INK if number < 2 else GREY) for number, line in enumerate(lines)]
    for number, (line, colour) in enumerate(told):
        top = GAP + LINE + SIDE + GAP + number * LINE
        sheet = draw_line(sheet, writable(line), (GAP, top), SIZE, colour=colour)
    return sheet


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
    text = next(one for one in ("AI生成", "AI") if one == "AI" or can_write(one))
    return draw_badge(pixels, text, max(9, round(0.05 * min(pixels.shape[:2]))))
