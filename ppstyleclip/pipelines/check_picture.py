# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A few sampled faces of a generator in one picture, by which a look tells whether its weights are whole."""

from __future__ import annotations

import numpy as np
import paddle

from ppstyleclip.pictures import enlarged, grid, to_pixels
from ppstyleclip.worker import on_worker

FACES, TRUNCATION = 4, 0.7


@on_worker
def draw_faces(generator, mean: np.ndarray | None = None) -> np.ndarray:
    """Draw a few sampled faces of a generator side by side.

    Args:
        generator: StyleGANv2Generator.
        mean: `[D]` the mean w that they are pulled towards; None estimates it.
    Returns:
        one picture `[H, W, 3]` uint8.
    """
    z = np.random.RandomState(0).standard_normal((FACES, generator.style_dim)).astype(np.float32)
    with paddle.no_grad():
        centre = generator.mean_latent() if mean is None else paddle.to_tensor(mean)
        w_plus = generator.get_latents(paddle.to_tensor(z), TRUNCATION, truncation_latent=centre)
        faces = [
            to_pixels(generator.synthesis_from_styles(generator.style_affine(w_plus[k : k + 1])))[0]
            for k in range(FACES)
        ]  # one by one: four of 1024 px take gigabytes
    return grid(enlarged(np.stack(faces)), 2)
