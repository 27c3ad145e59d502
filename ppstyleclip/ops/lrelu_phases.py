# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The filtered leaky ReLU without its large picture: phase by phase, for programs.

Of the enlarged picture t only every `down`-th pixel of a row meets the same tap of the filter that shrinks.
So t is computed and used up in down x down phases, each of the size of the result: on one axis, with u the
taps that enlarge, d those that shrink, and the pixels x with up / down - 1 zeros after each,

    t_a[m] = sum_i x[m + i] u[a + K_u - 1 - p0 - down i]        t_a[m] = t[down m + a]
    out[o] = sum_a sum_e leaky_relu(t_a)[o + e] d[K_d - 1 - a - down e]

On both axes that is one depthwise convolution, the activation, and another depthwise convolution, all with
stride 1, for each of the phases; no tap meets a zero that was only inserted where up is down. Under oneDNN a
depthwise convolution of 6x6 taps takes as long as one of 6 taps along an axis, because moving the picture is
what takes time (CPU time for 16 channels of 264 px: 1.0, 1.2 down and 0.9 across ms): so short filters are
not applied axis by axis here. Those of 12x12 are (12 ms in place of 1.4 and 1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import Tensor

_AXIS_BY_AXIS_FROM = 9  # taps


@dataclass(frozen=True, eq=False)
class Phase:
    """One phase.

    Attributes:
        row: a, of its rows.
        up_kernels: `[kh, kw]` float32 for correlations one after the other, gains included; if there are two,
            all phases of a row have the first in common.
        pads: zeros (top, bottom, left, right) around what they are applied to; negative ones crop.
        down_kernel: `[kh, kw]` float32 for a correlation without padding.
    """

    row: int
    up_kernels: tuple[np.ndarray, ...]
    pads: tuple[int, int, int, int]
    down_kernel: np.ndarray


def lrelu_phases(
    length: int, up_filter, down_filter, *, up: int, down: int, pad: Sequence[int], gain: float
) -> list[Phase]:
    """The phases of a filtered leaky ReLU of pictures `length` pixels wide and high.

    Args:
        length: side before it is enlarged.
        up_filter, down_filter: taps `[n]`, or `[n, n]` of the second; up, down, pad: as in `filtered_lrelu`;
            `down` divides `up`.
        gain: of the leaky ReLU.
    """
    taps, shrink = np.asarray(up_filter, np.float64), np.asarray(down_filter, np.float64)
    shrink = np.outer(shrink, shrink) if shrink.ndim == 1 else shrink
    out_length = (length * up + pad[0] + pad[1] - len(taps) - len(shrink) + 1) // down + 1
    stuffed = (length - 1) * (up // down) + 1
    axis = [_axis(a, taps, len(shrink), stuffed, out_length, down, pad[0]) for a in range(down)]
    total = up**2 * gain
    return [
        Phase(
            a,
            _kernels(rows * total, columns),
            (*row_pads, *column_pads),
            np.float32(shrink[::-1, ::-1][a::down, b::down]),
        )
        for a, (rows, row_pads) in enumerate(axis)
        for b, (columns, column_pads) in enumerate(axis)
    ]


def _axis(a, taps, shrink_taps, length, out_length, down, before) -> tuple[np.ndarray, tuple[int, int]]:
    """Taps that phase `a` of an axis is made with, and the zeros before and after."""
    top = a + len(taps) - 1 - before
    last = top // down
    first = -((len(taps) - 1 - top) // down)  # of the offsets i whose taps are there
    needed = out_length + -(-(shrink_taps - a) // down) - 1
    kernel = taps[top - down * np.arange(first, last + 1)]
    return kernel, (-first, needed - 1 + last - (length - 1))


def _kernels(rows, columns) -> tuple[np.ndarray, ...]:
    if max(len(rows), len(columns)) < _AXIS_BY_AXIS_FROM:
        return (np.float32(np.outer(rows, columns)),)
    return np.float32(rows[:, None]), np.float32(columns[None])


def apply_phases(
    x: Tensor,
    phases: Sequence[Phase],
    constant: Callable[[str, np.ndarray], Tensor],
    *,
    slope: float,
    clamp: float | None,
) -> Tensor:
    """Sum up the phases.

    Args:
        x: `[N, C, H, W]`, with zeros between its pixels where up is above down.
        phases: of lrelu_phases.
        constant: makes a Tensor of an array `[C, 1, kh, kw]`; the name tells the arrays of one C apart.
        slope: of the leaky ReLU.
        clamp: bound of its absolute values, or None.
    """
    out, rows = None, {}
    for phase, kernels in zip(phases, phase_kernels(phases, x.shape[1])):
        *up_kernels, down_kernel = (constant(name, kernel) for name, kernel in kernels.items())
        if len(up_kernels) == 1:
            part = _convolved(x, up_kernels[0], phase.pads)
        else:
            if phase.row not in rows:
                rows[phase.row] = _convolved(x, up_kernels[0], (*phase.pads[:2], 0, 0))
            part = _convolved(rows[phase.row], up_kernels[1], (0, 0, *phase.pads[2:]))
        part = F.leaky_relu(part, slope)
        part = part if clamp is None else paddle.clip(part, -clamp, clamp)
        part = _convolved(part, down_kernel)
        out = part if out is None else out + part
    return out


def phase_kernels(phases: Sequence[Phase], channels: int) -> list[dict[str, np.ndarray]]:
    """What `apply_phases` asks for, `{name: [C, 1, kh, kw]}` of each phase."""
    found = []
    for index, phase in enumerate(phases):
        names = [f"up_{index}", f"across_{index}"]
        if len(phase.up_kernels) == 2:
            names[0] = f"rows_{phase.row}"
        made = dict(zip(names, phase.up_kernels)) | {f"down_{index}": phase.down_kernel}
        found.append({name: depthwise(kernel, channels) for name, kernel in made.items()})
    return found


def depthwise(kernel: np.ndarray, channels: int) -> np.ndarray:
    """A kernel `[kh, kw]` for each channel: `[C, 1, kh, kw]`."""
    return np.ascontiguousarray(np.broadcast_to(kernel[None, None], (channels, 1, *kernel.shape)))


def insert_zeros(x: Tensor, factor: int, constant: Callable[[str, np.ndarray], Tensor]) -> Tensor:
    """`factor` - 1 zeros between neighbouring pixels of `[N, C, H, W]`.

    A transposed convolution with the identity does that; Paddle's depthwise one would be far slower.
    `constant` as in apply_phases.
    """
    if factor == 1:
        return x
    return F.conv2d_transpose(x, constant("identity", identity(x.shape[1])), stride=factor)


def identity(channels: int) -> np.ndarray:
    """`[C, C, 1, 1]` float32."""
    return np.eye(channels, dtype=np.float32)[:, :, None, None]


def _convolved(x, kernel, pads=(0, 0, 0, 0)):
    """Correlate each channel with its kernel; negative pads crop."""
    if min(pads) < 0:
        top, bottom, left, right = (max(-pad, 0) for pad in pads)
        x = x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]
    return F.conv2d(x, kernel, padding=[max(pad, 0) for pad in pads], groups=x.shape[1])
