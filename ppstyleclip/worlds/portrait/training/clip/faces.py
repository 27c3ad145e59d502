# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Portraits in memory: people, and pairs of faces that differ in a factor or two."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.factors import factors_from_z
from ppstyleclip.worlds.portrait.training.shards import HELD_OUT, PAIRS, Shard, needed_shards, shards_in

SIDE = 128  # of the pictures in memory


def load_shard(path):
    """(pixels `[N, SIDE, SIDE, 3]` uint8, factors `[N, NUM_FACTORS]`) of one shard."""
    shard = Shard(path)
    return shard.small(SIDE), factors_from_z(shard.z)


class Portraits:
    """Random batches; one more shard comes into memory with every few batches, until all are there.

    Args:
        folders: whose data/ holds shards; new ones are found while the fit runs.
        seed: of the choice.
        every: batches from one new shard to the next.
        most: shards in memory, 12 MB each.
    """

    def __init__(self, folders, seed, every=4, most=400):
        self.folders, self.rng = list(folders), np.random.RandomState(seed)
        self.every, self.most, self.count = every, most, 0
        self.shards: dict[int, tuple] = {}

    def batch(self, people, pairs):
        """(pixels `[N, SIDE, SIDE, 3]` uint8, factors `[N, NUM_FACTORS]`, how many pairs come last).

        N is people + 2 * pairs. Where there are no pairs yet, or no people, the others take their places.
        """
        if self.count % self.every == 0:
            self._load_one()
        self.count += 1
        rows, found = self._rows(people + 2 * pairs, pairs)
        pixels, factors = (np.stack(part) for part in zip(*((s[0][i], s[1][i]) for s, i in rows)))
        return pixels, factors, found

    def _rows(self, size, wanted):
        """(`size` places (shard, row), pairs last; how many pairs there are)."""
        people = [s for seed, s in self.shards.items() if seed < PAIRS]
        couples = [s for seed, s in self.shards.items() if seed >= PAIRS]
        pairs = min(wanted, size // 2) if couples else 0
        rows = []
        for _ in range(size - 2 * pairs):
            source = people or couples
            shard = source[self.rng.randint(len(source))]
            rows.append((shard, self.rng.randint(len(shard[0]))))
        for _ in range(pairs):
            shard = couples[self.rng.randint(len(couples))]
            first = 2 * self.rng.randint(len(shard[0]) // 2)
            rows += [(shard, first), (shard, first + 1)]
        return rows, pairs

    def _load_one(self):
        if not self.shards:
            needed_shards(self.folders)
        fresh = [(s, p) for s, p in shards_in(self.folders).items() if s not in self.shards]
        if fresh and len(self.shards) < self.most:
            # People and pairs by turns, as far as there are both.
            want = len(self.shards) % 2 == 1
            fitting = [item for item in fresh if (item[0] >= PAIRS) == want] or fresh
            seed, path = fitting[self.rng.randint(len(fitting))]
            self.shards[seed] = load_shard(path)


def load_held_out(folders, most=4):
    """`{"all": (pixels, factors)}` of the held-out shards, and of their "pairs" if there are any."""
    shards = list(needed_shards(folders, held_out=True).items())[:most]
    loaded = {seed: load_shard(path) for seed, path in shards}
    kinds = {"all": list(loaded), "pairs": [seed for seed in loaded if seed >= HELD_OUT + PAIRS]}
    return {
        kind: tuple(np.concatenate(part) for part in zip(*(loaded[seed] for seed in seeds)))
        for kind, seeds in kinds.items()
        if seeds
    }
