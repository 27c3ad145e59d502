# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How closely a StyleGAN3's picture follows its canvas: EQ-T and EQ-R in decibels (the paper, appendix E).

The canvas is moved or turned by `transform`, and what is drawn is compared with the picture of the unmoved
canvas, resampled:

    EQ = 10 log10(4 / mean of (moved - drawn)^2)        over pictures, channels and valid pixels

4 is the square of the range of a picture, [-1, 1]. A pixel is valid if all that it is computed from lies in
the picture. Whole pixels are moved as they are. Other shifts interpolate by a sinc under Lanczos's window;
turning needs a filter that passes what both the upright and the turned pixel grid can hold, and what was
drawn turned is passed through the same filter, so that both lack the same corners of the spectrum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import paddle

from .transforms import canvas_transform

LARGEST_SHIFT = 1 / 8  # in sides of the picture
EQ_T, EQ_T_FRACTIONAL, EQ_R = "EQ-T", "EQ-T fractional", "EQ-R"
METRICS = (EQ_T, EQ_T_FRACTIONAL, EQ_R)
_LOBES = 3  # of a sinc, on each side, that a window keeps
_REACH = 64  # pixels on each side over which filters are convolved numerically
_ENLARGED = 4  # times, before places between the pixels of a turned grid are read linearly


@dataclass(frozen=True)
class EquivarianceRecord:
    """Decibels by metric, of all pictures so far; inf where nothing differs. See `progress`."""

    done: int
    total: int
    decibels: dict[str, float] = field(default_factory=dict)


def measure_equivariance(
    generator: Any, w_plus: np.ndarray, *, metrics: Sequence[str] = METRICS, seed: int = 0
) -> Iterator[EquivarianceRecord]:
    """Move and turn the canvas of each picture, at random, and compare.

    Args:
        generator: a StyleGAN3Generator in evaluation mode.
        w_plus: `[N, L, D]` latents, a picture each.
        metrics: which of METRICS.
        seed: of the shifts, within LARGEST_SHIFT, and the angles, of the whole circle.
    """
    random, errors, counts = (
        np.random.RandomState(seed),
        dict.fromkeys(metrics, 0.0),
        dict.fromkeys(metrics, 0),
    )
    for done, latent in enumerate(np.asarray(w_plus, np.float32), 1):
        with paddle.no_grad():
            styles = generator.style_affine(paddle.to_tensor(latent[None]))
        still = _draw(generator, styles)
        places = {metric: _random_place(metric, random, generator.size) for metric in METRICS}
        for metric in metrics:
            translate, rotate = places[metric]
            drawn = _draw(generator, styles, canvas_transform(translate, rotate))
            error, valid = squared_error(still, drawn, translate, rotate)
            errors[metric] += float(error[..., valid].sum())
            counts[metric] += error[..., valid].size
        yield EquivarianceRecord(
            done, len(w_plus), {m: decibels(errors[m] / max(counts[m], 1)) for m in metrics}
        )


def decibels(mean_square: float) -> float:
    """10 log10(4 / mean square), inf for 0."""
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(4 / np.float64(mean_square)))


def squared_error(
    still: np.ndarray, drawn: np.ndarray, translate: Sequence[float] = (0.0, 0.0), rotate: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Squared differences `[N, C, H, W]` to what should have been drawn, and the valid pixels `[H, W]`.

    Args:
        still: `[N, C, H, W]` pictures of the unmoved canvas.
        drawn: those of the canvas under `canvas_transform(translate, rotate)`.
        translate: (x, y) in sides of the picture.
        rotate: degrees, counter-clockwise; not together with `translate`.
    """
    if rotate:
        if any(translate):
            raise ValueError("a picture is moved or turned, not both")
        wanted, valid = turned(still, rotate)
        drawn, drawn_valid = passed_turned(drawn, rotate)
        valid = valid & drawn_valid
    else:
        wanted, valid = moved(still, translate)
    return np.square(wanted - drawn), valid


def moved(images: np.ndarray, translate: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Move pictures `[N, C, H, W]` by (x, y) sides; the result in float64, and its valid pixels `[H, W]`."""
    height, width = images.shape[2:]
    across, valid_x = _moved_axis(np.asarray(images, np.float64), translate[0] * width)
    both, valid_y = _moved_axis(across.swapaxes(2, 3), translate[1] * height)
    return both.swapaxes(2, 3), valid_y[:, None] & valid_x[None, :]


def _moved_axis(images, distance):
    """Move along the last axis; (pictures, valid places of the axis)."""
    whole, part = int(np.floor(distance)), distance - np.floor(distance)
    taps = np.arange(1 - _LOBES, _LOBES + 1) if part else np.zeros(1, int)
    weights = np.sinc(taps - part) * np.sinc((taps - part) / _LOBES)
    length = images.shape[-1]
    sources = np.arange(length)[:, None] - whole - taps  # [W, taps]
    inside = (sources >= 0) & (sources < length)
    matrix = np.zeros([length, length])
    rows = np.broadcast_to(np.arange(length)[:, None], sources.shape)
    matrix[rows[inside], sources[inside]] = np.broadcast_to(weights / weights.sum(), sources.shape)[inside]
    return images @ matrix.T, inside.all(axis=1)


def turned(images: np.ndarray, rotate: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn pictures `[N, C, S, S]` counter-clockwise; the result in float64, its valid pixels `[S, S]`."""
    source = canvas_transform(rotate=rotate).astype(np.float64)[:2, :2]  # of a turned picture's places
    kernel = _common_band(np.linalg.inv(source), _ENLARGED)
    margin, side = len(kernel) // 2, images.shape[-1]
    axis = np.arange(side) - (side - 1) / 2
    x, y = source @ np.stack(np.meshgrid(axis, axis)).reshape(2, -1)
    places = _ENLARGED * (np.stack([y, x]) + (side - 1) / 2)  # on the enlarged grid, 0 is the first pixel
    last = _ENLARGED * (side - 1)
    valid = ((places >= margin) & (places <= last - margin)).all(axis=0).reshape(side, side)
    large = _enlarged(np.asarray(images, np.float64), kernel)
    return _read_linearly(large, np.clip(places, 0, last)).reshape(images.shape), valid


def passed_turned(images: np.ndarray, rotate: float) -> tuple[np.ndarray, np.ndarray]:
    """Filter pictures that were drawn turned as `turned` filters; the result, and its valid pixels."""
    kernel = _common_band(canvas_transform(rotate=rotate).astype(np.float64)[:2, :2], 1)
    margin, side = len(kernel) // 2, images.shape[-1]
    place = np.arange(side)
    inside = (place >= margin) & (place < side - margin)
    return _filtered(np.asarray(images, np.float64), kernel), inside[:, None] & inside[None, :]


def _common_band(linear, per_pixel) -> np.ndarray:
    """Kernel `[k, k]` that passes what a pixel grid and the one turned by `linear` [2, 2] both can hold.

    Each passes a square of frequencies, as the sinc along both of its axes does; one sinc convolved with the
    other passes what the squares share. The window is made likewise. `per_pixel` points of the kernel are a
    pixel apart; those that meet the pixels at the same time sum to 1.
    """
    count = _REACH * per_pixel - 1
    axis = np.arange(-count, count + 1) / per_pixel
    x, y = np.meshgrid(axis, axis)
    turned_x, turned_y = (row[0] * x + row[1] * y for row in linear)
    band = _convolved(np.sinc(x) * np.sinc(y), np.sinc(turned_x) * np.sinc(turned_y))
    band *= _convolved(_window(x) * _window(y), _window(turned_x) * _window(turned_y))
    half = 2 * _LOBES * per_pixel - 1
    middle = slice(count - half, count + half + 1)
    phases = np.pad(band[middle, middle], [[0, 1], [0, 1]]).reshape([4 * _LOBES, per_pixel] * 2)
    phases /= phases.sum(axis=(0, 2), keepdims=True)
    return phases.reshape([half * 2 + 2] * 2)[:-1, :-1]


def _window(x):
    """Lanczos's: the main lobe of a sinc."""
    return np.where(np.abs(x) < _LOBES, np.sinc(x / _LOBES), 0.0)


def _convolved(left, right):
    """Circular convolution of two functions on a grid whose middle is 0."""
    spectrum = np.fft.rfft2(np.fft.ifftshift(left)) * np.fft.rfft2(np.fft.ifftshift(right))
    return np.fft.fftshift(np.fft.irfft2(spectrum, left.shape))


def _filtered(images, kernel):
    """Convolve pictures with a kernel of odd size; beyond the picture there are zeros."""
    margin, side = len(kernel) // 2, images.shape[-1]
    shape = [side + 2 * margin] * 2
    spectrum = np.fft.rfft2(kernel, shape)
    keep = slice(margin, margin + side)
    result = np.empty_like(images)
    for index in np.ndindex(*images.shape[:2]):  # one at a time: the grid of a large picture is large
        result[index] = np.fft.irfft2(np.fft.rfft2(images[index], shape) * spectrum, shape)[keep, keep]
    return result


def _enlarged(images, kernel):
    """Pictures on a grid of `_ENLARGED` points a pixel, `[N, C, 4 S - 3, 4 S - 3]`: 0 is the first pixel."""
    large = np.zeros([*images.shape[:2], *(_ENLARGED * (side - 1) + 1 for side in images.shape[2:])])
    large[:, :, ::_ENLARGED, ::_ENLARGED] = images
    return _filtered(large, kernel)


def _read_linearly(images, places):
    """Values `[N, C, P]` at places (y, x) `[2, P]` between the pixels of pictures."""
    low = np.minimum(places.astype(int), images.shape[-1] - 2)
    (part_y, part_x), (y, x) = places - low, low
    top = images[:, :, y, x] * (1 - part_x) + images[:, :, y, x + 1] * part_x
    bottom = images[:, :, y + 1, x] * (1 - part_x) + images[:, :, y + 1, x + 1] * part_x
    return top * (1 - part_y) + bottom * part_y


def _random_place(metric, random, size):
    """(translate, rotate) for a metric."""
    if metric == EQ_R:
        return (0.0, 0.0), float(random.uniform(-180, 180))
    translate = random.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2)
    if metric == EQ_T:
        translate = np.rint(translate * size) / size
    return tuple(float(part) for part in translate), 0.0


@paddle.no_grad()
def _draw(generator, styles, transform=None):
    transform = None if transform is None else paddle.to_tensor(transform)
    return generator.synthesis_from_styles(styles, transform=transform).numpy()
