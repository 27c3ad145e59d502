# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The picture that is painted on: layers blended in linear light, the regions noted beside."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np

REGIONS = ("background", "hair", "skin", "nose", "mouth", "eyes", "brows", "beard", "glasses", "clothes")

SPAN, LEFT, TOP = 1.72, -0.86, -0.90  # the square of face coordinates that the picture shows


class Canvas:
    """Linear-light picture [3, S, S], addressed through windows in face coordinates."""

    def __init__(self, size, labelled=False):
        self.size, self.px = size, SPAN / size
        axis = (np.arange(size, dtype=np.float32) + 0.5) * np.float32(self.px)
        self.xs, self.ys = axis + np.float32(LEFT), axis + np.float32(TOP)
        self.image = np.zeros((3, size, size), np.float32)
        self.figure = np.zeros((size, size), np.float32)  # coverage of the person, which catches shadows
        self.labels = {k: np.zeros((size, size), np.float32) for k in REGIONS} if labelled else None
        if labelled:
            self.labels["background"] += 1

    def window(self, x0=-2.0, x1=2.0, y0=-2.0, y1=2.0):
        """A rectangle: its index `at`, x as a row, y as a column."""
        cut = [
            int(min(max(round((v - o) / self.px), 0), self.size))
            for v, o in zip((x0, x1, y0, y1), (LEFT, LEFT, TOP, TOP))
        ]
        at = slice(cut[2], cut[3]), slice(cut[0], cut[1])
        return SimpleNamespace(at=at, x=self.xs[None, at[1]], y=self.ys[at[0], None])

    def cover(self, d, soft=1.0):
        """Coverage of the inside of a signed distance, with an edge `soft` pixels wide."""
        return np.clip(0.5 - d * (1 / (self.px * soft)), 0, 1)

    def label(self, w, part, alpha):
        """Note that `part` now covers the others through alpha; the masks go on summing to 1."""
        if self.labels is not None:
            for name, mask in self.labels.items():
                mask[w.at] += alpha * ((name == part) - mask[w.at])

    def over(self, w, colour, alpha, figure=False, part=None):
        """Blend a colour, [3] or [3, h, w], through alpha; `part` names the region that it belongs to."""
        if part:
            self.label(w, part, alpha)
        for k in range(3):
            part = self.image[k][w.at]
            part += alpha * (colour[k] - part)
        if figure:
            part = self.figure[w.at]
            part += alpha * (1 - part)

    def darken(self, w, amount, red=1.0):
        """Multiply by 1 - amount; less so in the red channel, as light that passed through skin does."""
        for k, share in enumerate((red, 1.0, 1.0)):
            self.image[k][w.at] *= 1 - amount * share

    def blur(self, a, sigma):
        return cv2.GaussianBlur(a, (0, 0), sigma / self.px, borderType=cv2.BORDER_REPLICATE)

    def thrown(self, a, dx, dy):
        """A mask moved like a shadow."""
        return cv2.warpAffine(a, np.float32([[1, 0, dx / self.px], [0, 1, dy / self.px]]), a.shape[::-1])


def look_up(pictures, columns, rows):
    """Values of pictures `[S, S]` at fractional columns and rows, bilinear, those beyond the edge as on it.

    OpenCV's own interpolation rounds the places to 1/32 in some of its versions and not in others.
    """
    height, width = pictures[0].shape
    x, y = np.clip(columns, 0, width - 1), np.clip(rows, 0, height - 1)
    left, top = (np.minimum(x.astype(np.int32), width - 2), np.minimum(y.astype(np.int32), height - 2))
    x, y = np.float32(x - left.astype(np.float32)), np.float32(y - top.astype(np.float32))
    index, both = top * width + left, x * y
    corners = (
        (index, 1 - x - y + both),
        (index + 1, x - both),
        (index + width, y - both),
        (index + width + 1, both),
    )
    found = []
    for flat in (picture.reshape(-1) for picture in pictures):
        found.append(sum(flat.take(at, mode="clip") * weight for at, weight in corners))
    return found
