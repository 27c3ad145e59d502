# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How near drawn faces come to a photo's: PSNR, LPIPS or its stand-in, identity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.methods.inversion import Distance, LpipsDistance, PlainDistance
from ppstyleclip.pictures import to_images
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import Bundle, has_lpips, load_identity, load_lpips

POOR = 18.0  # dB; what is inverted where no face is ends below it
LARGE = 256  # pixels: from here on LPIPS is wanted


@dataclass(frozen=True, eq=False)
class Measures:
    """What drawn faces are compared by.

    Attributes:
        distance: LpipsDistance, or PlainDistance in its place.
        identity: network with `identity_features`, or None.
    """

    distance: Distance
    identity: Any = None


@dataclass(frozen=True, eq=False)
class Quality:
    """How near N drawn faces are to N pictures.

    Attributes:
        psnr: `[N]` in dB.
        distance: `[N]` of Measures.distance, 0 for equal pictures.
        identity: `[N]` cosine of the identity features, 1 for equal pictures; None without a network.
    """

    psnr: np.ndarray
    distance: np.ndarray
    identity: np.ndarray | None

    @property
    def poor(self) -> np.ndarray:
        """`[N]` bool: the face is drawn so badly that its edit means little; perhaps it is no face."""
        return np.asarray(self.psnr) < POOR


def load_measures(
    bundle: Bundle, identity_path: str | Path | None = None, *, distance: Distance | None = None
) -> Measures:
    """Load what is on this machine: LPIPS for large pictures, an identity network; nothing is fetched.

    Args:
        bundle: of the model.
        identity_path: file of an identity network; None takes the bundle's own, if it has one.
        distance: a LpipsDistance that is loaded already; any other distance is not used.
    Raises:
        MissingFile, UserError: as load_identity.
    """
    chosen: Distance = PlainDistance()
    if isinstance(distance, LpipsDistance):
        chosen = distance
    elif bundle.generator.size >= LARGE and has_lpips():
        chosen = LpipsDistance(load_lpips())
    identity = bundle.identity if identity_path is None else load_identity(identity_path)
    return Measures(chosen, identity)


@on_worker
@paddle.no_grad()
def measure(measures: Measures, pixels: np.ndarray, drawn: np.ndarray) -> Quality:
    """Compare pictures `[N, S, S, 3]` uint8 with what is drawn of them, `[N, S, S, 3]` uint8."""
    apart, alike = [], []
    for one, other in zip(pixels, drawn):  # one at a time: they may be large
        first, second = (paddle.to_tensor(to_images(part[None])) for part in (one, other))
        apart.append(measures.distance(second, measures.distance.prepare(first)).numpy().item())
        if measures.identity is not None:
            features = [measures.identity.identity_features(part) for part in (first, second)]
            alike.append((features[0] * features[1]).sum().numpy().item())
    return Quality(psnr(pixels, drawn), np.array(apart), np.array(alike) if alike else None)


def psnr(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio of pictures `[N, H, W, 3]` uint8, in dB, `[N]`."""
    error = np.mean((np.float32(first) - np.float32(second)) ** 2, axis=(1, 2, 3))
    return 10 * np.log10(255.0**2 / np.maximum(error, 1e-9))
