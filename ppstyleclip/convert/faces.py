# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks that tell faces apart: IR-SE50 (ArcFace, TreB1eN) and ResNet-18 ArcFace (ronghuaiyang)."""

from __future__ import annotations

from ppstyleclip.convert.kinds import Converted, Recognised
from ppstyleclip.convert.table import (
    BATCHES_SEEN,
    Row,
    Target,
    fill,
    norm_targets,
    paddle_rows,
    torch_rows,
)

_STAGES = ((64, 64, 3), (64, 128, 4), (128, 256, 14), (256, 512, 3))  # in, out, blocks
_FACE_SIDE = 7  # of the last features, 512 channels
_ARCFACE_SIDE = 8


def irse50_body_targets(input_nc: int) -> dict:
    """Input layer and 24 blocks of IR-SE50, `{key: Target}`; also the trunk of pSp's and e4e's encoders."""
    targets = {
        "input_layer.0.weight": Target((64, input_nc, 3, 3)),
        **norm_targets("input_layer.1", 64),
        "input_layer.2._weight": Target((64,)),
    }
    widths = [
        (first if block == 0 else depth, depth) for first, depth, count in _STAGES for block in range(count)
    ]
    for index, (before, depth) in enumerate(widths):
        targets.update(_se_block(f"body.{index}", before, depth))
    return targets


def _se_block(name, before, depth) -> dict:
    layer = f"{name}.res_layer"
    targets = {}
    if before != depth:  # a block that only halves the picture has no weights here
        targets[f"{name}.shortcut_layer.0.weight"] = Target((depth, before, 1, 1))
        targets.update(norm_targets(f"{name}.shortcut_layer.1", depth))
    return {
        **targets,
        **norm_targets(f"{layer}.0", before),
        f"{layer}.1.weight": Target((depth, before, 3, 3)),
        f"{layer}.2._weight": Target((depth,)),
        f"{layer}.3.weight": Target((depth, depth, 3, 3)),
        **norm_targets(f"{layer}.4", depth),
        f"{layer}.5.fc1.weight": Target((depth // 16, depth, 1, 1)),
        f"{layer}.5.fc2.weight": Target((depth, depth // 16, 1, 1)),
    }


def irse50_targets() -> dict:
    """All of IR-SE50, from a picture of 112 px to a feature of 512."""
    return {
        **irse50_body_targets(3),
        **norm_targets("output_layer.0", 512),
        "output_layer.3.weight": Target((512 * _FACE_SIDE**2, 512), is_linear=True),
        "output_layer.3.bias": Target((512,)),
        **norm_targets("output_layer.4", 512),
    }


def arcface_targets() -> dict:
    """ResNet-18 of ArcFace without squeeze and excitation, from one grey channel of 128 px."""
    targets = {
        "conv1.weight": Target((64, 1, 3, 3)),
        **norm_targets("bn1", 64),
        "prelu._weight": Target((1,)),
    }
    before = 64
    for stage, width in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            targets.update(_ir_block(f"layer{stage}.{block}", before, width))
            before = width
    return {
        **targets,
        **norm_targets("bn4", 512),
        "fc5.weight": Target((512 * _ARCFACE_SIDE**2, 512), is_linear=True),
        "fc5.bias": Target((512,)),
        **norm_targets("bn5", 512),
    }


def _ir_block(name, before, width) -> dict:
    targets = {
        **norm_targets(f"{name}.bn0", before),
        f"{name}.conv1.weight": Target((before, before, 3, 3)),
        **norm_targets(f"{name}.bn1", before),
        f"{name}.prelu._weight": Target((1,)),
        f"{name}.conv2.weight": Target((width, before, 3, 3)),
        **norm_targets(f"{name}.bn2", width),
    }
    if before != width:
        targets[f"{name}.downsample.0.weight"] = Target((width, before, 1, 1))
        targets.update(norm_targets(f"{name}.downsample.1", width))
    return targets


def recognise_irse50(content, container) -> Recognised | None:
    """model_ir_se50.pth, or the same in Paddle's names."""
    if not _has(content, "input_layer.0.weight", "output_layer.3.weight"):
        return None
    targets = irse50_targets()
    is_torch = "input_layer.1.running_mean" in content
    rows = torch_rows(targets) if is_torch else paddle_rows(targets)
    return _recognised("irse50", "IR-SE50, face features (ArcFace)", rows, content)


def recognise_arcface(content, container) -> Recognised | None:
    """resnet18_110.pth, whose keys all start with `module.`, or PaddleGAN's arcface_resnet18.pdparams."""
    targets = arcface_targets()
    if _has(content, "module.conv1.weight", "module.fc5.weight"):
        rows = torch_rows(targets, "module.")
    elif _has(content, "conv1.weight", "fc5.weight") and "bn1._mean" in content:
        # Parity: PaddleGAN's own PReLU calls its weight `weight`, as its published file does.
        rows = [
            Row(row.target, row.shape, row.source.replace("._weight", ".weight"), row.transform)
            for row in paddle_rows(targets)
        ]
    else:
        return None
    return _recognised("arcface", "ResNet-18, features of grey faces of 128 px (ArcFace)", rows, content)


def _has(content, *keys) -> bool:
    return isinstance(content, dict) and all(key in content for key in keys)


def _recognised(kind, says, rows, content) -> Recognised:
    def convert() -> Converted:
        state, ignored = fill(rows, content, [BATCHES_SEEN])
        return Converted(kind, state, {}, ignored=ignored)

    return Recognised(kind, says, {}, convert)
