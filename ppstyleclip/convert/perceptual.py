# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""VGG16 and the linear heads of LPIPS (Zhang et al. 2018), which together say how alike two pictures look."""

from __future__ import annotations

from ppstyleclip.convert.key_map import KeyMapping, map_state_dict, paddle_keys, same, shape_of, transposed
from ppstyleclip.convert.networks import lpips_head_parameters, vgg16_parameters
from ppstyleclip.convert.types import Converted, Recognised

_CLASSIFIER = ((0, 512 * 49, 4096), (3, 4096, 4096), (6, 4096, 1000))  # of the files; our VGG16 has none


def recognise_vgg16(content, container) -> Recognised | None:
    """torchvision's vgg16-397923af.pth, or Paddle's, with or without its classifier."""
    if not isinstance(content, dict) or not {"features.0.weight", "features.28.weight"} <= set(content):
        return None
    key_map, description = paddle_keys(vgg16_parameters()), "VGG16 without its classifier"
    if "classifier.0.weight" in content:
        is_torch = shape_of(content, "classifier.0.weight") == (4096, 512 * 49)
        key_map, description = key_map + _classifier_keys(is_torch), "VGG16"
    return _recognised("vgg16", description, key_map, content)


def _classifier_keys(is_torch: bool) -> list[KeyMapping]:
    key_map = []
    for index, before, after in _CLASSIFIER:
        name = f"classifier.{index}"
        turn = transposed if is_torch else same
        key_map.append(KeyMapping(f"{name}.weight", (before, after), f"{name}.weight", turn))
        key_map.append(KeyMapping(f"{name}.bias", (after,), f"{name}.bias"))
    return key_map


def recognise_lpips(content, container) -> Recognised | None:
    """LPIPS heads for VGG16: vgg.pth of version 0.1 (`lin0...`), or PaddleGAN's lins_0.1_vgg.pdparams."""
    if not isinstance(content, dict):
        return None
    prefix = "lin" if "lin0.model.1.weight" in content else ""
    if f"{prefix}0.model.1.weight" not in content:
        return None
    heads = lpips_head_parameters()
    key_map = [KeyMapping(key, spec.shape, f"{prefix}{key}") for key, spec in heads.items()]
    return _recognised("lpips", "LPIPS heads for VGG16", key_map, content)


def _recognised(kind, description, key_map, content) -> Recognised:
    def convert() -> Converted:
        state, ignored = map_state_dict(key_map, content)
        return Converted(kind, state, {}, ignored=ignored)

    return Recognised(kind, description, {}, convert)
