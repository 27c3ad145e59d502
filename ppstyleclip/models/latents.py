# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What generators of all families do with latents and styles before they draw."""

from __future__ import annotations

import numpy as np
import paddle

from ..errors import UserError


def check_z(generator, z):
    """Return z `[N, D]` as it is, or refuse it (UserError)."""
    if z.ndim != 2 or z.shape[1] != generator.style_dim:
        raise UserError(f"z must be [N, {generator.style_dim}], got {list(z.shape)}")
    return z


def random_z(generator, count, seed):
    """Standard normal z `[count, D]`."""
    z = np.random.RandomState(seed).standard_normal((count, generator.style_dim))
    return paddle.to_tensor(z.astype("float32"))


def spread_latent(generator, latent):
    """Return w_plus `[N, L, D]` for w `[N, D]` or w_plus.

    Raises:
        UserError: it is neither.
    """
    check_latent(generator, latent)
    return latent.unsqueeze(1).expand([-1, generator.n_latent, -1]) if latent.ndim == 2 else latent


def truncate_latent(generator, w_plus, truncation, cutoff, mean):
    """Pull the first `cutoff` layers of w_plus (None: all) towards the mean.

    Args:
        generator: of any family.
        w_plus: `[N, L, D]`.
        truncation: 1 leaves w_plus as it is, 0 gives the mean.
        cutoff: number of layers, from the coarsest on.
        mean: `[D]`, `[1, D]` or `[1, L, D]`; None computes it.
    Raises:
        UserError: a number is negative, or the mean is no latent.
    """
    if truncation < 0 or (cutoff is not None and cutoff < 0):
        raise UserError(f"truncation and its cutoff must not be negative, got {truncation} and {cutoff}")
    if truncation >= 1.0:
        return w_plus
    mean = generator.mean_latent() if mean is None else mean
    mean = spread_latent(generator, mean.unsqueeze(0) if mean.ndim == 1 else mean)
    strength = np.ones([1, generator.n_latent, 1], dtype="float32")
    strength[:, :cutoff] = truncation
    return mean + (w_plus - mean) * paddle.to_tensor(strength)


def check_latent(generator, latent):
    """Refuse what is neither w nor w_plus (UserError)."""
    dim, layers = generator.style_dim, generator.n_latent
    if latent.ndim not in (2, 3) or list(latent.shape[1:]) not in ([dim], [layers, dim]):
        raise UserError(
            f"a latent of this {generator.size} px generator is [N, {dim}] or [N, {layers}, {dim}]; "
            f"got {list(latent.shape)}"
        )


def check_styles(generator, styles):
    """Refuse styles that are not a generator's (UserError)."""
    widths = generator.layout.channels
    if len(styles) != len(widths):
        raise UserError(f"this {generator.size} px generator takes {len(widths)} styles, got {len(styles)}")
    if not paddle.in_dynamic_mode():
        return  # an exported program knows its batch only when it runs
    batch = styles[0].shape[0]
    for index, (style, width) in enumerate(zip(styles, widths)):
        if list(style.shape) != [batch, width]:
            raise UserError(f"style {index} must be [{batch}, {width}], got {list(style.shape)}")
