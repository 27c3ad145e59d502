# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of CLIP: the network, what helps it to learn, the moving average, one step of learning.

Captions alone teach the encoder of pictures colours in minutes and a smile in hours. So it also learns the
features of an oracle, linear layers read the factors from its own, and from those of captions what they mean.
The oracle and the layers are thrown away afterwards.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.schema import Count, Positive, Ratio
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS
from ppstyleclip.worlds.portrait.training import checkpoint
from ppstyleclip.worlds.portrait.training.clip import losses
from ppstyleclip.worlds.portrait.training.clip.meaning import WIDTH
from ppstyleclip.worlds.portrait.training.clip.network import Clip, load_exported, rows_of
from ppstyleclip.worlds.portrait.training.clip.oracle import Oracle, imagine, match_loss
from ppstyleclip.worlds.portrait.training.clip.prompts import NEUTRAL, SHORT, captions_of
from ppstyleclip.worlds.portrait.training.clip.softness import augment
from ppstyleclip.worlds.portrait.training.network import F, half_precision, nn, torch
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight
from ppstyleclip.worlds.portrait.training.schedule import follow, restarting_rate

STATE = "clip-state.pt"
HELPERS = ("reading", "meaning", "oracle")  # thrown away afterwards
LOSSES = ("words", "change", "meaning", "spread", "match", "contrast", "reading")
SCARCE = 10.0  # most of what a caption might mean is nothing
HIGHEST_SCALE = math.log(60.0)  # so that features change smoothly along a factor


@dataclass(frozen=True)
class Plan:
    """How CLIP is fitted; pictures are counted from the fit's beginning."""

    people: Positive = 32  # pictures of a batch
    pairs: Positive = 16  # and pairs beside them
    imagined_people: Positive = 96  # faces of a batch without pictures
    imagined_pairs: Positive = 64
    captions: Positive = 96
    short_steps: Count = 1500  # in which captions say one thing each
    rate: Rate = 1.5e-3
    floor: Ratio = 0.05  # the lowest learning rate, as a share
    first_cycle: Positive = 300_000  # pictures to the first restart of the learning rate
    cycle: Positive = 300_000  # and from one to the next
    decay: Weight = 0.02
    keep: Ratio = 0.998  # of the moving average, a step
    reading: Weight = 4.0  # weight of reading the factors
    meaning: Weight = 4.0  # and of reading what captions mean
    change: Weight = 0.5
    spread: Weight = 0.3
    match: Weight = 2.0
    contrast: Weight = 0.3  # of pictures and captions, beside the oracle and captions
    match_from: Count = 12_000  # pictures until they learn the oracle's features
    contrast_from: Count = 30_000  # and until they meet captions themselves


def learning_rate(plan, pictures):
    """Of a batch after so many pictures; see restarting_rate."""
    return restarting_rate(plan, pictures, 64, 100)


@dataclass(frozen=True)
class Batch:
    """Faces, of which some have pictures, and captions.

    Attributes:
        images: `[N, 3, S, S]` in [0, 1].
        seen: `[N]` which of the faces they show; the last 2 * pairs are pairs, side by side.
        pairs: how many pairs have pictures.
        factors: `[M, NUM_FACTORS]` of all faces.
        all_pairs: how many pairs there are in all; they come last.
        rows: `[K, T]` of the captions' tokens.
        truths: `[M, K]` int8.
        meanings: `[K, WIDTH]`.
    """

    images: torch.Tensor
    seen: torch.Tensor
    pairs: int
    factors: torch.Tensor
    all_pairs: int
    rows: np.ndarray
    truths: torch.Tensor
    meanings: torch.Tensor


def prepare(portraits, plan, size, step):
    """The batch of step `step`."""
    rng = np.random.RandomState(step)
    pixels, factors, pairs = portraits.batch(plan.people, plan.pairs)
    people = len(factors) - 2 * pairs
    crowd, couples = imagine(plan.imagined_people, plan.imagined_pairs, rng)
    every = np.concatenate([factors[:people], crowd, factors[people:], couples])
    seen = np.r_[:people, people + len(crowd) : len(crowd) + len(factors)]
    all_pairs = pairs + plan.imagined_pairs
    share = 1.0 if step < plan.short_steps else SHORT
    texts, truths, meanings = captions_of(every, all_pairs, plan.captions, rng, share)
    images, rows = augment(pixels, size, rng), rows_of(texts)
    seen, every, truths, meanings = (torch.from_numpy(a) for a in (seen, every, truths, meanings))
    return Batch(images, seen, pairs, every, all_pairs, rows, truths, meanings)


def encode_captions(clip, rows):
    """Features of captions, the short ones and the long ones apart, so that few places are empty."""
    lengths = (np.argmax(rows, 1) + 1).astype(int)
    order = np.argsort(lengths, kind="stable")
    found = []
    for part in np.array_split(order, 3):
        cut = torch.from_numpy(np.ascontiguousarray(rows[part, : lengths[part].max()]))
        with half_precision():
            found.append(clip.encode_rows(cut))
    return torch.cat(found)[torch.from_numpy(np.argsort(order, kind="stable"))]


def optimizer_of(named, rate, decay):
    """AdamW of (name, parameter) pairs, whose decay leaves biases and embeddings alone."""
    named = list(named)
    plain = [p for name, p in named if p.ndim < 2 or "embedding" in name]
    matrices = [p for name, p in named if not (p.ndim < 2 or "embedding" in name)]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.98), foreach=True)


class Fit:
    """CLIP, its reading layer, moving average and optimiser; goes on from the state in `folder`, if any.

    Args:
        folder: of the state.
        plan: Plan.
        config: of the network.
        start: file of an exported CLIP, where there is no state yet. What is thrown away after a fit begins
            anew, and pictures count from 0.
    """

    def __init__(self, folder, plan, config=None, *, start=None):
        torch.manual_seed(0)
        self.path, self.plan = Path(folder) / STATE, plan
        self.clip = Clip(config) if start is None else load_exported(start)
        self.reading = nn.Linear(self.clip.config["embed_dim"], NUM_FACTORS)
        self.meaning = nn.Linear(self.clip.config["embed_dim"], WIDTH)
        self.oracle = Oracle(self.clip.config["embed_dim"])
        self.average = deepcopy(self.clip).eval().requires_grad_(False)
        helpers = [pair for name in HELPERS for pair in getattr(self, name).named_parameters()]
        parts = [*self.clip.named_parameters(), *helpers]
        self.optimizer = optimizer_of(parts, plan.rate, plan.decay)
        self.step = self.pictures = 0
        state = checkpoint.load(self.path, "step", "pictures", *self.parts())
        if state is not None:
            self.step, self.pictures = state["step"], state["pictures"]
            checkpoint.resume(self.parts(), state, self.path)

    def parts(self):
        names = ("clip", *HELPERS, "average", "optimizer")
        return {name: getattr(self, name) for name in names}

    def save(self):
        states = {name: part.state_dict() for name, part in self.parts().items()}
        checkpoint.save(self.path, {"step": self.step, "pictures": self.pictures, **states})

    def learn(self, batch):
        """One step on a batch; returns the losses, named in LOSSES."""
        plan = self.plan
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(plan, self.pictures)
        self.clip.train()
        with half_precision():
            features = self.clip.encode_pixels(batch.images)
        reading = F.smooth_l1_loss(self.reading(features), batch.factors[batch.seen])
        texts, ideal = encode_captions(self.clip, batch.rows), self.oracle(batch.factors)
        scale = self.clip.logit_scale.clamp(max=HIGHEST_SCALE).exp()
        words = losses.contrast(ideal, texts, scale, batch.truths)
        own = slice(len(ideal) - 2 * batch.all_pairs, None)
        change = losses.change_loss(ideal[own], texts, scale, batch.truths[own], len(NEUTRAL))
        match = contrast = torch.zeros(())
        if self.pictures >= plan.match_from:
            match = match_loss(features, ideal.detach()[batch.seen], batch.pairs)
        if self.pictures >= plan.contrast_from:
            contrast = losses.contrast(features, texts, scale, batch.truths[batch.seen])
        spread = losses.spread_loss(texts, len(NEUTRAL))
        meaning = F.smooth_l1_loss(self.meaning(texts), batch.meanings) * SCARCE
        parts = (
            words,
            plan.meaning * meaning,
            plan.change * change,
            plan.match * match,
            plan.contrast * contrast,
            plan.spread * spread,
            plan.reading * reading,
        )
        self.optimizer.zero_grad(set_to_none=True)
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(self.clip.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        self.pictures += len(batch.images)
        follow(self.average, self.clip, plan.keep, self.step)
        return tuple(loss.item() for loss in (words, change, meaning, spread, match, contrast, reading))
