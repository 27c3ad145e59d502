# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Learning rates and moving averages of all fits; a short fit of one network, with its state on disk."""

from __future__ import annotations

import copy
import math

import numpy as np

from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.network import torch
from ppstyleclip.worlds.portrait.training.pause import Clock, told_to_end

WARM, FLOOR = 100, 0.01  # steps of the rise; the lowest rate, as a share of the highest
KEEP = 0.995  # of the moving average, a step


def cosine_rate(rate, floor, share, rise=1.0):
    """The learning rate where `share` of the way from `rate` down to `floor * rate` is over.

    Args:
        rise: how much of the rise at its beginning is over; from 1 on it plays no part.
    """
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
    return rate * min(1.0, rise) * (floor + (1 - floor) * fall)


def restarting_rate(plan, pictures, batch, steps):
    """A cosine from `plan.rate` to its floor, again and again, each after a rise of some steps."""
    into, length = pictures, plan.first_cycle
    if pictures >= plan.first_cycle:
        into, length = (pictures - plan.first_cycle) % plan.cycle, plan.cycle
    return cosine_rate(plan.rate, plan.floor, into / length, (into + batch) / (steps * batch))


def follow(average, network, keep, step):
    """Move a moving average towards a network of the same shape, faster in the first steps."""
    keep = min(keep, step / (step + 10))
    ours, theirs = (list(one.state_dict().values()) for one in (average, network))
    moving = [k for k, value in enumerate(ours) if value.is_floating_point()]
    with torch.no_grad():
        torch._foreach_lerp_([ours[k] for k in moving], [theirs[k] for k in moving], 1 - keep)
        for mean, now in zip(ours, theirs):
            if not mean.is_floating_point():
                mean.copy_(now)


class Schedule:
    """Goes on from the state at `path`, if any, which it writes every three minutes and at the end.

    Args:
        path: of the state.
        network: what learns.
        plan: with `steps`, `rate` and `decay`.
        beside: `{name: part}` more with a state that is kept, such as a critic and its optimiser.
    """

    def __init__(self, path, network, plan, beside=None):
        network.to(memory_format=torch.channels_last)
        self.path, self.network, self.plan, self.step = path, network, plan, 0
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), plan.rate, betas=(0.9, 0.99), weight_decay=plan.decay
        )
        self._parts = {
            "network": network,
            "average": self.average,
            "optimizer": self.optimizer,
            **(beside or {}),
        }
        self.means, self._seen, self._clock = None, 0, Clock(checkpoint.EVERY)
        state = checkpoint.load(path, "step", *self._parts)
        if state is not None:
            self.step = state["step"]
            checkpoint.resume(self._parts, state, path)

    def steps(self):
        """Numbers of the steps that are left; a fit that draws all chance from them goes on as it began.

        Raises:
            KeyboardInterrupt: it was told to end before; the state is saved.
        """
        self.network.train()
        with told_to_end() as told:
            while self.step < self.plan.steps and not told:
                yield self.step
            self.save()
        if self.step < self.plan.steps:
            raise KeyboardInterrupt

    def rate(self):
        """A short rise, then a cosine down to the floor."""
        return cosine_rate(self.plan.rate, FLOOR, self.step / self.plan.steps, (self.step + 1) / WARM)

    def learn(self, loss, figures):
        """One step down `loss`; `figures` are numbers whose running means `means` holds."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step, self._seen = self.step + 1, self._seen + 1
        follow(self.average, self.network, KEEP, self.step)
        share, now = max(0.02, 1 / self._seen), np.array(figures, np.float64)
        self.means = now if self.means is None else self.means + share * (now - self.means)
        if self._clock.due():
            self.save()

    def reports(self, every):
        return self.step % every == 0 or self.step == self.plan.steps

    def save(self):
        state = {name: part.state_dict() for name, part in self._parts.items()}
        checkpoint.save(self.path, {"step": self.step, **state})
