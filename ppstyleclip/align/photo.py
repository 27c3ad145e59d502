# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Read the pictures that users bring: turned, grey, transparent, 16-bit, CMYK, animated, huge, damaged."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import NO_PICTURE, check_file, import_pillow

MAX_MEGAPIXELS = 80
MIN_SIDE = 16  # pixels
TRANSPARENT_MODES = ("RGBA", "LA", "PA", "RGBa", "La")
DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")  # Pillow's names of grey with 16 bits


def read_photo(path: Any) -> np.ndarray:
    """Read a photo as a viewer shows it.

    It is turned as its EXIF orientation says; a colour profile is converted to sRGB, transparent parts are
    laid on white, 16 bits rounded to 8; of an animation the first frame is taken.

    Args:
        path: JPEG, PNG, GIF, WebP, TIFF, BMP, ...
    Returns:
        pixels `[H, W, 3]` uint8, RGB.
    Raises:
        MissingFile: there is no such file.
        UserError: it is no picture, is damaged, has more than MAX_MEGAPIXELS or a side under MIN_SIDE pixels.
    """
    image_module, path = import_pillow(), check_file(path)
    with _one_line(path, image_module), image_module.open(path) as image:
        _check_size(path, *image.size)
        if image.mode == "F":
            raise UserError(f"{path} holds numbers instead of colours; save it as an 8-bit picture first")
        return _upright_rgb(image)


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
    except image_module.UnidentifiedImageError:
        raise UserError(_unidentified(path)) from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} is a damaged picture ({reason}); save or download it again") from None


def _unidentified(path) -> str:
    with open(path, "rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp":
        return f"{path} is a HEIC picture or a video, which cannot be read; save it as JPEG or PNG first"
    return f"{path} {NO_PICTURE}" if start else f"{path} is empty; save or download it again"


def _check_size(path, width, height):
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise UserError(
            f"{path} has {width}x{height} pixels, more than {MAX_MEGAPIXELS} megapixels; "
            "make it smaller first"
        )
    if min(width, height) < MIN_SIDE:
        raise UserError(f"{path} has only {width}x{height} pixels, too few for a face; use a larger photo")


def _upright_rgb(image) -> np.ndarray:
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP_MODES:
        grey = np.clip(np.asarray(image), 0, 65535) / 257
        return np.repeat(np.round(grey).astype(np.uint8)[:, :, None], 3, 2)
    if image.mode in ("RGB", "CMYK") and "transparency" not in image.info:
        return np.array(_to_srgb(image).convert("RGB"))
    if image.mode in TRANSPARENT_MODES or "transparency" in image.info:
        image_module, image = import_pillow(), image.convert("RGBA")
        image = image_module.alpha_composite(image_module.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _to_srgb(image):
    """Convert by the picture's own colour profile; a profile that cannot be used is left aside."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImportError, OSError, ValueError, ImageCms.PyCMSError):
        return image
