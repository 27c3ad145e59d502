# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures with their latents for the fits of identity network and encoder: the renderer's, the generator's.

Both are faces of known z, and so of known factors and of known w. The renderer's are shifted, turned and
scaled a little, as a crop by found landmarks is, and some are blurred, as small faces are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from ppstyleclip.models.configs import check_stylegan2, check_stylegan3
from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.exported import GENERATOR, OTHER, check_family, read_exported
from ppstyleclip.worlds.portrait.training.network import F, Generator, torch
from ppstyleclip.worlds.portrait.training.pictures import to_pixels
from ppstyleclip.worlds.portrait.training.shards import Faces, load_small, needed_shards
from ppstyleclip.worlds.portrait.training.stylegan3 import StyleGAN3

PACK = Path(__file__).parents[1] / "pack"
PACKS = {"stylegan2": PACK, "stylegan3": PACK.with_name("pack-sg3")}  # of the world's generators
PARTS = {"size": "size", "style_dim": "style_dim", "layers": "n_mlp", "channels": "channels"}
SIDE = 128
DRAWN_SEED = 7_000_000
SHIFT, TURN, SCALE = 0.01, 0.015, 0.04  # of a crop: share of the picture, radians, share; deviations
DYED, FAVOUR = 1.4, 3  # hair dye from which on a face is seen so often; few wear it, edits ask for it
BLURRED, SMALLEST = 0.35, 40  # share of the pictures that were smaller once, and how small


@dataclass(frozen=True)
class People:
    """`pixels [N, SIDE, SIDE, 3]` uint8 and `z [N, Z_DIM]` float32."""

    pixels: np.ndarray
    z: np.ndarray

    @cached_property
    def rows(self):
        """Numbers of the faces, those of dyed hair FAVOUR times."""
        dyed = np.abs(factors_from_z(self.z)[:, INDEX["hair_dye"]]) > DYED
        return np.repeat(np.arange(len(self.z)), np.where(dyed, FAVOUR, 1))

    def pick(self, rng, count):
        """(pixels, z) of some, drawn at random."""
        rows = self.rows[rng.randint(0, len(self.rows), count)]
        return self.pixels[rows], self.z[rows]


def load_generator(path, family=None):
    """(twin of an exported generator, its fingerprint); weights are frozen.

    Args:
        path: of the file.
        family: that it has to be of; None allows each.
    Raises:
        MissingFile, UserError: it holds no such generator.
    """
    arrays, stated = read_exported(path, GENERATOR)
    config = stated.config
    if family is not None:
        check_family(config, family, path)
    if config.get("family", "stylegan2") == "stylegan2":
        build, check = Generator, check_stylegan2
    else:
        build, check = StyleGAN3, check_stylegan3
    check(config, path)
    parts = {name: config[theirs] for name, theirs in PARTS.items() if config.get(theirs) is not None}
    generator = build(**parts)
    state = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
    own = {key: value for key, value in generator.state_dict().items() if key.startswith("early.")}
    checkpoint.put(generator, {**own, **state}, path, OTHER)  # an early picture is for the fit alone
    return generator.eval().requires_grad_(False), stated.fingerprint


def rendered(paths, side=SIDE):
    """People of shards; the other faces of a pair are people as well."""
    pixels, z = load_small(paths, side)
    return People(pixels, z.astype(np.float32))


def drawn(folder, generator, mark, count, *, seed=DRAWN_SEED, batch=16):
    """People that a generator draws, enlarged to SIDE, kept in `folder` under its fingerprint."""
    path = Path(folder) / f"drawn-{mark}-{seed}-{count}.npz"
    if not path.exists():
        z, parts, side = sample_z(seed % 2**31, count), [], min(SIDE, generator.size)
        with torch.no_grad():
            for rows in torch.from_numpy(z).split(batch):
                images = generator.pictures(generator.styles(rows), side)[side]
                parts.append(to_pixels(F.interpolate(images, size=SIDE)))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}")
        np.savez(part, z=z, pixels=np.concatenate(parts))
        part.replace(path)
    with np.load(path) as data:
        return People(data["pixels"], data["z"])


def gather(data, generator, mark, *, shards, count, keep):
    """(rendered, drawn) People.

    Args:
        data: folder whose data/ holds shards.
        generator, mark: of `load_generator`.
        shards: at most so many are taken.
        count: of drawn faces.
        keep: folder where those stay.
    """
    needed_shards([data])
    paths = Faces(data, 0).paths()[:shards]
    return rendered(paths), drawn(keep, generator, mark, count)


def mixed(people, rng, count):
    """(pixels as a camera and a crop leave them, pixels as they were, z): half rendered, half drawn."""
    parts = [kind.pick(rng, part) for kind, part in zip(people, (count // 2, count - count // 2))]
    clean, z = np.concatenate([p for p, _ in parts]), np.concatenate([z for _, z in parts])
    seen = np.stack([loosened(one, rng) if n < count // 2 else one for n, one in enumerate(clean)])
    return seen, clean, z


def loosened(pixels, rng):
    """A picture `[S, S, 3]` shifted, turned and scaled a little, mirrored at its borders; perhaps blurred."""
    side = len(pixels)
    turn, scale = np.degrees(TURN) * rng.randn(), np.exp(SCALE * rng.randn())
    matrix = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), turn, scale)
    matrix[:, 2] += SHIFT * side * rng.randn(2)
    blurred, small = rng.rand() < BLURRED, int(rng.uniform(SMALLEST, side))
    if blurred:
        pixels = cv2.resize(cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA), (side, side))
    return cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
