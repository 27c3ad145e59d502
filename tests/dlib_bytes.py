# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files as dlib stores them, written here from plain values, so that tests can put wrong ones in."""

import math

import numpy as np

WINDOW, CELL, PLANES = 16, 8, 31
WEIGHTS = 2 * 2 * PLANES  # of a window of 2x2 cells without padding


def integer(value):
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def integers(*values):
    return b"".join(map(integer, values))


def number(value):
    if math.isnan(value) or math.isinf(value):
        return integers(0, 32000 + (2 if math.isnan(value) else value < 0))
    mantissa, exponent = math.frexp(value)
    return integers(int(mantissa * 2**24), exponent - 24)


def numbers(values):
    return b"".join(number(float(value)) for value in np.ravel(values))


def matrix(values):
    values = np.asarray(values, np.float64).reshape(-1, 1)
    return integers(-len(values), -1) + numbers(values)


def predictor(*, parts=68, cascades=2, trees=2, depth=2, pixels=5, **wrong):
    """A predictor that knows its mean shape only; `wrong` names what is written in place of the right value.

    split: (first pixel, second pixel) of the first split; anchor: the first one; leaves, leaf, anchors and
    pixels_of: counts; shapes: rows of the mean shape; lists: of anchors; leaf_value: in all leaves.
    """
    rng = np.random.RandomState(0)
    shape = rng.uniform(0.2, 0.8, wrong.get("shapes", 2 * parts))
    out = [integer(wrong.get("version", 1)), matrix(shape), integer(cascades)]
    splits = 2**depth - 1
    for cascade in range(cascades):
        out.append(integer(trees))
        for tree in range(trees):
            out.append(integer(splits))
            for split in range(splits):
                pair = rng.randint(0, pixels, 2).tolist()
                if cascade == tree == split == 0:
                    pair = wrong.get("split", pair)
                out += [integers(*pair), number(wrong.get("threshold", 0.5))]
            leaves = wrong.get("leaves", splits + 1)
            out.append(integer(leaves))
            leaf = np.full(wrong.get("leaf", 2 * parts), wrong.get("leaf_value", 0.001))
            out += [matrix(leaf)] * leaves
    out.append(integer(wrong.get("lists", cascades)))
    for cascade in range(cascades):
        anchors = rng.randint(0, parts, wrong.get("anchors", pixels)).tolist()
        if cascade == 0:
            anchors[0] = wrong.get("anchor", anchors[0])
        out += [integer(len(anchors)), integers(*anchors)]
    out.append(integer(cascades))
    for _ in range(cascades):
        out += [integer(wrong.get("pixels_of", pixels)), numbers(rng.uniform(-0.1, 0.1, (pixels, 2)))]
    return b"".join(out)


def detector(**wrong):
    """A detector of one window without padding; `wrong` names what is written in place of the right value."""
    head = {
        "version": 2,
        "scanner": 1,
        "stored": 0,
        "features": 0,
        "cell": CELL,
        "padding": 0,
        "width": WINDOW,
        "height": WINDOW,
        "levels": 1000,
        "least_width": 64,
        "least_height": 64,
    }
    values = {**head, **{name: value for name, value in wrong.items() if name in head}}
    weights = np.full(wrong.get("weights", WEIGHTS) + 1, wrong.get("weight", 0.01))
    return b"".join(
        [
            integers(*values.values()),
            number(9.0),
            integer(wrong.get("dimensions", WEIGHTS)),
            numbers([0.5, 1.0]),
            integer(wrong.get("windows", 1)),
            matrix(weights),
        ]
    )
