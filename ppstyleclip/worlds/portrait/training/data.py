# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Render the shards that the fits learn from; those that are there stay.

    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 160 --workers 2

160 shards of 250 portraits take about half an hour of two cores and 1.5 GB. From `--first 5000000` on they
are pairs of faces that differ in a factor or two, from which CLIP learns.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor

import cv2

from ppstyleclip.cli.argument_types import COUNT, Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import check_writable
from ppstyleclip.worlds.portrait.training.shards import FACES, HELD_OUT, PAIRS, shard_path, write_shard

HELD_SHARDS = 2
FIRST, WORKERS = Whole(0, HELD_OUT - 1), Whole(1, 1024)


def _job(job):
    cv2.setNumThreads(1)
    return write_shard(*job)


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder; shards go into its data/")
    parser.add_argument("--count", type=COUNT, default=160, help=f"shards to have, {FACES} portraits each")
    parser.add_argument("--first", type=FIRST, default=0, help="seed of the first shard")
    parser.add_argument("--workers", type=WORKERS, default=1)
    args = parser.parse_args(argv)
    check_writable(args.folder)
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
