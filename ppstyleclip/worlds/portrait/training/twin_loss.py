# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The loss of a mapper's training through the PyTorch twins: pictures of the smaller blocks, in bfloat16.

CLIP looks at 96 px, so the blocks up to 128 px tell it what the whole generator would.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.ops.bicubic import resize_matrix
from ppstyleclip.worlds.portrait.training.clip.network import load_exported
from ppstyleclip.worlds.portrait.training.encoder.fit import Target
from ppstyleclip.worlds.portrait.training.network import F, half_precision, torch
from ppstyleclip.worlds.portrait.training.people import load_generator

_CORNERS = ((0, 0), (1, 1), (1, 0), (0, 1))  # as ppstyleclip.losses cuts its crops
SIZE = 128


def load_twins(pack):
    """(Target, CLIP) of the files in a pack, weights frozen."""
    generator, _ = load_generator(pack / "generator.safetensors")
    clip = load_exported(pack / "clip.safetensors")
    return Target(generator.requires_grad_(False)), clip.eval().requires_grad_(False)


class TwinLoss:
    """What compile_objective and compile_synthesis give, computed by the twins.

    Args:
        target: Target, of the generator's twin.
        clip: CLIP's twin.
        config: ObjectiveConfig; of its parts "clip" and "l2" are known, seen as CLIP's own view.
        size: side of the pictures; None is SIZE, or the generator's own where that is smaller.
        half: compute in bfloat16 where the processor can.
    Raises:
        UserError: an objective that has another part or view.
    """

    def __init__(self, target, clip, config, *, size=None, half=True):
        if set(config.parts) != {"clip", "l2"} or config.view != "clip":
            raise UserError("the twins know the parts clip and l2 and the view clip; leave out the others")
        self.target, self.clip, self.config = target, clip, config
        self.size = size or min(SIZE, target.generator.size)
        self._precision = half_precision if half else nullcontext

    def synthesize(self, styles):
        """Images `[N, 3, size, size]` float32 of the list of all styles."""
        with torch.no_grad(), self._precision():
            return self._draw([torch.from_numpy(np.asarray(one)) for one in styles]).numpy()

    def evaluate(self, arrays):
        """({part: [N]}, gradient of the sum of the losses in `latent`, images), see compile_objective."""
        named = {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}
        latent = named["latent"].requires_grad_(True)
        with self._precision():
            images = self._draw(self.target.styles(latent))
            seen = self._features(images)
        cosines = (seen[:, None] * named["texts"]).sum(2)
        parts = {
            "clip": ((1 - cosines) * named["text_weights"]).sum(1),
            "l2": self._distance(latent, named["start"]),
        }
        loss = sum(self.config.coefficient(name) * part.sum() for name, part in parts.items())
        (gradient,) = torch.autograd.grad(loss, [latent])
        found = {name: parts[name].detach().numpy() for name in self.config.parts}
        return found, gradient.numpy(), images.detach().numpy()

    def _distance(self, latent, start):
        squares = (latent - start).square().flatten(1)
        return squares.sum(1) if self.config.l2_reduction == "sum" else squares.mean(1)

    def _draw(self, styles):
        return self.target.generator.pictures(styles, self.size)[self.size]

    def _features(self, images):
        """Unit vectors `[N, E]`, the mean over the whole picture and its crops."""
        cut = max(1, round(self.config.margin * self.size))
        crops = [images] + [
            images[:, :, y * cut : self.size - (1 - y) * cut, x * cut : self.size - (1 - x) * cut]
            for x, y in _CORNERS[: self.config.crops - 1]
        ]
        pixels = torch.cat([self._resized(crop) for crop in crops])
        seen = F.normalize(self.clip.encode_pixels(pixels), dim=1).unflatten(0, (len(crops), -1))
        return F.normalize(seen.sum(0), dim=1)

    def _resized(self, images):
        """Pictures in [-1, 1] as CLIP sees them, [0, 1] and its size: Pillow's bicubic."""
        matrix = torch.from_numpy(resize_matrix(images.shape[-1], self.clip.config["image_size"]).copy())
        with torch.autocast("cpu", enabled=False):
            pixels = (images.float() * 0.5 + 0.5).clamp(0, 1)
            return (matrix @ (pixels @ matrix.T).clamp(0, 1)).clamp(0, 1)
