# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How many threads learn: those that are faster just now."""

from __future__ import annotations

import time

from ppstyleclip.worlds.portrait.training.network import torch


def choose_threads(most, *, trial=6, every=180, clock=time.time):
    """A generator to be advanced before each step; it sets PyTorch's number of threads to 1 or `most`.

    Threads of a convolution wait for one another in a loop. On a machine with other work one thread alone is
    therefore twice as fast as two, on an idle one half as fast, and it is found out by trying.

    Args:
        most: threads where they have the machine to themselves.
        trial: steps that are timed with either number.
        every: seconds from one choice to the next trial.
        clock: gives the time in seconds.
    Yields:
        the number of threads of the step to come.
    """
    while True:
        took = {}
        for count in sorted({1, most}):
            torch.set_num_threads(count)
            yield count  # not timed: buffers of another number of threads are made
            start = clock()
            for _ in range(trial):
                yield count
            took[count] = clock() - start
        best = min(took, key=took.get)
        torch.set_num_threads(best)
        end = clock() + every
        while clock() < end:
            yield best
