# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Low-pass filters of StyleGAN3 (Karras et al., 2021, section 3.2 and appendix C), computed in float64.

Both kinds are the ideal filter times a Kaiser window, whose shape follows from the number of taps and the
width of the transition band (Kaiser, 1974).
"""

from __future__ import annotations

import numpy as np

_POINTS = 256  # of the integral of J1, exact to float64 for arguments below 200


def kaiser_beta(taps: int, transition: float) -> float:
    """Return the shape of a Kaiser window.

    Args:
        taps: number of taps.
        transition: width of the transition band as a part of half the sampling rate.
    """
    attenuation = 2.285 * (taps - 1) * np.pi * transition + 7.95  # dB
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return 0.0


def separable_lowpass(taps: int, *, cutoff: float, width: float, rate: float) -> np.ndarray:
    """Return the taps `[taps]` of a windowed sinc, which sum to 1; both axes are filtered with them.

    Args:
        taps: number of taps.
        cutoff: frequency that is halved.
        width: full width of the transition band.
        rate: sampling rate, in the same unit.
    """
    position = np.arange(taps) - (taps - 1) / 2
    ideal = np.sinc(2 * cutoff / rate * position)
    return _normalised(ideal * np.kaiser(taps, kaiser_beta(taps, 2 * width / rate)))


def radial_lowpass(taps: int, *, cutoff: float, width: float, rate: float) -> np.ndarray:
    """Return the kernel `[taps, taps]` of a windowed jinc, which sums to 1; arguments as separable_lowpass.

    Its response depends on the length of the frequency alone: jinc(r) = J1(2 pi f_c r) / (pi r).
    """
    position = (np.arange(taps) - (taps - 1) / 2) / rate
    radius = np.hypot(position[:, None], position[None, :])
    away = np.where(radius == 0, 1.0, radius)
    ideal = np.where(radius == 0, cutoff, _bessel_j1(2 * np.pi * cutoff * away) / (np.pi * away))
    window = np.kaiser(taps, kaiser_beta(taps, 2 * width / rate))
    return _normalised(ideal * np.outer(window, window))


def _bessel_j1(x: np.ndarray) -> np.ndarray:
    """J1 of an array: the mean of cos(t - x sin t) over a period."""
    t = 2 * np.pi * np.arange(_POINTS) / _POINTS
    return np.cos(t - x[..., None] * np.sin(t)).mean(axis=-1)


def _normalised(taps: np.ndarray) -> np.ndarray:
    return taps / taps.sum()
