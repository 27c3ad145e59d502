# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Sizes, rates, widths and filters of StyleGAN3's layers, computed from the size of the picture.

Appendix C of the paper (Karras et al., 2021): cut-offs f_c and stop bands f_t grow geometrically from the
Fourier features to the last layers but two, which are critically sampled. Each layer works at the lowest
sampling rate, a power of two, that holds its stop band, with a margin of 10 pixels on each side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UserError, shown
from .filters import radial_lowpass, separable_lowpass

SIZES = (16, 32, 64, 128, 256, 512, 1024)
CONFIGURATIONS = ("T", "R")  # equivariant to translation; and to rotation
LAYERS = 15  # L0 to L14, the last is ToRGB
TO_RGB = LAYERS - 1
_CRITICAL = 2  # critically sampled layers before ToRGB
_FIRST_CUTOFF, _FIRST_STOPBAND = 2.0, 2**2.1
_LAST_STOPBAND = 2**0.3  # of the last cut-off
_MARGIN = 10
_TAPS = 6  # of a filter, for each pixel of the lower resolution
_OVERSAMPLING = 2  # of the leaky ReLU


@dataclass(frozen=True)
class InputGeometry:
    """The Fourier features.

    Attributes:
        channels: how many.
        size: side in pixels.
        rate: pixels in the length of a picture's side.
        bandwidth: largest frequency, in periods in that length.
    """

    channels: int
    size: int
    rate: float
    bandwidth: float


@dataclass(frozen=True, eq=False)
class LayerGeometry:
    """One layer L_i.

    Attributes:
        name: as NVIDIA's code calls it, such as "L5_84_1024": number, side, channels.
        in_channels, out_channels: widths.
        in_size, out_size: sides in pixels.
        kernel: side of the convolution's kernel.
        up, down: factors around the leaky ReLU.
        up_filter: taps `[n]`, or None where up is 1.
        down_filter: taps `[n]`, or a kernel `[n, n]`, or None where down is 1.
        padding: pixels before and after each axis, at the higher resolution; negative ones crop.
    """

    name: str
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    kernel: int
    up: int
    down: int
    up_filter: np.ndarray | None
    down_filter: np.ndarray | None
    padding: tuple[int, int]


def check_size(size: int) -> None:
    """Refuse a size that cannot be built (UserError)."""
    if size not in SIZES:
        raise UserError(f"size must be one of {', '.join(map(str, SIZES))}; got {shown(size)}")


def usual_channels(size: int, configuration: str, channel_base: int | None = None) -> tuple[int, ...]:
    """Return the widths of L0 to L14; `channel_base` (None: as published for 1024 px) scales the last ones.

    Raises:
        UserError: an unknown size or configuration.
    """
    check_size(size)
    if configuration not in CONFIGURATIONS:
        raise UserError(f"configuration must be T or R, got {shown(configuration)}")
    factor = 2 if configuration == "R" else 1
    base = 32768 * factor if channel_base is None else channel_base
    widths = np.rint(np.minimum(base / 2 / _bands(size)[0], 512 * factor))
    return (*(int(width) for width in widths[:-1]), 3)


def geometry(
    size: int, configuration: str, channels: Sequence[int]
) -> tuple[InputGeometry, tuple[LayerGeometry, ...]]:
    """Return the input and the layers L0 to L14.

    Args:
        size: side of the picture, one of SIZES.
        configuration: "T" has convolutions of 3x3 and separable filters, "R" of 1x1 and radial ones.
        channels: widths of L0 to L14.
    """
    cutoffs, half_widths, rates, sizes = _bands(size)
    layers = [_layer(i, configuration, channels, cutoffs, half_widths, rates, sizes) for i in range(LAYERS)]
    return InputGeometry(int(channels[0]), int(sizes[0]), float(rates[0]), float(cutoffs[0])), tuple(layers)


def sampling_rates(size: int) -> tuple[int, ...]:
    """Pixels in the length of a picture's side, of what L0 to L14 give; margins not counted."""
    return tuple(int(rate) for rate in _bands(size)[2])


def _bands(size):
    """Cut-offs f_c, half-widths f_h of the transition bands, sampling rates s and sides of L0 to L14."""
    exponents = np.minimum(np.arange(LAYERS) / (LAYERS - 1 - _CRITICAL), 1)
    last = size / 2
    cutoffs = _FIRST_CUTOFF * (last / _FIRST_CUTOFF) ** exponents
    stopbands = _FIRST_STOPBAND * (last * _LAST_STOPBAND / _FIRST_STOPBAND) ** exponents
    rates = np.exp2(np.ceil(np.log2(np.minimum(2 * stopbands, size))))
    half_widths = np.maximum(stopbands, rates / 2) - cutoffs
    sizes = rates + 2 * _MARGIN
    sizes[-_CRITICAL:] = size
    return cutoffs, half_widths, rates, sizes.astype(int)


def _layer(i, configuration, channels, cutoffs, half_widths, rates, sizes) -> LayerGeometry:
    before, is_last = max(i - 1, 0), i == TO_RGB
    rate = max(rates[before], rates[i]) * (1 if is_last else _OVERSAMPLING)
    up, down = int(rate // rates[before]), int(rate // rates[i])
    up_filter = down_filter = None
    if not is_last:
        band = {"cutoff": cutoffs[before], "width": 2 * half_widths[before], "rate": rate}
        up_filter = separable_lowpass(_TAPS * up, **band)
        band = {"cutoff": cutoffs[i], "width": 2 * half_widths[i], "rate": rate}
        is_radial = configuration == "R" and i < TO_RGB - _CRITICAL
        down_filter = (radial_lowpass if is_radial else separable_lowpass)(_TAPS * down, **band)
    kernel = 3 if configuration == "T" and not is_last else 1
    in_size, out_size = int(sizes[before]), int(sizes[i])
    return LayerGeometry(
        name=f"L{i}_{out_size}_{channels[i]}",
        in_channels=int(channels[before]),
        out_channels=int(channels[i]),
        in_size=in_size,
        out_size=out_size,
        kernel=kernel,
        up=up,
        down=down,
        up_filter=up_filter,
        down_filter=down_filter,
        padding=_padding(in_size + kernel - 1, out_size, up, down, up_filter, down_filter),
    )


def _padding(in_size, out_size, up, down, up_filter, down_filter) -> tuple[int, int]:
    """What makes `out_size` of `in_size`; pixels are squares, whose middles move when they are divided."""
    lost = sum(len(taps) - 1 for taps in (up_filter, down_filter) if taps is not None)
    total = (out_size - 1) * down + 1 - in_size * up + lost
    before = (total + up) // 2
    return before, total - before
