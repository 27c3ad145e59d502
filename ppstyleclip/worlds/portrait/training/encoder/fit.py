# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of the encoder: its latents' styles, the picture that they draw, and who is in that picture."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.models.configs import EncoderConfig, IdentityConfig
from ppstyleclip.schema import Count, OneOf, Positive, Ratio, from_value, parse_json
from ppstyleclip.worlds.portrait.factors import sample_z
from ppstyleclip.worlds.portrait.training.encoder.editability import CriticFit, delta_loss, opened_heads
from ppstyleclip.worlds.portrait.training.encoder.heads import Encoder4Editing
from ppstyleclip.worlds.portrait.training.encoder.rounds import resized, show
from ppstyleclip.worlds.portrait.training.exported import ENCODER, IDENTITY, read_exported
from ppstyleclip.worlds.portrait.training.irse import (
    LAST_LAYER,
    Encoder,
    Identity,
    begin_with,
    load_paddle_state,
    paddle_state,
)
from ppstyleclip.worlds.portrait.training.network import F, half_precision, torch
from ppstyleclip.worlds.portrait.training.people import mixed
from ppstyleclip.worlds.portrait.training.pictures import to_images
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight, network_config
from ppstyleclip.worlds.portrait.training.schedule import Schedule

RESULT, E4E_RESULT = "encoder.safetensors", "encoder_e4e.safetensors"
CONFIG = {"widths": (16, 48, 96, 112), "depths": (2, 2, 2, 2), "input_size": 64}
RESTYLE = {  # what differs for the world's StyleGAN3
    "rounds": 4,
    "shards": 40,
    "drawn": 2048,
    "config": json.dumps({"widths": (16, 48, 96, 48), "depths": (2, 2, 2, 1), "input_size": 64}),
}
E4E = {  # what differs for e4e's encoder
    "steps": 3200,
    "drawn": 3072,
    "draw_from": 0.6,
    "draw_batch": 6,
    "delta": 0.01,
    "critic": 0.02,
    "config": json.dumps(
        {
            "encoder_type": "Encoder4Editing",
            "widths": (16, 32, 56, 64),
            "depths": (1, 2, 2, 1),
            "head_widths": (64, 8),
            "input_size": 64,
        }
    ),
}
MEAN_SEED, SAMPLES = 77, 20_000
FIGURES = ("styles", "pictures", "identity", "critic", "offsets")  # the last two: of e4e's
LEAST = 1e-2  # of a style's deviation, when differences are counted in it


@dataclass(frozen=True)
class Plan:
    """How the encoder is fitted."""

    steps: Positive = 2000
    batch: Positive = 32
    rate: Rate = 2e-3  # of learning, at its highest
    decay: Weight = 0.01  # of weights
    shards: Positive = 80  # at most so many are learnt from
    drawn: Positive = 4096  # pictures of the generator
    draw_from: Weight = 0.6  # share of the steps from which on pictures are drawn and compared, too
    draw_batch: Positive = 8  # pictures of a batch that are
    draw_size: Annotated[int, OneOf((8, 16, 32, 64, 128, 256))] = 64  # their side
    latent: Weight = 0.1  # weight of w_plus itself, in squared deviations
    picture: Weight = 12.0  # weight of the squared differences of pictures
    identity: Weight = 0.5  # weight of one minus the cosine of identities
    refit: Count = 0  # pictures on which the last layers are solved at the end, see readout; 0 leaves them
    rounds: Count = 0  # how often a ReStyle encoder is asked; 0 makes pSp's, which sees no result of its own
    again: Positive = 6  # pictures of a batch that come again in each round behind the first
    again_from: Weight = 0.15  # share of the steps from which on they do
    delta: Weight = 0.0  # weight of the sum of an e4e encoder's offsets' lengths
    critic: Weight = 0.0  # weight of the critic of latents; 0 is of another encoder than e4e's
    critic_rate: Rate = 2e-4  # of the critic's learning
    r1: Weight = 1.0  # weight of its squared slope at real w
    r1_every: Positive = 16  # steps from one such term to the next
    open_from: Ratio = 0.2  # share of the steps from which on heads of offsets are opened, one by one
    open_until: Ratio = 0.6  # and until which all are
    config: str = json.dumps(CONFIG)

    @property
    def result(self):
        """Name of the file that a fit leaves."""
        return E4E_RESULT if self.critic else RESULT

    @property
    def state(self):
        """Name of the file that it goes on from."""
        return f"{Path(self.result).stem.replace('_', '-')}-state.pt"


class Target:
    """The generator as the encoder's loss sees it: styles of w_plus in deviations, and pictures.

    Args:
        generator: twin with frozen weights.
    """

    def __init__(self, generator):
        self.generator = generator
        self.places, self.layers = zip(*generator.style_layers())
        self.num_styles, self._average = max(self.places) + 1, None
        with torch.no_grad():
            w = generator.style(torch.from_numpy(sample_z(MEAN_SEED, SAMPLES)))
            self.mean, self.latent_std = w.mean(0), w.std(0).clamp(min=LEAST)
            self.std = [layer(w).std(0).clamp(min=LEAST) for layer in self.layers]

    def styles(self, w_plus):
        """List of styles `[N, C_k]` of `[N, L, D]`."""
        return [layer(w_plus[:, place]) for layer, place in zip(self.layers, self.places)]

    def draw(self, w_plus):
        """Pictures `[N, 3, size, size]` of `[N, L, D]`; no gradient passes."""
        with torch.no_grad(), half_precision():
            return self.generator.pictures(self.styles(w_plus))[self.generator.size].float()

    def average_picture(self):
        """`[1, 3, size, size]`, of the mean latent; drawn once."""
        if self._average is None:
            self._average = self.draw(self.mean.expand(1, self.num_styles, -1))
        return self._average

    def style_loss(self, styles, wanted):
        """Mean squared difference of styles, in deviations."""
        off = [(a - b) / std for a, b, std in zip(styles, wanted, self.std)]
        return torch.cat(off, 1).square().mean()

    def latent_loss(self, w_plus, w):
        return ((w_plus - w[:, None]) / self.latent_std).square().mean()


def load_identity(path):
    """Twin of an identity network that `training.identity` wrote; weights are frozen."""
    arrays, stated = read_exported(path, IDENTITY)
    from_value(IdentityConfig, stated.config, path, field="config")
    network = Identity(**stated.config)
    load_paddle_state(network, arrays, path)
    return network.eval().requires_grad_(False)


def build_encoder(target, plan, start=None):
    """The twin of a plan's encoder, with random weights or what it takes of the exported one at `start`.

    Raises:
        UserError: the plan has no config of such an encoder, or the file has nothing of it.
    """
    own = parse_json(E4E["config"]) if plan.critic else CONFIG
    kind = own.get("encoder_type", LAST_LAYER)
    fixed = {"encoder_type": kind, "num_styles": target.num_styles, "style_dim": len(target.mean)}
    config = network_config(EncoderConfig, plan.config, own, **fixed)
    if config.pop("encoder_type") != LAST_LAYER:
        encoder = Encoder4Editing(**config)
    else:
        encoder = Encoder(**config, input_channels=6 if plan.rounds else 3)
    if start is not None:
        if not begin_with(encoder, read_exported(start, ENCODER)[0]):
            raise UserError(f"no layer of {start} has the shape of one of this encoder; leave out --start")
    return encoder


def fit(folder, people, target, identity, plan, start=None):
    """Yield (step, means of FIGURES, as far as the kind of encoder has them) every 100 steps.

    Args:
        folder: of the state.
        people: (rendered, drawn).
        target: Target.
        identity: of load_identity; None leaves its term out.
        plan: Plan.
        start: exported encoder that a new fit begins with.
    """
    torch.manual_seed(0)
    encoder = build_encoder(target, plan, start)
    critic = CriticFit(target, plan) if plan.critic else None
    kept = {"critic": critic.network, "critic optimizer": critic.optimizer} if critic else None
    run, size = Schedule(Path(folder) / plan.state, encoder, plan, kept), encoder.settings["input_size"]
    for step in run.steps():
        rng = np.random.RandomState(step + 11)
        seen, clean, z = mixed(people, rng, plan.batch)
        with torch.no_grad():
            w = target.generator.style(torch.from_numpy(z))
        rounds = plan.rounds if step >= plan.again_from * plan.steps else min(plan.rounds, 1)
        shown = show(run.average, resized(to_images(seen), size), target, rounds=rounds, again=plan.again)
        opened = opened_heads(step, plan, target.num_styles)
        offsets = encoder(shown.inputs, opened) if critic else encoder(shown.inputs)
        w_plus, w = shown.before + offsets, w[shown.rows]
        styles = target.styles(w_plus)
        wanted = target.styles(w[:, None].expand(-1, target.num_styles, -1))
        off = target.style_loss(styles, wanted)
        loss, figures = off + plan.latent * target.latent_loss(w_plus, w), [off.item(), math.nan, math.nan]
        if step >= plan.draw_from * plan.steps:
            rows = rng.permutation(len(w))[: plan.draw_batch]
            pixels = clean[shown.rows[rows].numpy()]
            more, figures[1:3] = _drawn_loss([s[rows] for s in styles], pixels, target, identity, plan)
            loss = loss + more
        if critic is not None:
            apart, told = delta_loss(w_plus), critic.learn(w_plus, opened, step)
            loss = loss + plan.delta * apart + plan.critic * critic.loss(w_plus, opened)
            figures += [told, apart.item()]
        run.learn(loss, np.nan_to_num(figures))
        if run.reports(100):
            yield run.step, run.means


def _drawn_loss(styles, pixels, target, identity, plan):
    """(loss, [picture's difference, identity's difference]) of what some styles draw."""
    with half_precision():
        drawn = target.generator.pictures(styles, plan.draw_size)[plan.draw_size].float()
    images = resized(to_images(pixels), plan.draw_size)
    picture = F.mse_loss(drawn, images)
    if identity is None:
        return plan.picture * picture, [picture.item(), math.nan]
    with torch.no_grad():
        known = identity(images)
    other = (1 - (identity(drawn) * known).sum(1)).mean()
    return plan.picture * picture + plan.identity * other, [picture.item(), other.item()]


def save(path, encoder, mean, *, generator, half=True):
    """Write the encoder in the form of `ppstyleclip.zoo.save_encoder`; returns its fingerprint.

    Args:
        path: the file.
        encoder: the twin.
        mean: `[D]`, which its results are added to.
        generator: fingerprint of the generator.
        half: store float16.
    """
    state = paddle_state(encoder)
    if half:
        state = {key: value.astype(np.float16) for key, value in state.items()}
    state["latent_avg"] = np.asarray(mean, np.float32)[None]
    mark = fingerprint({key: value.astype(np.float32) for key, value in state.items()})
    about = {"kind": "ppstyleclip encoder", "generator": generator, "fingerprint": mark}
    write_safetensors(path, state, {**about, "config": json.dumps(encoder.config())})
    return mark
