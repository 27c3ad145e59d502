# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit of the identity network: each picture is drawn to the place of its person on a sphere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.models.configs import IdentityConfig
from ppstyleclip.schema import Between, Positive
from ppstyleclip.worlds.portrait.factors import factors_from_z
from ppstyleclip.worlds.portrait.identity import PLACE_DIM, identity_of, places
from ppstyleclip.worlds.portrait.training.irse import Identity, paddle_state
from ppstyleclip.worlds.portrait.training.network import torch
from ppstyleclip.worlds.portrait.training.people import mixed
from ppstyleclip.worlds.portrait.training.pictures import to_images
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight, network_config
from ppstyleclip.worlds.portrait.training.reader import augment
from ppstyleclip.worlds.portrait.training.schedule import Schedule

STATE, RESULT = "identity-state.pt", "identity.safetensors"
CONFIG = {"widths": (16, 32, 64, 96), "depths": (1, 1, 2, 1), "face_size": 48, "dim": PLACE_DIM}


@dataclass(frozen=True)
class Plan:
    """How the identity network is fitted."""

    steps: Positive = 1800
    batch: Annotated[int, Between(2, 2**16)] = 32
    rate: Rate = 3e-3  # of learning, at its highest
    decay: Weight = 0.02  # of weights
    shards: Positive = 80  # at most so many are learnt from
    drawn: Positive = 4096  # pictures of the generator
    config: str = json.dumps(CONFIG)


def build_identity(plan):
    """The network of a plan, with random weights.

    Raises:
        UserError: the plan has no config of one that this fit can be of.
    """
    config = network_config(IdentityConfig, plan.config, CONFIG)
    if config["dim"] != PLACE_DIM or config["face_size"] % 16:
        raise UserError(f"--set: config needs dim={PLACE_DIM} and a multiple of 16 as its face_size")
    return Identity(**config)


def fit(folder, people, plan):
    """Yield (step, mean of one minus the cosine to the right place) every 100 steps."""
    torch.manual_seed(0)
    network = build_identity(plan)
    run = Schedule(Path(folder) / STATE, network, plan)
    for step in run.steps():
        rng = np.random.RandomState(step + 23)
        seen, _, z = mixed(people, rng, plan.batch)
        wanted = torch.from_numpy(places(identity_of(factors_from_z(z))))
        loss = (1 - (network(augment(to_images(seen), rng)) * wanted).sum(1)).mean()
        run.learn(loss, (loss.item(),))
        if run.reports(100):
            yield run.step, run.means[0]


def save(path, network, *, half=True):
    """Write the network in the form of `ppstyleclip.zoo.save_identity`; returns its fingerprint."""
    state = paddle_state(network)
    if half:
        state = {key: value.astype(np.float16) for key, value in state.items()}
    mark = fingerprint({key: value.astype(np.float32) for key, value in state.items()})
    about = {"kind": "ppstyleclip identity", "config": json.dumps(network.config()), "fingerprint": mark}
    write_safetensors(path, state, about)
    return mark
