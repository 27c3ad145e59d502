# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How near drawn faces come to the photo's, in figures and in words: PSNR, LPIPS, identity, seconds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from ppstyleclip.methods.fitting import LpipsDistance, PlainDistance
from ppstyleclip.pictures import to_images
from ppstyleclip.zoo import has_lpips, load_identity, load_lpips

POOR = 18.0  # dB; what is found where no face is ends below it
LARGE = 256  # pixels: from here on LPIPS is wanted


@dataclass(frozen=True, eq=False)
class Measures:
    """What drawn faces are compared by.

    Attributes:
        distance: methods.fitting.LpipsDistance, or PlainDistance in its place.
        identity: network with `identity_features`, or None.
    """

    distance: Any
    identity: Any


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
    identity: Any


def load_measures(bundle, identity_path=None, *, lpips=None) -> Measures:
    """Load what is here: LPIPS for large pictures, an identity network; nothing is fetched.

    Args:
        bundle: of the model.
        identity_path: file of an identity network; None takes the bundle's own, if it has one.
        lpips: a LpipsDistance that is loaded already; another distance is left aside.
    Raises:
        MissingFile, UserError: as load_identity.
    """
    distance = lpips if isinstance(lpips, LpipsDistance) else PlainDistance()
    if distance is not lpips and bundle.generator.size >= LARGE and has_lpips():
        distance = LpipsDistance(load_lpips())
    identity = bundle.identity if identity_path is None else load_identity(identity_path)
    return Measures(distance, identity)


@paddle.no_grad()
def measure(measures: Measures, pixels, drawn) -> Quality:
    """Compare pictures `[N, S, S, 3]` uint8 with what is drawn of them, `[N, S, S, 3]` uint8."""
    apart, alike = [], []
    for one, other in zip(pixels, drawn):  # one at a time: they may be large
        first, second = (paddle.to_tensor(to_images(part[None])) for part in (one, other))
        apart.append(measures.distance(second, measures.distance.prepare(first)).numpy().item())
        if measures.identity is not None:
            features = [measures.identity.identity_features(part) for part in (first, second)]
            alike.append((features[0] * features[1]).sum().numpy().item())
    return Quality(psnr(pixels, drawn), np.array(apart), np.array(alike) if alike else None)


def in_words(measures: Measures, *stages: Quality) -> list:
    """Say for each face how the stages of its inversion compare, such as "PSNR 31.0 -> 44.7 dB, ..."."""
    return [_one_in_words(measures, stages, k) for k in range(len(stages[0].psnr))]


def _one_in_words(measures, stages, k):
    def chain(name, form):
        return " -> ".join(format(getattr(stage, name)[k], form) for stage in stages)

    words = [f"PSNR {chain('psnr', '.1f')} dB"]
    if measures.distance.name == "lpips":
        words.append(f"LPIPS {chain('distance', '.3f')}")
    else:
        words.append(f"plain distance {chain('distance', '.4f')} (no LPIPS)")
    words.append(
        "identity not measured (no network; give --ir_se50_weights)"
        if measures.identity is None
        else f"identity {chain('identity', '.3f')}"
    )
    return ", ".join(words)


def warn_if_poor(name, quality) -> None:
    """Say which faces a model draws so badly that their edit means little.

    Args:
        name: of the model.
        quality: PSNR of each face, in dB.
    """
    for number, value in enumerate(quality, 1):
        if value < POOR:
            which = f"face {number}" if len(quality) > 1 else "the face"
            warnings.warn(
                f"{which} is drawn badly ({value:.1f} dB): it may be no face, or none of the kind "
                f"that '{name}' knows; look at the result",
                stacklevel=2,
            )


def psnr(first, second) -> np.ndarray:
    """Peak signal-to-noise ratio of pictures `[N, H, W, 3]` uint8, in dB, `[N]`."""
    error = np.mean((np.float32(first) - np.float32(second)) ** 2, axis=(1, 2, 3))
    return 10 * np.log10(255.0**2 / np.maximum(error, 1e-9))
