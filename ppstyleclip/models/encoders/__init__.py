# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus.

An encoder is one file here: a Layer, and a function under `register_encoder` that builds it. An import below
registers it; everything else (files, bundles, `Editor.invert`) finds it by its `encoder_type`.
"""

from .last_layer import LastLayerEncoder
from .published import PUBLISHED, PublishedKind
from .registry import ENCODERS, build_encoder, register_encoder
from .style_encoder import StyleEncoder

__all__ = [
    "ENCODERS",
    "LastLayerEncoder",
    "PUBLISHED",
    "PublishedKind",
    "StyleEncoder",
    "build_encoder",
    "register_encoder",
]
