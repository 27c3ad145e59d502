# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Render the shards that the fits learn from; those that are there stay.

    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 160 --workers 2

160 shards of 250 portraits take about half an hour of two cores and 1.5 GB. From `--first 5000000` on they
are pairs of faces that differ in a factor or two, from which CLIP learns.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor

import cv2

from ppstyleclip.worlds.portrait.training.shards import FACES, HELD_OUT, PAIRS, shard_path, write_shard

HELD_SHARDS = 2


def _job(job):
    cv2.setNumThreads(1)
    return write_shard(*job)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", required=True, help="the run's folder; shards go into its data/")
    parser.add_argument("--count", type=int, default=160, help=f"shards to have, {FACES} portraits each")
    parser.add_argument("--first", type=int, default=0, help="seed of the first shard")
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args(argv)
    held = HELD_OUT + PAIRS * (args.first >= PAIRS)
    seeds = [held + i for i in range(HELD_SHARDS)] + [args.first + i for i in range(args.count)]
    missing = [seed for seed in seeds if not shard_path(args.folder, seed).exists()]
    print(f"{len(seeds) - len(missing)} shards are there, {len(missing)} are missing", flush=True)
    start = time.time()
    with ProcessPoolExecutor(args.workers) as pool:
        for done, path in enumerate(pool.map(_job, [(args.folder, seed) for seed in missing]), 1):
            pace = (time.time() - start) / (done * FACES) * 1000
            print(f"{done}/{len(missing)} {path.name} {pace:.1f} ms a portrait", flush=True)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
