# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From other people's weights to ours: what they are is told by keys and shapes, never by a file's name.

Works on what formats.load_arrays returns and touches no files. Each kind has a key map (see
key_map.py) over what our own network holds, and a function that recognises it.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.convert.architecture import fits_multiplier, infer_generator_config
from ppstyleclip.convert.chinese_clip import recognise_chinese
from ppstyleclip.convert.clips import recognise_hugging_face, recognise_openai
from ppstyleclip.convert.encoders import recognise_paddle_psp, recognise_torch_encoder
from ppstyleclip.convert.face_recognition import recognise_arcface, recognise_irse50
from ppstyleclip.convert.key_map import without_module
from ppstyleclip.convert.mappers import recognise_mapper, recognise_pickled_mapper
from ppstyleclip.convert.nvidia import recognise_nvidia, refuse_tensorflow
from ppstyleclip.convert.perceptual import recognise_lpips, recognise_vgg16
from ppstyleclip.convert.style_data import (
    complete_relevance,
    describe_widths,
    directions_of,
    recognise_directions,
    recognise_latents,
    recognise_relevance,
    recognise_statistics,
    recognise_styles,
)
from ppstyleclip.convert.stylegan2 import generator_sample, recognise_paddlegan, recognise_rosinality
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain

__all__ = [
    "Converted",
    "Recognised",
    "complete_relevance",
    "convert",
    "describe_widths",
    "directions_of",
    "fits_multiplier",
    "generator_sample",
    "infer_generator_config",
    "recognise",
]

_RECOGNISERS = (
    refuse_tensorflow,
    recognise_rosinality,
    recognise_nvidia,
    recognise_torch_encoder,
    recognise_mapper,
    recognise_paddle_psp,
    recognise_paddlegan,
    recognise_pickled_mapper,
    recognise_chinese,
    recognise_openai,
    recognise_hugging_face,
    recognise_irse50,
    recognise_arcface,
    recognise_vgg16,
    recognise_lpips,
    recognise_statistics,
    recognise_styles,
    recognise_directions,
    recognise_relevance,
    recognise_latents,
)
_STATE_DICTS = ("g_ema", "G_ema", "state_dict")  # within a checkpoint
KNOWN = (
    "StyleGAN2 generators (PaddleGAN, rosinality, NVIDIA), StyleGAN3 generators (NVIDIA), CLIPs (OpenAI, "
    "Hugging Face, paddleclip, Chinese-CLIP), "
    "pSp, e4e, ReStyle, StyleCLIP mappers, IR-SE50, ResNet-18 ArcFace, VGG16, LPIPS heads, statistics, "
    "styles, relevance (fs3), editing directions and latents"
)


def recognise(content, container: str | None = None) -> Recognised:
    """Say what something is; nothing is converted yet.

    Args:
        content: what formats.load_arrays returned: dicts, lists and arrays, networks as SavedModule.
        container: the kind of file, as formats.sniff names it; needed only for a bare state dict of a
            generator all of whose layers are as wide as w, which reads the same in both layouts.
    Raises:
        UserError: it is of no known kind (says what was seen and lists the kinds), or of a known kind that
            cannot be converted.
    """
    content = _without_wrappers(content) if _has_names(content) else content
    for recogniser in _RECOGNISERS if _has_names(content) else ():
        found = recogniser(content, container)
        if found is not None:
            return found
    raise UserError(f"what this is was not recognised: {_seen(content)}; known are {KNOWN}")


def convert(content, container: str | None = None) -> Converted:
    """Convert weights or measurements to our form; arguments and errors as recognise.

    Raises:
        UserError: also where a key is missing, unknown or of another shape; names up to three.
    """
    return recognise(content, container).convert()


def _has_names(content) -> bool:
    """Tell whether the keys of a dict, and of the state dicts in it, are texts."""
    if not isinstance(content, dict):
        return True
    parts = [content, *(content.get(word) for word in _STATE_DICTS)]
    return all(type(key) is str for part in parts if isinstance(part, dict) for key in part)


def _without_wrappers(content):
    """Drop the `module.` that torch's DataParallel puts before all keys of a network, or of its parts."""
    if not isinstance(content, dict):
        return content
    inner = {
        word: without_module(content[word]) for word in _STATE_DICTS if isinstance(content.get(word), dict)
    }
    return without_module({**content, **inner})


def _seen(content) -> str:
    if hasattr(content, "state"):
        return f"a pickled {plain(content.class_name)} with {_names(content.state())}"
    if isinstance(content, dict):
        return f"a dict with {_names(content)}"
    if isinstance(content, (list, tuple)):
        return f"a list of {len(content)}"
    if isinstance(content, np.ndarray):
        return f"an array {list(content.shape)} of {content.dtype}"
    return f"a {type(content).__name__}"


def _names(keys) -> str:
    return named(keys, 4) if len(keys) else "nothing in it"
