# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The weights that a fit starts from. What a generator would need hours to find out is put in at once:

- the mapping network's w holds every factor, falling, rising, and bent at three places;
- few channels answer to one factor, so that styles stay apart;
- the constant noise holds the fine patterns of the renderer, curls and strands, where they lie.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.factors import INDEX, NUM_FACTORS, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.render import render
from ppstyleclip.worlds.portrait.training import stylegan3
from ppstyleclip.worlds.portrait.training.network import Generator, affine_weights, torch
from ppstyleclip.worlds.portrait.training.stylegan3 import SIZE, StyleGAN3

BENDS = ((1, 0.0), (-1, 0.0), (1, -0.7), (1, 0.7))  # sign and shift of the factor before a leaky ReLU
SPARSE = 0.06  # share of the affine layers' weights that start large
PATTERNS = (
    {"hair_curl": 2.2, "hair_length": 1.5, "hair_volume": 1.0, "fringe": 0.4},
    {"hair_curl": -2.0, "hair_length": 1.5, "fringe": 1.0, "beard": 2.2, "age": 1.5, "feminine": -1.0},
)  # the faces whose fine patterns the two layers of a resolution start with
QUIET = 0.1  # of ToRGB's usual start, so that a block that joins does not spoil the picture
STRENGTH = {4: 0.05, 8: 0.05, 16: 0.1, 32: 0.2, 64: 0.3, 128: 0.3, 256: 0.3}


def build(size=256, **parts):
    """A generator as the fit starts with it."""
    torch.manual_seed(0)
    generator, rng = Generator(size, **parts), np.random.RandomState(0)
    with torch.no_grad():
        align_mapping(generator.style, rng)
        make_sparse(affine_weights(generator), rng)
        layers = [generator.conv1, *generator.convs]
        for index, layer in enumerate(layers):
            noise = generator.noise(index)
            layer.noise.weight.fill_(STRENGTH[noise.shape[-1]])
            noise.copy_(_tensor(pattern(index % 2, noise.shape[-1], rng)))
        for to_rgb in generator.to_rgbs:
            to_rgb.conv.weight.mul_(QUIET)
    return generator


def factor_matrix(dim):
    """`[D, NUM_FACTORS]` A with factors = z A for z of unit mean square."""
    z = sample_z(1, 8 * dim).astype(np.float64)
    unit = z / np.sqrt((z * z).mean(1, keepdims=True))
    return np.linalg.lstsq(unit, factors_from_z(z).astype(np.float64), rcond=None)[0]


def build_stylegan3(size=SIZE, **parts):
    """A StyleGAN3 as the fit starts with it: every layer's magnitude is what it is given."""
    torch.manual_seed(0)
    generator, rng = StyleGAN3(size, **parts), np.random.RandomState(0)
    with torch.no_grad():
        align_mapping(generator.mapping, rng)
        make_sparse(stylegan3.affine_weights(generator), rng)
        generator.layers[-1].weight.mul_(QUIET)
        generator.measure(_tensor(rng.randn(8, generator.style_dim)))
    return generator


def make_sparse(weights, rng):
    """Start affine layers with a few large weights, so that each channel answers to a few factors."""
    for weight in weights:
        few = 3 * rng.randn(*weight.shape) * (rng.rand(*weight.shape) < SPARSE)
        weight.copy_(_tensor(few + 0.05 * rng.randn(*weight.shape)))


def align_mapping(mapping, rng):
    """Let w hold each factor in the forms of BENDS; the layers behind the first start as the identity."""
    first, *others = list(mapping)[1:]
    dim = len(first.bias)
    matrix = factor_matrix(dim)
    weight, bias = 0.1 * rng.randn(dim, dim), np.zeros(dim)
    for copy, (sign, shift) in enumerate(BENDS[: dim // NUM_FACTORS]):
        place = slice(copy * NUM_FACTORS, (copy + 1) * NUM_FACTORS)
        weight[:, place] += sign * math.sqrt(dim) * matrix
        bias[place] = shift
    first.weight.copy_(_tensor(weight))
    first.bias.copy_(_tensor(bias))
    for layer in others:
        layer.weight.copy_(_tensor(np.eye(dim) * math.sqrt(dim / 2) + 0.1 * rng.randn(dim, dim)))


def pattern(kind, side, rng):
    """`[1, 1, side, side]` of unit variance: the fine lines of one of PATTERNS' faces; chance below 16 px."""
    if side < 16:
        return rng.randn(1, 1, side, side)
    factors = np.zeros(NUM_FACTORS)
    for name, value in PATTERNS[kind].items():
        factors[INDEX[name]] = value
    picture = render(factors, 256).astype(np.float32).mean(2)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.5)
    fine = np.clip(fine / (fine.std() + 1e-6), -2.5, 2.5)
    return ((fine - fine.mean()) / fine.std())[None, None]


def _tensor(values):
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
