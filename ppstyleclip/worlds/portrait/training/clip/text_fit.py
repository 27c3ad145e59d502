# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of the words alone: captions and questions against the features of pictures."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np

from ppstyleclip.errors import MissingFile
from ppstyleclip.schema import Positive, Ratio
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.questions import LANGUAGES, negation_of, opposite_of
from ppstyleclip.worlds.portrait.captions.sampling import say
from ppstyleclip.worlds.portrait.captions.truth import PLAIN, truth_table
from ppstyleclip.worlds.portrait.training.clip import losses
from ppstyleclip.worlds.portrait.training.clip.evaluation import image_features
from ppstyleclip.worlds.portrait.training.clip.export import save_clip
from ppstyleclip.worlds.portrait.training.clip.faces import load_held_out, load_shard
from ppstyleclip.worlds.portrait.training.clip.fit import encode_captions, optimizer_of
from ppstyleclip.worlds.portrait.training.clip.network import load_exported, rows_of
from ppstyleclip.worlds.portrait.training.clip.prompts import NEUTRAL, captions_of
from ppstyleclip.worlds.portrait.training.clip.report import look, report
from ppstyleclip.worlds.portrait.training.clip.softness import augment
from ppstyleclip.worlds.portrait.training.network import F, torch
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight
from ppstyleclip.worlds.portrait.training.schedule import cosine_rate, follow
from ppstyleclip.worlds.portrait.training.shards import PAIRS, needed_shards, render_with


@dataclass(frozen=True)
class Plan:
    """How the words are fitted."""

    steps: Positive = 3000
    people: Positive = 256  # of a batch
    pairs: Positive = 128
    captions: Positive = 96
    questions: Positive = 32  # an attribute against its opposite, or that it is not so
    negations: Ratio = 0.3  # share of the latter
    rate: Rate = 4e-4
    floor: Ratio = 0.02  # the lowest learning rate, as a share
    rise: Positive = 100  # steps to the highest
    decay: Weight = 0.02
    keep: Ratio = 0.995  # of the moving average, a step
    question: Weight = 2.0  # weights
    change: Weight = 0.8
    spread: Weight = 0.3


class Features:
    """What CLIP sees in the shards of a folder, people and pairs, each as it is and once augmented."""

    def __init__(self, clip, folder, seed=0):
        rng = np.random.RandomState(seed)
        kinds: dict[str, list] = {"people": [], "pairs": []}
        paths = needed_shards([folder])
        for kind, first in (("people", 0), ("pairs", PAIRS)):
            if not any((number >= PAIRS) == (first == PAIRS) for number in paths):
                raise MissingFile(f"{folder} has no shards of {kind}; {render_with(folder, first)}")
        for number, path in paths.items():
            pixels, factors = load_shard(path)
            seen = [image_features(clip, pixels), image_features(clip, pixels, partial(augment, rng=rng))]
            kinds["pairs" if number >= PAIRS else "people"] += [(one, factors) for one in seen]
        self.people, self.pairs = (
            tuple(np.concatenate(part) for part in zip(*kinds[name])) for name in ("people", "pairs")
        )
        self.images = np.concatenate([self.people[0], self.pairs[0]])
        self.table = truth_table(np.concatenate([self.people[1], self.pairs[1]]))

    def batch(self, people, pairs, rng):
        """(features, factors) of `people` and, side by side, `pairs`."""
        rows = rng.randint(len(self.people[0]), size=people)
        first = 2 * rng.randint(len(self.pairs[0]) // 2, size=pairs)
        couples = np.stack([first, first + 1], 1).ravel()
        return tuple(np.concatenate([a[rows], b[couples]]) for a, b in zip(self.people, self.pairs))


def ask(count, negations, rng):
    """`count` questions: (texts, 2 a question; statements that they say, likewise)."""
    texts, statements = [], []
    for _, language in zip(range(count), cycle(LANGUAGES)):
        index = rng.randint(len(ATTRIBUTES))
        other = negation_of(index) if rng.rand() < negations else opposite_of(index)
        for statement in ((index, PLAIN), other):
            texts.append(say([statement], rng, language, template=rng.rand() < 0.25).text)
            statements.append(statement)
    return texts, statements


def question_loss(images, texts, scale, table, statements):
    """The right one of two prompts is nearer; both kinds of pictures count the same.

    Args:
        images: `[N, D]` unit; texts: `[2 Q, D]`, the sides of a question side by side.
        scale: of the cosines.
        table: of `truth_table`, of the pictures.
        statements: 2 Q (attribute's index, degree).
    """
    texts = F.normalize(texts)
    logits = scale * images @ (texts[0::2] - texts[1::2]).t()  # [N, Q]
    index, degree = np.array(statements).T
    holds = torch.from_numpy(table[:, index, degree] > 0)
    found = []
    for side, sign in ((holds[:, 0::2], 1), (holds[:, 1::2], -1)):
        lost = torch.where(side, F.softplus(-sign * logits), 0.0).sum(0)
        found.append(lost / side.sum(0).clamp(min=1))
    return torch.stack(found).mean()


def of_texts(clip):
    """The parameters of the side of texts, by name."""
    return {
        name: parameter
        for name, parameter in clip.named_parameters()
        if not name.startswith("visual.") and name != "logit_scale"
    }


class TextFit:
    """One step after another; `average` is what is kept."""

    def __init__(self, clip, features, plan):
        self.clip, self.features, self.plan = clip, features, plan
        clip.eval()  # the side of texts has no dropout; that of pictures does not run
        clip.requires_grad_(False)
        self.parameters = of_texts(clip)
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)
        self.optimizer = optimizer_of(self.parameters.items(), plan.rate, plan.decay)
        self.average, self.step = deepcopy(clip).requires_grad_(False), 0

    def learn(self):
        """One step; returns the losses: captions, questions, changes, spread."""
        plan, rng = self.plan, np.random.RandomState(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = cosine_rate(
                plan.rate, plan.floor, self.step / plan.steps, (self.step + 1) / plan.rise
            )
        images, factors = self.features.batch(plan.people, plan.pairs, rng)
        texts, truths, _ = captions_of(factors, plan.pairs, plan.captions, rng)
        asked, statements = ask(plan.questions, plan.negations, rng)
        found = encode_captions(self.clip, rows_of([*texts, *asked]))
        words, sides = found[: len(texts)], found[len(texts) :]
        images, truths = torch.from_numpy(images), torch.from_numpy(truths)
        scale, own = self.clip.logit_scale.exp(), slice(len(images) - 2 * plan.pairs, None)
        everyone = torch.from_numpy(self.features.images)
        parts = (
            losses.contrast(images, words, scale, truths),
            plan.question * question_loss(everyone, sides, scale, self.features.table, statements),
            plan.change * losses.change_loss(images[own], words, scale, truths[own], len(NEUTRAL)),
            plan.spread * losses.spread_loss(words, len(NEUTRAL)),
        )
        self.optimizer.zero_grad(set_to_none=True)
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), 2.0)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.clip, plan.keep, self.step)
        return tuple(part.item() for part in parts)


def run(start, output, folder, plan, threads):
    """Fit from an exported CLIP; writes `output` at each report."""
    torch.set_num_threads(threads)
    clip = load_exported(start).eval()
    held, features = look(clip, load_held_out([folder])), Features(clip, folder)
    print(f"{len(features.images)} pictures; {json.dumps(report(clip, held)[0])}", flush=True)
    fit, since = TextFit(clip, features, plan), time.time()
    while fit.step < plan.steps:
        found = fit.learn()
        if fit.step % 50 == 0:
            text = " ".join(f"{v:.3f}" for v in found)
            print(
                f"step {fit.step} losses {text} {(time.time() - since) / fit.step:.2f} s a step", flush=True
            )
        if fit.step % 1000 == 0 or fit.step == plan.steps:
            print(json.dumps(report(fit.average, held)[0]), flush=True)
            mark = save_clip(output, fit.average)
    print(f"{output}: {Path(output).stat().st_size / 1e6:.2f} MB, {mark}")
