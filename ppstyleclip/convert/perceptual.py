# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""VGG16 and the linear heads of LPIPS (Zhang et al. 2018), which together say how alike two pictures look."""

from __future__ import annotations

from ppstyleclip.convert.kinds import Converted, Recognised
from ppstyleclip.convert.table import Row, Target, fill, paddle_rows, same, shape_of, torch_rows

# Widths of the convolutions; None is pooling.
_VGG16 = (64, 64, None, 128, 128, None, 256, 256, 256, None, 512, 512, 512, None, 512, 512, 512)
_CLASSIFIER = ((0, 512 * 49, 4096), (3, 4096, 4096), (6, 4096, 1000))
_HEADS = (64, 128, 256, 512, 512)


def vgg16_targets(*, has_classifier: bool) -> dict:
    """VGG16 under torchvision's and Paddle's names, which are the same, `{key: Target}`."""
    targets, before, index = {}, 3, 0
    for width in _VGG16:
        if width is None:
            index += 1
            continue
        targets[f"features.{index}.weight"] = Target((width, before, 3, 3))
        targets[f"features.{index}.bias"] = Target((width,))
        before, index = width, index + 2  # a convolution and its ReLU
    for index, before, after in _CLASSIFIER if has_classifier else ():
        targets[f"classifier.{index}.weight"] = Target((before, after), is_linear=True)
        targets[f"classifier.{index}.bias"] = Target((after,))
    return targets


def recognise_vgg16(content, container) -> Recognised | None:
    """torchvision's vgg16-397923af.pth, or Paddle's, with or without its classifier."""
    if not isinstance(content, dict) or not {"features.0.weight", "features.28.weight"} <= set(content):
        return None
    has_classifier = "classifier.0.weight" in content
    targets = vgg16_targets(has_classifier=has_classifier)
    is_torch = shape_of(content, "classifier.0.weight") == (4096, 512 * 49)
    rows = torch_rows(targets) if is_torch else paddle_rows(targets)
    says = "VGG16" + ("" if has_classifier else " without its classifier")
    return _recognised("vgg16", says, rows, content)


def recognise_lpips(content, container) -> Recognised | None:
    """LPIPS heads for VGG16: vgg.pth of version 0.1 (`lin0...`), or PaddleGAN's lins_0.1_vgg.pdparams."""
    if not isinstance(content, dict):
        return None
    prefix = "lin" if "lin0.model.1.weight" in content else ""
    if f"{prefix}0.model.1.weight" not in content:
        return None
    rows = [
        Row(f"{k}.model.1.weight", (1, width, 1, 1), f"{prefix}{k}.model.1.weight", same)
        for k, width in enumerate(_HEADS)
    ]
    return _recognised("lpips", "LPIPS heads for VGG16", rows, content)


def _recognised(kind, says, rows, content) -> Recognised:
    def convert() -> Converted:
        state, ignored = fill(rows, content)
        return Converted(kind, state, {}, ignored=ignored)

    return Recognised(kind, says, {}, convert)
