# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Markdown of race results."""

from __future__ import annotations


def ratio_table(results):
    """How many times faster each of our contestants is than each peer, by best times; [] without peers."""
    peers = list(dict.fromkeys(r.contestant for r in results if not r.ours))
    lines = _head(["what", "who", "best", *(f"{peer} takes" for peer in peers)])
    for case in dict.fromkeys(r.case for r in results):
        here = [r for r in results if r.case == case]
        best = {r.contestant: r.best for r in here if not r.ours}
        for result in (r for r in here if r.ours):
            ratios = [f"{best[peer] / result.best:.2f}x" if peer in best else "" for peer in peers]
            lines.append(_row([case, result.contestant, duration(result.best), *ratios]))
    return lines


def time_table(results):
    """Best and median of each contestant, its threads, its memory and how well its result agrees."""
    lines = _head(["what", "who", "threads", "best", "median", "rounds", "peak memory", "agreement"])
    for r in results:
        peak = "" if r.peak is None else f"{r.peak / 2**20:,.0f} MB"
        agreement = "" if r.agreement is None else f"{r.agreement:.0f} dB"
        times = [duration(r.best), duration(r.median), str(len(r.seconds))]
        lines.append(_row([r.case, r.contestant, str(r.threads), *times, peak, agreement]))
    return lines


def limit_lines(results, work, arithmetic):
    """What a convolution's measured speed allows, and how near to it synthesis comes.

    Args:
        results: of all groups.
        work: `{case of a convolution: GFLOP}`.
        arithmetic: `{case of a synthesis: GFLOP}`.
    """
    speeds = [(r, work[r.case] / r.best) for r in results if r.case in work]
    if not speeds:
        return []
    lines = [f"- {r.case}, {r.contestant}: {speed:.0f} GFLOP/s" for r, speed in speeds]
    top = max(speed for _, speed in speeds)
    for case, amount in arithmetic.items():
        limit = amount / top
        near = [
            f"{r.contestant} takes {r.best / limit:.2f} times that"
            for r in results
            if r.case == case and r.ours
        ]
        said = "; ".join([f"- {case}: {amount:g} GFLOP, at {top:.0f} GFLOP/s {duration(limit)}", *near])
        lines.append(said)
    return lines


def duration(seconds):
    """Three digits, in seconds or milliseconds."""
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{seconds * 1000:.3g} ms"


def _head(names):
    return [_row(names), _row(["---"] * len(names))]


def _row(cells):
    return "| " + " | ".join(cells) + " |"
