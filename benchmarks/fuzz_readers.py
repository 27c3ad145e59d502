# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fuzzes every schema and every reader of files: damaged and hostile values, in this very process.

    python benchmarks/fuzz_readers.py --examples 100000      # some minutes on one core; --seed 1 makes others
    python benchmarks/fuzz_readers.py --examples 5000 --targets "JSON,clip config"

Each example must come back as a value or as a UserError of one printable line, within ten seconds, and the
process must stay within --memory MiB of what it needs to begin. Anything else is printed with the smallest
example that shows it, and the exit code is 1. What is fuzzed: tests/fuzz_values.py; tests/fuzz_formats.py
fuzzes the readers of weight files alone, guided by coverage.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "tests")]

PATH_SHARE = 4  # examples of a target without files for one that writes and reads a file


def shares(names: list[str], examples: int) -> dict[str, int]:
    """How many examples each target gets: those that read a file cost more and get fewer."""
    weights = {name: 1 if name.endswith(("file", "manifest", "preset")) else PATH_SHARE for name in names}
    whole = sum(weights.values())
    return {name: max(1, -(-examples * weight // whole)) for name, weight in weights.items()}


def fuzz(name: str, examples: int, seed: int) -> tuple[Counter, str]:
    """Try examples of one target.

    Args:
        name: a key of fuzz_values.TARGETS.
        examples: how many.
        seed: the same one draws the same examples.
    Returns:
        (how they went, a report of the first that went wrong or "").
    """
    import hypothesis
    from fuzz_values import TARGETS

    strategy, read = TARGETS[name]
    went: Counter = Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    @hypothesis.given(strategy)
    def run(value):
        went[read(value)] += 1

    try:
        run()
    except Exception:  # each is a finding
        return went, traceback.format_exc()
    return went, ""


def main(argv: list[str] | None = None) -> int:
    """Fuzz, print a line for each target and one for all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=10_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--targets", type=lambda text: text.split(","), help="some of them, with commas between"
    )
    parser.add_argument("--memory", type=int, default=1024, help="MiB that reading may add to the process")
    args = parser.parse_args(argv)
    from fuzz_values import TARGETS

    unknown = [name for name in args.targets or [] if name not in TARGETS]
    if unknown:
        parser.error(f"unknown target '{unknown[0]}', known: {', '.join(TARGETS)}")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + args.memory * 2**20,) * 2)
    began, total, wrong = time.time(), Counter(), []
    for name, examples in shares(args.targets or list(TARGETS), args.examples).items():
        start = time.time()
        went, report = fuzz(name, examples, args.seed)
        total += went
        counts = f"{went['read']:7,} read, {went['refused']:7,} refused"
        verdict = f"{'WRONG' if report else 'none wrong'}, {time.time() - start:.0f} s"
        print(f"{name:24} {sum(went.values()):7,} examples: {counts}, {verdict}", flush=True)
        if report:
            wrong.append(name)
            print(report, flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{sum(total.values()):,} examples in {time.time() - began:.0f} s: {total['read']:,} read, "
        f"{total['refused']:,} refused, {len(wrong)} targets with faults; peak memory {peak} MiB"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
