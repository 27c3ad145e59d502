# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Shards of rendered portraits on disk: latents, pictures of 256 px as JPEG, a map of each picture's parts.

The map is small, `[64, 64]`, and names for every pixel the part that counts most there.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import cv2
import numpy as np

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import check_file
from ppstyleclip.worlds.portrait.canvas import REGIONS, Canvas
from ppstyleclip.worlds.portrait.factors import INDEX, NUM_FACTORS, factors_from_z, sample_z, z_from_factors
from ppstyleclip.worlds.portrait.geometry import measure
from ppstyleclip.worlds.portrait.render import paint, render
from ppstyleclip.worlds.portrait.training.pause import wait_while_paused
from ppstyleclip.worlds.portrait.turn import turned

SIDE, MAP_SIDE = 256, 64
FACES = 250  # in a shard
WIDER = 1.3  # the last quarter of a shard has its factors stretched by this, so that edits find known ground
HELD_OUT = 9_000_000  # seeds from here on are never trained on
PAIRS = 5_000_000  # seeds from here to HELD_OUT, and as far beyond that, are of pairs
KEEP_SMALL = {"mouth": 2.5, "eyes": 2.5, "brows": 2.5, "glasses": 2.5, "nose": 1.5, "beard": 1.5}
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 97, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


def shard_path(folder, seed):
    return Path(folder) / "data" / f"faces-{seed}.npz"


def shards_in(folders, held_out=False):
    """`{seed: path}` of the shards in the data/ of several folders, by their seeds."""
    paths = [path for folder in folders for path in Path(folder).glob("data/faces-*.npz")]
    found = {int(seed): path for path in paths if (seed := path.stem.split("-", 1)[1]).isdecimal()}
    return {seed: path for seed, path in sorted(found.items()) if (seed >= HELD_OUT) == held_out}


def needed_shards(folders, held_out=False):
    """As `shards_in`, at least one.

    Raises:
        MissingFile: names the command that renders them.
    """
    found = shards_in(folders, held_out)
    if not found:
        kind = "held-out shards" if held_out else "shards"
        raise MissingFile(f"there are no {kind} in {', '.join(map(str, folders))}; {render_with(folders[0])}")
    return found


def render_with(folder, first=0):
    """What to do where a folder has no shards, for a message."""
    more = f" --first {first}" if first else ""
    return f"render some: python -m ppstyleclip.worlds.portrait.training.data --folder {folder}{more}"


def shard_latents(seed, count=FACES):
    """`[count, Z_DIM]` latents of a shard; of the held-out people all are of the plain population."""
    if seed % HELD_OUT >= PAIRS:
        return z_from_factors(paired_factors(np.random.RandomState(seed), count))
    z = sample_z(seed, count)
    if seed < HELD_OUT:
        wide = count - count // 4
        z[wide:] = z_from_factors(WIDER * factors_from_z(z[wide:]))
    return z


def paired_factors(rng, count):
    """`[count, NUM_FACTORS]` of faces side by side that differ in one factor or two.

    Factors do not depend on one another here, so that nothing can be told from what goes with it among
    people. Dye is worn four times as often.
    """
    first = rng.randn((count + 1) // 2, NUM_FACTORS)
    dyed = rng.rand(len(first)) < 0.3
    first[:, INDEX["hair_dye"]] = np.where(
        dyed, rng.uniform(-2.8, 2.8, len(first)), first[:, INDEX["hair_dye"]]
    )
    second = first.copy()
    for row in second:
        changed = rng.choice(NUM_FACTORS, rng.randint(1, 3), replace=False)
        row[changed] = rng.uniform(-2.2, 2.2, len(changed))
    return np.stack([first, second], 1).reshape(-1, NUM_FACTORS)[:count]


def part_map(factors, side=MAP_SIDE):
    """`[side, side]` uint8 indices into REGIONS; small parts win where they cover less than half a pixel.

    The same as `regions` gives, from a canvas of twice the map's side, which costs a quarter of it.
    """
    g, c = measure(factors), Canvas(2 * side, labelled=True)
    paint(c, g)
    masks = turned(np.stack([c.labels[name] for name in REGIONS]), c, g)
    small = masks.reshape(len(REGIONS), side, 2, side, 2).mean((2, 4))
    favour = [KEEP_SMALL.get(name, 1.0) for name in REGIONS]
    return np.argmax(small * np.reshape(favour, (-1, 1, 1)), axis=0).astype(np.uint8)


def write_shard(folder, seed, count=FACES):
    """Render the shard of `seed`, unless it is there; returns its path."""
    path = shard_path(folder, seed)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    z, pictures, maps = shard_latents(seed, count), [], []
    for row in factors_from_z(z):
        wait_while_paused(folder)
        pictures.append(cv2.imencode(".jpg", render(row, SIDE)[..., ::-1], JPEG)[1].reshape(-1))
        maps.append(part_map(row))
    ends = np.cumsum([len(data) for data in pictures])
    packed = cv2.imencode(".png", np.concatenate(maps))[1]
    part = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(part, z=z, ends=ends, jpeg=np.concatenate(pictures), maps=packed)
    os.replace(part, path)
    return path


class Shard:
    """One shard in memory; pictures are decoded when they are asked for.

    Raises:
        MissingFile: it is not there.
        UserError: it cannot be read.
    """

    def __init__(self, path):
        path = Path(path)
        if not path.exists():
            raise MissingFile(f"there is no shard {path}; {render_with(path.parents[1])}")
        check_file(path)
        try:
            with open(path, "rb") as file, np.load(file) as data:
                self.z, self.ends, self.jpeg = data["z"], data["ends"], data["jpeg"]
                maps = cv2.imdecode(data["maps"], cv2.IMREAD_GRAYSCALE)
            self.maps = maps.reshape(len(self.z), MAP_SIDE, MAP_SIDE)
        except (ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, cv2.error):
            again = render_with(path.parents[1])
            raise UserError(f"{path} is no shard that can be read; remove it, and {again}") from None

    def __len__(self):
        return len(self.z)

    def pixels(self, row):
        """`[256, 256, 3]` uint8 RGB."""
        start = self.ends[row - 1] if row else 0
        return cv2.imdecode(self.jpeg[start : self.ends[row]], cv2.IMREAD_COLOR)[..., ::-1]

    def small(self, side):
        """All pictures `[N, side, side, 3]` uint8, averaged down."""
        rows = (self.pixels(row) for row in range(len(self)))
        return np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in rows])


def load_small(paths, side):
    """(pixels `[N, side, side, 3]` uint8, z `[N, Z_DIM]`) of shards."""
    shards = ((shard.small(side), shard.z) for shard in map(Shard, paths))
    pixels, z = zip(*shards)
    return np.concatenate(pixels), np.concatenate(z)


class Faces:
    """Random faces of a folder's shards, of which some are in memory and change one by one.

    Args:
        folder: where `data/` is; new shards are found while the fit runs.
        seed: of the choice.
        held: shards in memory, 10 MB each.
        every: batches from one exchange of a shard to the next.
    """

    def __init__(self, folder, seed, held=64, every=16):
        self.folder, self.rng = Path(folder), np.random.RandomState(seed)
        self.held, self.every, self.count, self.shards = held, every, 0, {}

    def paths(self):
        return sorted(shards_in([self.folder]).values())

    def batch(self, size):
        """(z `[N, D]`, pixels `[N, 256, 256, 3]` uint8, maps `[N, 64, 64]` uint8)."""
        if self.count % self.every == 0:
            self._exchange()
        self.count += 1
        shards = list(self.shards.values())
        rows = []
        for _ in range(size):
            shard = shards[self.rng.randint(len(shards))]
            row = self.rng.randint(len(shard))
            rows.append((shard.z[row], shard.pixels(row), shard.maps[row]))
        return tuple(np.stack(part) for part in zip(*rows))

    def _exchange(self):
        if not self.shards:
            needed_shards([self.folder])
        fresh = [path for path in self.paths() if path not in self.shards]
        if fresh:
            path = fresh[self.rng.randint(len(fresh))]
            if len(self.shards) >= self.held:
                del self.shards[list(self.shards)[self.rng.randint(len(self.shards))]]
            self.shards[path] = Shard(path)
