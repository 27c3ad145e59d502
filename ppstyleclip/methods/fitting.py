# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Inversion by optimisation: latents, and if wanted the generator itself, until they draw a picture.

fit_latents       w_plus by Adam, as PaddleGAN's fitting and Image2StyleGAN (Abdal et al. 2019)
tune_generator    the generator's weights around latents that stay (Roich et al. 2021, PTI)
"""

from __future__ import annotations

import copy

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ppstyleclip.engine import compile_gradient
from ppstyleclip.errors import UserError
from ppstyleclip.losses import vgg_loss, vgg_maps
from ppstyleclip.methods.descent import Adam, descend
from ppstyleclip.models.lpips import IMAGE2STYLEGAN_TAPS
from ppstyleclip.models.stylegan2_fixed import FixedSynthesis

DEFAULT = Adam()
SEEN_SIDE = 256  # of the pictures that VGG compares
COARSEST = 8  # side of the smallest pictures that the plain loss compares


class PlainDistance(nn.Layer):
    """Mean squared difference of two pictures, added over their halvings down to COARSEST; no weights."""

    name = "plain"

    def prepare(self, images):
        """What `forward` compares with: the picture in every size, from the largest."""
        sizes = [images]
        while sizes[-1].shape[-1] > COARSEST:
            sizes.append(F.avg_pool2d(sizes[-1], 2, 2))
        return sizes

    def forward(self, images, wanted):
        """`[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return paddle.add_n([_mean_square(a - b) for a, b in zip(self.prepare(images), wanted)])


class LpipsDistance(nn.Layer):
    """LPIPS at 256 px.

    Args:
        lpips: models.lpips.LPIPS.
    """

    name = "lpips"

    def __init__(self, lpips):
        super().__init__()
        self.lpips = lpips

    def prepare(self, images):
        """LPIPS's features of a picture."""
        return self.lpips.directions(shrink(images))

    def forward(self, images, wanted):
        """`[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return self.lpips.distance(self.prepare(images), wanted)


class VggDistance(nn.Layer):
    """Squared differences of VGG-16's features, as losses.vgg_loss has them (Image2StyleGAN).

    Args:
        vgg: models.lpips.VGG16.
        taps: its layers.
    """

    name = "vgg"

    def __init__(self, vgg, taps=IMAGE2STYLEGAN_TAPS):
        super().__init__()
        self.vgg, self.taps = vgg, taps

    def prepare(self, images):
        """VGG's features of a picture; smaller ones than SEEN_SIDE are seen as they are."""
        return vgg_maps(self.vgg, images, self.taps, side=min(SEEN_SIDE, images.shape[-1]))

    def forward(self, images, wanted):
        """`[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return vgg_loss(self.prepare(images), wanted)


def shrink(images):
    """Average pictures down to SEEN_SIDE; smaller ones stay."""
    factor = images.shape[-1] // SEEN_SIDE
    return F.avg_pool2d(images, factor, factor) if factor > 1 else images


def _mean_square(difference):
    return paddle.mean(difference * difference, axis=[1, 2, 3])


class _Objective(nn.Layer):
    """w_plus to the mean loss, its parts and the pictures."""

    def __init__(self, generator, distance, mse_weight):
        super().__init__()
        self.affine, self.draw = generator, FixedSynthesis(generator)
        self.distance, self.mse_weight = distance, mse_weight

    def forward(self, tensors):
        images = self.draw(self.affine.style_affine(tensors["w_plus"]))
        wanted = [tensors[name] for name in sorted(tensors) if name.startswith("wanted")]
        apart = self.distance(images, wanted)
        mse = _mean_square(shrink(images) - tensors["target"])
        return [paddle.mean(apart + self.mse_weight * mse), apart, mse, images]


def fit_latents(generator, images, start, rates, *, distance=None, mse_weight=1.0, levels=None, adam=DEFAULT):
    """Move latents until they draw given pictures; several at once, each as if alone.

    Args:
        generator: StyleGANv2Generator in evaluation mode.
        images: `[N, 3, S, S]` float32 in [-1, 1], of the generator's size.
        start: w_plus `[N, L, D]`, such as an encoder's, or the mean latent.
        rates: learning rate of each step, such as descent.geometric(0.1, 0.025, 100), PaddleGAN's.
        distance: LpipsDistance or VggDistance; None is PlainDistance.
        mse_weight: of the squared differences of the pictures at SEEN_SIDE.
        levels: layers of w_plus that move; None is all.
        adam: an Adam.
    Returns:
        iterator of descent.Step.
    Raises:
        UserError: shapes disagree, a level that is not there, or a loss that is not finite.
    """
    images, start = np.asarray(images, np.float32), np.asarray(start, np.float32)
    _check(generator, images, start, levels)
    distance = PlainDistance() if distance is None else distance
    distance.eval()
    target = paddle.to_tensor(images)
    with paddle.no_grad():
        wanted = {f"wanted_{k}": part.numpy() for k, part in enumerate(distance.prepare(target))}
        fixed = {"target": shrink(target).numpy(), **wanted}
    shapes = {name: [-1, *array.shape[1:]] for name, array in {"w_plus": start, **fixed}.items()}
    objective = _Objective(generator, distance, mse_weight)
    run = compile_gradient(objective, shapes, ["w_plus"], [distance.name, mse_weight, generator.size])
    moving = np.zeros([1, generator.n_latent, 1], np.float32)
    moving[:, slice(None) if levels is None else list(levels)] = 1.0

    def evaluate(w_plus):
        (_, apart, mse, drawn), gradients = run({"w_plus": w_plus, **fixed})
        return {distance.name: apart, "mse": mse}, gradients["w_plus"] * (len(w_plus) * moving), drawn

    return descend(evaluate, start, rates, adam)


def _check(generator, images, start, levels):
    size, latent = generator.size, [generator.n_latent, generator.style_dim]
    if list(images.shape[1:]) != [3, size, size]:
        raise UserError(
            f"pictures have shape {list(images.shape)}, this generator draws [N, 3, {size}, {size}]"
        )
    if list(start.shape) != [len(images), *latent]:
        raise UserError(
            f"latents have shape {list(start.shape)}, {len(images)} pictures of this generator "
            f"have {[len(images), *latent]}"
        )
    odd = [level for level in levels or () if not 0 <= level < latent[0]]
    if odd:
        raise UserError(f"there is no level {odd[0]} in w_plus: this generator has 0 to {latent[0] - 1}")


def tune_generator(generator, image, w_plus, *, num_steps=350, rate=3e-4, distance=None, mse_weight=1.0):
    """Change a generator until fixed latents draw a picture, and yield as it goes.

    Args:
        generator: StyleGANv2Generator; it is left as it is, a copy changes.
        image: `[1, 3, S, S]` float32 in [-1, 1].
        w_plus: `[1, L, D]`.
        num_steps, rate: of Adam on the weights of the synthesis.
        distance, mse_weight: as in fit_latents.
    Yields:
        (step from 1, loss before it, the generator so far).
    """
    tuned = copy.deepcopy(generator)
    distance = PlainDistance() if distance is None else distance
    target, latent = (paddle.to_tensor(np.asarray(part, np.float32)) for part in (image, w_plus))
    with paddle.no_grad():
        wanted = distance.prepare(target)
    weights = [weight for name, weight in tuned.named_parameters() if not name.startswith("style.")]
    for weight in weights:
        weight.stop_gradient = False
    optimizer = paddle.optimizer.Adam(rate, parameters=weights)
    for step in range(1, num_steps + 1):
        drawn = tuned.synthesis_from_styles(tuned.style_affine(latent))
        mse = _mean_square(shrink(drawn) - shrink(target))
        loss = paddle.mean(distance(drawn, wanted) + mse_weight * mse)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        yield step, float(loss), tuned
