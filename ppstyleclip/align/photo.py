# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Read the pictures that users bring: turned, grey, transparent, 16-bit, CMYK, animated, huge, damaged."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import import_pillow
from ppstyleclip.inputs import as_picture
from ppstyleclip.pictures import MAX_MEGAPIXELS, open_picture

MIN_SIDE = 16  # pixels
BAND_PIXELS = 2**21  # that are converted at once, so that no mode takes much more memory than the picture
TRANSPARENT_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # Pillow's names of grey with 16 bits
ORIENTATION = 0x112  # in EXIF
# What each orientation asks for: rows and columns swapped, then rows reversed, columns reversed.
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def read_photo(path: Any) -> np.ndarray:
    """Read a photo as a viewer shows it.

    It is turned as its EXIF orientation says; a colour profile is converted to sRGB, transparent parts are
    laid on white, 16 bits rounded to 8; of an animation the first frame is taken.

    Args:
        path: PNG, JPEG, WebP, TIFF, BMP, GIF, PPM or AVIF, told by the content (pictures.FORMATS).
    Returns:
        pixels `[H, W, 3]` uint8, RGB.
    Raises:
        MissingFile: there is no such file.
        UserError: it is no such picture, is damaged, is too large (as pictures.open_picture), or has a side
            under MIN_SIDE pixels.
    """
    with _one_line(path, import_pillow()), open_picture(path) as image:
        pixels, orientation = _decoded(image, path)
    return _turned(pixels, orientation)  # the decoder's memory is free by now


def take_photo(photo: Any, what: str = "a photo") -> np.ndarray:
    """Take a photo as a caller has it.

    Args:
        photo: a path, which is read by read_photo; a PIL image, which becomes the same pixels as its file
            would; or pixels, as inputs.as_picture takes them.
        what: begins the line of the error.
    Returns:
        pixels `[H, W, 3]` uint8, RGB.
    Raises:
        UserError, MissingFile: it is none of these, or as read_photo.
    """
    if isinstance(photo, (str, os.PathLike)):
        return read_photo(photo)
    if hasattr(photo, "getbands"):  # a PIL image
        with _one_line(what, import_pillow()):
            return _turned(*_decoded(photo, what))
    return as_picture(photo, f"{what} is a path or [H, W, 3] uint8")


def _decoded(image: Any, name: Any) -> tuple[np.ndarray, Any]:
    """Pixels of a PIL image as it lies, and its orientation."""
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise UserError(f"{name} has only {width}x{height} pixels, too few for a face; use a larger photo")
    if image.mode == "F":
        raise UserError(f"{name} holds numbers instead of colours; save it as an 8-bit picture first")
    orientation = _orientation(image)
    return _rgb(image), orientation


@contextlib.contextmanager
def _one_line(path, image_module):
    """Turn the decoder's complaints into one line, and silence its warnings about odd but readable files."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except image_module.DecompressionBombError:
        raise UserError(f"{path} has more than {MAX_MEGAPIXELS} megapixels; make it smaller first") from None
    except (OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, struct.error) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is a damaged picture ({reason}); save or download it again") from None


def _orientation(image: Any) -> Any:
    """What EXIF says, if it can be read; a viewer shows a photo with broken EXIF all the same."""
    with contextlib.suppress(ValueError, SyntaxError, TypeError, LookupError, struct.error):
        return image.getexif().get(ORIENTATION)
    return None


def _turned(pixels: np.ndarray, orientation: Any) -> np.ndarray:
    swap, rows, columns = _TURNS.get(orientation, (False, False, False))
    turned = pixels.swapaxes(0, 1) if swap else pixels
    return np.ascontiguousarray(turned[:: -1 if rows else 1, :: -1 if columns else 1])


def _rgb(image: Any) -> np.ndarray:
    """Convert to `[H, W, 3]` uint8, band by band."""
    (width, height), rows = image.size, max(1, BAND_PIXELS // image.size[0])
    out, to_srgb = np.empty([height, width, 3], np.uint8), _to_srgb(image)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(height, top + rows)))
        out[top : top + rows] = _band_rgb(band, to_srgb)
    return out


def _band_rgb(image: Any, to_srgb: Callable[[Any], Any]) -> np.ndarray:
    if image.mode in DEEP_MODES:
        grey = np.clip(np.asarray(image), 0, 65535) / 257
        return np.round(grey).astype(np.uint8)[:, :, None]
    if image.mode in ("RGB", "CMYK") and "transparency" not in image.info:
        return np.asarray(to_srgb(image).convert("RGB"))
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        image_module, image = import_pillow(), image.convert("RGBA")
        image = image_module.alpha_composite(image_module.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))


def _to_srgb(image: Any) -> Callable[[Any], Any]:
    """What converts by the picture's own colour profile; a profile that cannot be used is left aside."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK"):
        return lambda band: band
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), image.mode, "RGB")
    except (ImportError, OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return lambda band: band
    return lambda band: ImageCms.applyTransform(band, transform)
