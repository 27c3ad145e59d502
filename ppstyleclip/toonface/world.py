# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The population of the face world: how a latent z names a face, and pictures of many faces on disk."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from ppstyleclip.toonface.renderer import NUM_FACTORS, render_batch

Z_DIM = 64
SHARD = 2048  # faces a file
ROTATION_SEED = 20261


def rotation():
    """`[Z_DIM, NUM_FACTORS]` orthonormal columns: the fixed rotation from z to the factors."""
    q, r = np.linalg.qr(np.random.RandomState(ROTATION_SEED).randn(Z_DIM, Z_DIM))
    return (q * np.sign(np.diag(r)))[:, :NUM_FACTORS].astype(np.float32)


def factors_from_z(z):
    """Factors `[N, NUM_FACTORS]`, of unit variance, of latents `[N, Z_DIM]`, whose length does not count."""
    unit = z / np.sqrt(np.mean(z.astype(np.float64) ** 2, axis=1, keepdims=True) + 1e-8)
    return (unit @ rotation()).astype(np.float32)


def sample_z(seed, count):
    """`[count, Z_DIM]` standard normal latents."""
    return np.random.RandomState(seed).randn(count, Z_DIM).astype(np.float32)


def _write_shard(job):
    path, seed, size = job
    z = sample_z(seed, SHARD)
    images = render_batch(factors_from_z(z), size)
    part = path.with_suffix(".part.npz")
    np.savez(part, z=z, images=images)
    part.replace(path)
    return path


def shard_paths(folder, size, seed, count):
    """Paths and jobs of `count` shards of one population; shard i is drawn from seed + i."""
    folder = Path(folder)
    return [(folder / f"faces-{size}-{seed + i}.npz", seed + i, size) for i in range(count)]


def write_faces(folder, *, size, seed, count, workers=1):
    """Render the shards that are not on disk yet; yields each path as it is there."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    jobs = shard_paths(folder, size, seed, count)
    yield from (path for path, _, _ in jobs if path.exists())
    missing = [job for job in jobs if not job[0].exists()]
    if missing:
        with ProcessPoolExecutor(workers) as pool:
            yield from pool.map(_write_shard, missing)


def load_shard(path):
    """`z [SHARD, Z_DIM]` float32 and `pixels [SHARD, H, W, 3]` uint8."""
    with np.load(path) as data:
        return data["z"], data["images"]
