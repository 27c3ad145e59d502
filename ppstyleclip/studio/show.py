# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures and numbers as the page takes them: plain values, pictures as data in the answer itself.

Nothing of a visitor's pictures is written to the disk.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import numpy as np

from ppstyleclip.card.model import Numbers
from ppstyleclip.errors import UserError
from ppstyleclip.files import encode_picture, import_cv2, import_pillow
from ppstyleclip.regions import RegionMask
from ppstyleclip.studio.session import Session, Step

SHOWN, MOST_SHOWN = 640, 1024  # pixels of a face on the page
PHOTO_SHOWN = 1280  # of a photo's longer side, at most
THUMB = 128
QUALITY = 90
MOST_BRUSH = 2_000_000  # letters of a painted mask
BRUSH_SIDE = 1024


def picture(pixels: np.ndarray, side: int | None = None) -> str:
    """A picture `[H, W, 3]` uint8 as data for a page, its longer side made `side` pixels, smoothly.

    None: SHOWN to MOST_SHOWN pixels, as near to its own size as that allows.
    """
    cv2, longest = import_cv2(), max(pixels.shape[:2])
    side = min(max(longest, SHOWN), MOST_SHOWN) if side is None else side
    if longest != side:
        size = round(pixels.shape[1] * side / longest), round(pixels.shape[0] * side / longest)
        way = cv2.INTER_AREA if longest > side else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, (max(1, size[0]), max(1, size[1])), interpolation=way)
    return _data(pixels)


def at_most(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture `[H, W, 3]` uint8 whose longer side is not above `side` pixels."""
    cv2, longest = import_cv2(), max(pixels.shape[:2])
    if longest <= side:
        return pixels
    size = max(1, round(pixels.shape[1] * side / longest)), max(1, round(pixels.shape[0] * side / longest))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def photo(pixels: np.ndarray) -> str:
    """A photo as data for a page, made smaller where it is large."""
    return picture(pixels, min(PHOTO_SHOWN, max(pixels.shape[:2])))


def _data(pixels: np.ndarray) -> str:
    memory = io.BytesIO()
    import_pillow().fromarray(pixels).save(memory, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()


def file_data(data: bytes, kind: str) -> str:
    """A file as data that a page can save."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def upload_bytes(text: Any) -> bytes:
    """The bytes of a photo that a page has sent, `data:image/...;base64,...`.

    Raises:
        UserError: it is none.
    """
    head, _, body = text.partition(",") if isinstance(text, str) else ("", "", "")
    try:
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise UserError("the page has sent no picture; choose a JPEG, PNG or WebP") from None


def painted_mask(text: Any, size: int, name: str = "brush") -> RegionMask | None:
    """The mask that was painted on the page, for a face of `size` pixels; None where nothing is painted.

    Raises:
        UserError: it is no PNG.
    """
    if not text:
        return None
    if not isinstance(text, str) or len(text) > MOST_BRUSH:
        raise UserError("the painted mask is too large; paint it again")
    data, cv2 = upload_bytes(text), import_cv2()
    sides = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    is_png = data.startswith(b"\x89PNG\r\n\x1a\n") and 0 < min(sides) and max(sides) <= BRUSH_SIDE
    levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if is_png else None
    if levels is None:
        raise UserError("the painted mask is no picture; paint it again")
    way = cv2.INTER_AREA if len(levels) > size else cv2.INTER_LINEAR
    small = cv2.resize(levels, (size, size), interpolation=way)
    return None if small.max() < 16 else RegionMask(small, name)


def mask_picture(mask: np.ndarray | None) -> str:
    """Where an edit may change the picture, as a light layer above it: a PNG `[S, S]`; "" for everywhere."""
    if mask is None:
        return ""
    levels = np.rint(255 * np.asarray(mask)).astype(np.uint8)
    return file_data(encode_picture(np.repeat(levels[:, :, None], 3, axis=2)), "image/png")


def steps_list(session: Session) -> list[dict[str, Any]]:
    """The list of edits: words, strength and region of each."""
    return [
        {**_step(one), "accepted": number < len(session.now.steps)}
        for number, one in enumerate(session.steps)
    ]


def _step(step: Step) -> dict[str, Any]:
    return {
        "title": step.title,
        "method": step.method,
        "alpha": f"{step.alpha:+.3g}",
        "region": "" if step.region is None else str(step.region),
        "bound": step.bound,
    }


def card_values(measured: tuple[Numbers, str, str] | None) -> dict[str, Any]:
    """What the card beside the picture shows; {} for nothing."""
    if measured is None:
        return {}
    numbers, verdict, reason = measured
    return {
        "verdict": verdict,
        "reason": reason,
        "identity": None if numbers.identity is None else round(numbers.identity, 3),
        "inside": round(numbers.inside, 3),
        "outside": round(numbers.outside, 3),
        "along": round(numbers.along, 3),
        "across": round(numbers.across, 3),
        "changed": round(numbers.changed, 3),
        "likeness": numbers.likeness,
    }
