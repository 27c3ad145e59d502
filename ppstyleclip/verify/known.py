# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Numbers that are known of published files, measured on them once; none of the files is part of this.

FFHQ_MEAN and FFHQ_STD are means over the channels of each of the 26 style tensors in PaddleGAN's statistics
of FFHQ at 1024 px (the file of digest 8ba143f6...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FFHQ_MEAN = (
    0.7475, 0.0015, 1.2847, 2.1064, 0.002, 3.4367, 3.8721, 0.0055, 6.0387, 6.0471, 0.0015, 6.695, 5.403,
    0.0003, 6.6668, 7.1809, -0.0021, 8.2219, 7.0549, 0.0694, 6.6091, 5.4901, 0.0456, 6.7116, 4.7636, 0.1054,
)  # fmt: skip
FFHQ_STD = (
    1.1462, 0.217, 2.1047, 2.0497, 0.1834, 2.3638, 1.7948, 0.1537, 1.9212, 1.4149, 0.1234, 1.3813, 1.1521,
    0.1244, 1.1999, 1.215, 0.1281, 1.2387, 1.1669, 0.2058, 1.0445, 1.1833, 0.306, 1.1482, 1.568, 0.4091,
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What is known of a model.

    Attributes:
        channels: C_k of its K style tensors.
        mean, std: mean over the channels of each tensor of its statistics, `[K]`; None where nobody measured.
        latents: a published file of faces of this generator (w_plus), a key of zoo.yaml's `files`; or None.
    """

    channels: tuple[int, ...]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    latents: str | None = None


_FFHQ_1024 = (512,) * 15 + (256,) * 3 + (128,) * 3 + (64,) * 3 + (32,) * 2
_ANIME_512 = (512,) * 15 + (256,) * 3 + (128,) * 3 + (64,) * 2
_SG3_R_1024 = (4, *(1024,) * 8, 645, 406, 256, 161, 102, 64, 64)
_SG3_T_1024 = (4, *(512,) * 8, 323, 203, 128, 81, 51, 32, 32)
KNOWN = {
    "ffhq-config-f": Known(_FFHQ_1024, FFHQ_MEAN, FFHQ_STD, "styleclip-ffhq-w_plus.npy"),
    "animeface-512": Known(_ANIME_512),
    "ffhq-inversion": Known(_FFHQ_1024, latents="styleclip-ffhq-w_plus.npy"),
    "ffhq-toonify": Known(_FFHQ_1024),
    "stylegan3-r-ffhq": Known(_SG3_R_1024),
    "stylegan3-r-ffhqu": Known(_SG3_R_1024),
    "stylegan3-t-ffhq": Known(_SG3_T_1024),
}


def tensor_means(layout, values: np.ndarray) -> np.ndarray:
    """`[K]` mean over the channels of each style tensor of `[S]`."""
    return np.array([part.mean() for part in layout.unflatten(np.asarray(values, np.float64))])
