# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One contestant in a process of its own; `benchmarks/speed.py` starts it and talks to it line by line.

    python benchmarks/lanes/lane.py ours synthesis_engine '{"size": 64}'

It prepares itself and says `ready`. `go CASE REPEATS` is answered with the seconds of one repeat, `keep CASE
FILE` with the case's last result (thinned out) in a .npy file, `peak` with the most memory since it last said
`peak`. Answers are JSON lines; what libraries print goes to stderr.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

from drawn import Timed

THIN = 10**6  # numbers of a result that are kept


def peak_bytes():
    """Most memory that was resident since the last call, and start again; None where that is not told."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak becomes what is resident now
        return peak
    except (OSError, StopIteration):
        return None


def keep(result, path):
    """Store up to THIN numbers of a result, evenly spread; whether there was one."""
    import numpy as np

    if result is None:
        return False
    values = np.asarray(result() if callable(result) else result, np.float32).ravel()
    np.save(path, values[:: max(1, len(values) // THIN)])
    return True


def versions():
    """`{package: version}` of what has been imported."""
    python = sys.version.split()[0]
    known = {"paddle": "Paddle", "torch": "PyTorch"}
    return {
        said: f"{sys.modules[name].__version__} on Python {python}"
        for name, said in known.items()
        if name in sys.modules
    }


def timed(step, repeats, clock=time.perf_counter):
    """(seconds of one step, the last result)."""
    began = clock()
    for _ in range(repeats):
        result = step()
    if isinstance(result, Timed):
        return result
    return (clock() - began) / repeats, result


def serve(steps, say, clock):
    """Answer the lines of stdin until it ends."""
    results = {}
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "go":
            seconds, results[rest[0]] = timed(steps[rest[0]], int(rest[1]), clock)
            say({"seconds": seconds})
        elif word == "keep":
            say({"kept": keep(results.get(rest[0]), rest[1])})
        elif word == "peak":
            results.clear()
            say({"peak": peak_bytes()})


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", help="file in this folder")
    parser.add_argument("make", help="its function that returns {case: function without arguments}")
    parser.add_argument("options", help="keyword arguments of that function, as JSON")
    parser.add_argument("--processor", action="store_true", help="answer with seconds of the processor")
    args = parser.parse_args(argv)
    talk = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(answer):
        talk.write(json.dumps(answer) + "\n")

    try:
        steps = getattr(importlib.import_module(args.module), args.make)(**json.loads(args.options))
        peak_bytes()
        say({"ready": sorted(steps), "versions": versions()})
        serve(steps, say, time.process_time if args.processor else time.perf_counter)
    except Exception as error:  # whatever goes wrong in a lane, the others go on
        say({"absent": " ".join(f"{type(error).__name__}: {error}".split())[:200]})


if __name__ == "__main__":
    main()
