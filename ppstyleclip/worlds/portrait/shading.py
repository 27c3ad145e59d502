# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Light on height maps: one warm key light, a cool fill, a sky and a rim light."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.smooth import clip01, power


def vector(*v):
    """Unit vector: x to the right, y down, z to the viewer."""
    v = np.float32(v)
    return [float(x) for x in v / np.linalg.norm(v)]


KEY = vector(-0.50, -0.62, 0.72)  # towards the key light: upper left, in front
HALF = vector(KEY[0], KEY[1], KEY[2] + 1)  # half way between the key light and the viewer
FILL = vector(0.55, 0.15, 0.80)
RIM = vector(0.88, -0.30, 0.05)
SKIN_WRAP = (0.85, 0.60, 0.50)  # red light creeps farthest round a form: a cheap subsurface scattering
CLOTH_WRAP = (0.3, 0.3, 0.3)


class Surface:
    """Slopes and the usual products of a height map's normals with the lights."""

    def __init__(self, c, z):
        z, k = np.ascontiguousarray(z, np.float32), 1 / (8 * c.px)
        self.zx, self.zy = (cv2.Sobel(z, cv2.CV_32F, 1, 0, scale=k), cv2.Sobel(z, cv2.CV_32F, 0, 1, scale=k))
        self.nz = 1 / np.sqrt(1 + self.zx * self.zx + self.zy * self.zy)
        self.key, self.half = self.dot(KEY), clip01(self.dot(HALF))
        self.fill = clip01(self.dot(FILL))
        self.edge = (1 - self.nz) ** 2 * clip01(self.dot(RIM))
        self.up = 0.5 + 0.5 * self.nz * self.zy  # 1 where it looks up

    def dot(self, light):
        """Cosine between the normals and a unit vector."""
        return self.nz * (light[2] - light[0] * self.zx - light[1] * self.zy)


def light_clay(c, z, albedo, wrap, gloss=0.0, sheen=0.0, rim=0.5, ao=0.0):
    """Light a height map -> [3, h, w]. gloss: tight highlight; sheen: broad one; ao: occlusion in [0, 1]."""
    s, shade = Surface(c, z), 1 - ao
    shine = gloss * power(s.half, 5) + (sheen * 0.35) * power(s.half, 3) + rim * s.edge
    out = np.empty((3,) + z.shape, np.float32)
    lights = zip(
        wrap, (1.06, 1.00, 0.92), (0.20, 0.20, 0.22), (0.27, 0.28, 0.31), (0.14, 0.10, 0.08), (0.9, 0.95, 1.0)
    )
    for k, (bend, key, fill, sky, bounce, rim_colour) in enumerate(lights):
        diffuse = clip01((s.key + bend) * (1 / (1 + bend)))
        ambient = (bounce + 0.10 + (sky - bounce) * s.up) * shade
        light = key * diffuse * (0.35 + 0.65 * diffuse) + fill * s.fill + ambient
        out[k] = albedo[k] * light * (0.5 + 0.5 * shade) + shine * rim_colour
    return out
