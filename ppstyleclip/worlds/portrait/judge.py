# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The attribute regressor that judges edits: it reads the renderer's factors back from a picture.

It has learnt from rendered pictures and their true factors only, never from CLIP or a generator, so that it
can judge both (`ppstyleclip.worlds.portrait.training.regressor`).
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors
from ppstyleclip.models.state import build_with_state
from ppstyleclip.ops.bicubic import resize_matrix
from ppstyleclip.schema import parse_json
from ppstyleclip.worker import on_worker
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS

KIND = "ppstyleclip judge"


class Judge(nn.Layer):
    """Picture `[N, 3, side, side]` in [-1, 1] to factors `[N, NUM_FACTORS]`, in the population's deviations.

    Args:
        width: channels of the first block.
        side: of the pictures, a multiple of 16.
    """

    def __init__(self, width: int = 20, side: int = 96):
        super().__init__()
        self.width, self.side = width, side
        plan = [(0, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 2), (4, 4, 1), (4, 4, 2), (4, 4, 2)]
        self.blocks = nn.LayerList()
        for before, after, stride in plan:
            conv = nn.Conv2D(before * width or 3, after * width, 3, stride=stride, padding=1, bias_attr=False)
            self.blocks.append(nn.Sequential(conv, nn.BatchNorm2D(after * width), nn.LeakyReLU(0.1)))
        self.hidden = nn.Linear(4 * width * (side // 16) ** 2, 256)
        self.out = nn.Linear(256, NUM_FACTORS)

    def forward(self, images):
        for block in self.blocks:
            images = block(images)
        return self.out(F.relu(self.hidden(images.flatten(1))))


@on_worker
def load_judge(path) -> Judge:
    """The judge of a file, in evaluation mode.

    Raises:
        UserError: the file holds no judge.
    """
    tensors, about = read_safetensors(path)
    if about.get("kind") != KIND:
        raise UserError(f"{path} holds no judge but {about.get('kind', 'something else')!r}")
    config = parse_json(about["config"])
    judge = build_with_state(lambda: Judge(**config), tensors, "judge")
    judge.eval()
    return judge


@on_worker
def read_factors(judge: Judge, images, batch: int = 64) -> np.ndarray:
    """Factors `[N, NUM_FACTORS]` that a judge sees in images `[N, 3, S, S]` in [-1, 1] of any size."""
    found, images = [], np.asarray(images, np.float32)
    matrix = resize_matrix(images.shape[-1], judge.side).astype(np.float32)
    with paddle.no_grad():
        for start in range(0, len(images), batch):
            part = (matrix @ (images[start : start + batch] @ matrix.T)).clip(-1, 1)
            found.append(judge(paddle.to_tensor(part)).numpy())
    return np.concatenate(found)
