# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of CLIP: the network, a layer that reads the factors, the moving average, one step of learning.

Captions alone teach colours in minutes and a smile in hours. So a linear layer, thrown away afterwards, also
reads the factors from the picture's features, at first as the only loss.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.worlds.portrait.factors import NUM_FACTORS
from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.clip import losses
from ppstyleclip.worlds.portrait.training.clip.network import Clip, rows_of
from ppstyleclip.worlds.portrait.training.clip.prompts import NEUTRAL, captions_of
from ppstyleclip.worlds.portrait.training.clip.softness import augment
from ppstyleclip.worlds.portrait.training.network import F, nn, torch

STATE = "clip-state.pt"
HIGHEST_SCALE = math.log(100.0)  # CLIP's own limit


@dataclass(frozen=True)
class Plan:
    """How CLIP is fitted; pictures are counted from the fit's beginning."""

    people: int = 32  # pictures of a batch
    pairs: int = 16  # and pairs beside them
    captions: int = 96
    rate: float = 1.5e-3
    floor: float = 0.05  # the lowest learning rate, as a share
    first_cycle: int = 120_000  # pictures to the first restart of the learning rate
    cycle: int = 240_000  # and from one to the next
    decay: float = 0.02
    keep: float = 0.998  # of the moving average, a step
    reading: float = 4.0  # weight of reading the factors
    change: float = 0.5
    captions_from: int = 20_000  # pictures after which captions join


def learning_rate(plan, pictures):
    """A cosine from `rate` to its floor, again and again, with a short rise at each beginning."""
    into, length = pictures, plan.first_cycle
    if pictures >= plan.first_cycle:
        into, length = (pictures - plan.first_cycle) % plan.cycle, plan.cycle
    fall = 0.5 * (1 + math.cos(math.pi * into / length))
    return plan.rate * (plan.floor + (1 - plan.floor) * fall * min(1.0, (into + 64) / 6400))


def prepare(portraits, plan, size, step):
    """A batch: (images, factors, rows of tokens, truths), all of step `step`'s chances."""
    rng = np.random.RandomState(step)
    pixels, factors = portraits.batch(plan.people, plan.pairs)
    pairs = min(plan.pairs, len(pixels) // 2)
    texts, truths = captions_of(factors, pairs, plan.captions, rng)
    return augment(pixels, size, rng), factors, rows_of(texts), truths, pairs


class Fit:
    """CLIP, its reading layer, moving average and optimiser; goes on from the state in `folder`, if any."""

    def __init__(self, folder, plan, config=None):
        torch.manual_seed(0)
        self.path, self.plan = Path(folder) / STATE, plan
        self.clip = Clip(config)
        self.reading = nn.Linear(self.clip.config["embed_dim"], NUM_FACTORS)
        self.average = deepcopy(self.clip).eval().requires_grad_(False)
        parts = [*self.clip.named_parameters(), *self.reading.named_parameters()]
        plain = [p for name, p in parts if p.ndim < 2 or "embedding" in name]
        matrices = [p for name, p in parts if not (p.ndim < 2 or "embedding" in name)]
        groups = [{"params": matrices, "weight_decay": plan.decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, plan.rate, betas=(0.9, 0.98), foreach=True)
        self.step = self.pictures = 0
        state = checkpoint.load(self.path)
        if state is not None:
            self.step, self.pictures = state["step"], state["pictures"]
            for name, part in self.parts().items():
                part.load_state_dict(state[name])

    def parts(self):
        names = ("clip", "reading", "average", "optimizer")
        return {name: getattr(self, name) for name in names}

    def save(self):
        states = {name: part.state_dict() for name, part in self.parts().items()}
        checkpoint.save(self.path, {"step": self.step, "pictures": self.pictures, **states})

    def learn(self, images, factors, rows, truths, pairs):
        """One step on a batch of `prepare`; returns (contrast, change, reading) as numbers."""
        plan = self.plan
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(plan, self.pictures)
        self.clip.train()
        contrast = change = torch.zeros(())
        with torch.autocast("cpu", torch.bfloat16):
            features = self.clip.encode_pixels(images)
        reading = F.smooth_l1_loss(self.reading(features), torch.from_numpy(factors))
        if self.pictures >= plan.captions_from:
            texts, truths = self.encode(rows), torch.from_numpy(truths)
            scale = self.clip.logit_scale.clamp(max=HIGHEST_SCALE).exp()
            contrast = losses.contrast(features, texts, scale, truths)
            if pairs:
                own = slice(len(features) - 2 * pairs, None)
                change = losses.change_loss(features[own], texts, scale, truths[own], len(NEUTRAL))
        self.optimizer.zero_grad(set_to_none=True)
        (contrast + plan.change * change + plan.reading * reading).backward()
        torch.nn.utils.clip_grad_norm_(self.clip.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        self.pictures += len(images)
        self.follow()
        return contrast.item(), change.item(), reading.item()

    def encode(self, rows):
        """Features of captions, the short ones and the long ones apart, so that few places are empty."""
        lengths = (np.argmax(rows, 1) + 1).astype(int)
        order = np.argsort(lengths, kind="stable")
        found = []
        for part in np.array_split(order, 3):
            cut = torch.from_numpy(np.ascontiguousarray(rows[part, : lengths[part].max()]))
            with torch.autocast("cpu", torch.bfloat16):
                found.append(self.clip.encode_rows(cut))
        return torch.cat(found)[torch.from_numpy(np.argsort(order, kind="stable"))]

    def follow(self):
        """Move the average towards the network; statistics of batch norm follow as they are."""
        keep = min(self.plan.keep, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.clip.parameters()), 1 - keep)
            for ours, theirs in zip(self.average.buffers(), self.clip.buffers()):
                ours.lerp_(theirs, 1 - keep)
