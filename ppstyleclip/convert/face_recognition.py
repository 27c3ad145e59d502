# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks that tell faces apart: IR-SE50 (ArcFace, TreB1eN) and ResNet-18 ArcFace (ronghuaiyang)."""

from __future__ import annotations

from ppstyleclip.convert.key_map import BATCHES_SEEN, KeyMapping, map_state_dict, paddle_keys, torch_keys
from ppstyleclip.convert.networks import arcface_parameters, irse50_parameters
from ppstyleclip.convert.types import Converted, Recognised


def recognise_irse50(content, container) -> Recognised | None:
    """model_ir_se50.pth, or the same in Paddle's names."""
    if not _has(content, "input_layer.0.weight", "output_layer.3.weight"):
        return None
    is_torch = "input_layer.1.running_mean" in content
    key_map = (torch_keys if is_torch else paddle_keys)(irse50_parameters())
    return _recognised("irse50", "IR-SE50, face features (ArcFace)", key_map, content)


def recognise_arcface(content, container) -> Recognised | None:
    """resnet18_110.pth, or PaddleGAN's arcface_resnet18.pdparams."""
    if _has(content, "conv1.weight", "fc5.weight", "bn1.running_mean"):
        key_map = torch_keys(arcface_parameters())
    elif _has(content, "conv1.weight", "fc5.weight", "bn1._mean"):
        key_map = paddle_keys(arcface_parameters())
        if "prelu._weight" in content:  # as this package wrote it until 0.1.0
            key_map = [_with_underscore(mapping) for mapping in key_map]
    else:
        return None
    return _recognised("arcface", "ResNet-18, features of grey faces of 128 px (ArcFace)", key_map, content)


def _with_underscore(mapping: KeyMapping) -> KeyMapping:
    source = mapping.source.replace("prelu.weight", "prelu._weight")
    return KeyMapping(mapping.target, mapping.shape, source, mapping.transform)


def _has(content, *keys) -> bool:
    return isinstance(content, dict) and all(key in content for key in keys)


def _recognised(kind, description, key_map, content) -> Recognised:
    def convert() -> Converted:
        state, ignored = map_state_dict(key_map, content, [BATCHES_SEEN])
        return Converted(kind, state, {}, ignored=ignored)

    return Recognised(kind, description, {}, convert)
