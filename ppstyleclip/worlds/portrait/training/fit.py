# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fit itself: generator, moving average and optimiser, and one step of learning.

Pictures count, not steps: the learning rate falls and restarts by pictures seen, so that a run of any batch
size goes on where another one stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from ppstyleclip.errors import UserError, shown
from ppstyleclip.schema import Count, OneOf, Positive, Ratio
from ppstyleclip.worlds.portrait.training import checkpoint, crops, losses
from ppstyleclip.worlds.portrait.training.exported import GENERATOR, OTHER, check_family, read_exported
from ppstyleclip.worlds.portrait.training.families import FAMILIES
from ppstyleclip.worlds.portrait.training.muon import Muon
from ppstyleclip.worlds.portrait.training.network import F, half_precision, torch
from ppstyleclip.worlds.portrait.training.pictures import pyramid, to_images
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight
from ppstyleclip.worlds.portrait.training.schedule import restarting_rate

STATE = "generator-state.pt"
PARTS = ("generator", "average", "adam", "muon")  # of the state
MAPPING = ("style.", "mapping.")  # how the names of the mapping network's parameters begin
GROWN = ("convs.", "to_rgbs.", "noises.", "early.")  # and those of what a smaller or exported one may lack
SIDES = (4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Plan:
    """How a generator is fitted; pictures are counted from the fit's beginning."""

    batch: Positive = 8
    # Side of the largest picture that is learnt, if the generator draws it.
    largest: Annotated[int, OneOf(SIDES[4:])] = 256
    rate: Rate = 3e-3  # of learning, at its highest
    floor: Ratio = 0.1  # the lowest, as a share of it
    first_cycle: Positive = 100_000  # pictures to the first restart of the learning rate
    cycle: Positive = 200_000  # and from one to the next
    middle: Count = 24_000  # pictures until the block of 64 px joins those below
    upper: Count = 60_000  # and until the blocks above it do
    share: Ratio = 0.5  # of a batch whose windows they draw
    whole: Annotated[int, OneOf(SIDES[4:6])] = 64  # side up to which pictures are drawn whole
    refine: Count = 120_000  # pictures until the regressor's features and the texture term join
    keep: Ratio = 0.999  # of the moving average, a step
    sparsity: Weight = 0.05  # weight of the L1 on the affine layers
    noise_rate: Weight = 3.0  # learning rate of the noise pictures, as a multiple
    kernel_rate: Weight = 3.0  # and that of the 3x3 kernels, which Muon moves
    texture: Weight = 0.25
    features: Weight = 0.5
    reading: Weight = 0.01  # of what the regressor reads, in the units of its features
    # Side up to which the weights stay as they are; what was made for them stays right.
    frozen: Annotated[int, OneOf((0, *SIDES[:-1]))] = 0
    w_rate: Weight = 1.0  # learning rate of the mapping network, as a multiple; 0: w means what it meant


def learning_rate(plan, pictures):
    """Of a batch after so many pictures; see restarting_rate."""
    return restarting_rate(plan, pictures, plan.batch, 200)


def build_optimizers(generator, plan):
    """Muon for the 3x3 kernels, which demodulation makes free of scale; Adam for all the rest that learns."""
    kernels, noises, others = [], [], []
    mapping = [parameter for parameter in mapping_parameters(generator) if parameter.requires_grad]
    for name, parameter in generator.named_parameters():
        if not parameter.requires_grad or name.startswith(MAPPING):
            continue
        is_kernel = parameter.ndim > 2 and parameter.shape[-1] == 3
        place = kernels if is_kernel else noises if name.startswith("noises.") else others
        place.append(parameter)
    groups = [
        {"params": others, "scale": 1.0},
        {"params": noises, "scale": plan.noise_rate},
        {"params": mapping, "scale": plan.w_rate},
    ]
    return {
        "adam": torch.optim.Adam(groups, plan.rate, betas=(0.9, 0.99), foreach=True),
        "muon": Muon([{"params": kernels, "scale": plan.kernel_rate}], plan.rate),
    }


def mapping_parameters(generator):
    """Of the network that turns z into w, of either family."""
    return [parameter for name, parameter in generator.named_parameters() if name.startswith(MAPPING)]


class Fit:
    """A generator, its moving average and its optimisers; goes on from the state in `folder`, if any.

    Args:
        folder: of the state.
        plan: Plan.
        size: side of the generator's pictures; None is its family's largest.
        family: a name of FAMILIES.
        start: file of an exported generator, where there is no state yet; what it has not, larger blocks, is
            new. It has lost the optimisers' state, so the learning rate rises from nothing again.
        parts: of what builds the generator.
    """

    def __init__(self, folder, plan, size=None, *, family="stylegan2", start=None, **parts):
        self.path, self.plan = Path(folder) / STATE, plan
        self.name, self.family = family, FAMILIES[family]
        state = checkpoint.load(self.path, "step", "pictures", *PARTS)
        begun = family if state is None else state.get("family", family)
        if begun != family:
            raise UserError(f"{self.path} is of the family {shown(begun)}; give it, or another --folder")
        size = self.family.size if size is None else size
        self.generator, self.average = (self.family.build(size, **parts) for _ in range(2))
        self.family.freeze(self.generator, plan.frozen)
        for parameter in mapping_parameters(self.generator) if not plan.w_rate else ():
            parameter.requires_grad_(False)
        self.average.eval().requires_grad_(False)
        self.optimizers = build_optimizers(self.generator, plan)
        self.step = self.pictures = 0
        if state is not None:
            self.step, self.pictures = state["step"], state["pictures"]
            checkpoint.resume(self.parts(), state, self.path)
        elif start is not None:
            self._start_from(start)

    def _start_from(self, path):
        arrays, stated = read_exported(path, GENERATOR)
        check_family(stated.config, self.name, path)
        state = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
        for network in (self.generator, self.average):
            lacking, unknown = checkpoint.put(network, state, path, OTHER, strict=False)
            lacking = [name for name in lacking if not name.startswith(GROWN)]
            if lacking or unknown:
                what = f"has {unknown[0]}" if unknown else f"lacks {lacking[0]}"
                raise UserError(f"{path} is no generator of this recipe: it {what}; name another file")
        self.pictures = stated.pictures
        self.step = self.pictures // self.plan.batch

    def parts(self):
        return dict(zip(PARTS, (self.generator, self.average, *self.optimizers.values())))

    def save(self):
        states = {name: part.state_dict() for name, part in self.parts().items()}
        seen = {"step": self.step, "pictures": self.pictures, "family": self.name}
        checkpoint.save(self.path, {**seen, **states})

    @property
    def largest(self):
        """Side of the largest picture that is learnt."""
        return min(self.plan.largest, self.generator.size)

    @property
    def side(self):
        """Side of the largest picture that learns now."""
        if self.pictures < self.plan.middle:
            return crops.TRUNK // 2
        return min(crops.TRUNK, self.largest) if self.pictures < self.plan.upper else self.largest

    def learn(self, z, pixels, maps, reader=None):
        """One step; returns (loss, mean squared error of the whole picture) as numbers."""
        plan = self.plan
        rate = learning_rate(plan, self.pictures)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]
        weights = losses.part_weights(maps)
        some = max(1, round(plan.share * len(z)))
        corners = crops.place_windows(weights[:some], np.random.RandomState(self.step))
        with half_precision():
            styles = self.generator.styles(torch.from_numpy(z))
            ours = self.family.draw(self.generator, styles, corners, self.side, plan.whole)
        theirs = pyramid(to_images(pixels), [side for side in ours if side >= crops.TRUNK // 2])
        loss, error = self.differences(ours, theirs, weights, corners, reader)
        affine = self.family.affine_weights(self.generator, self.side)  # the others keep their start
        loss = loss + plan.sparsity * sum(w.abs().mean() for w in affine) / len(affine)
        self.generator.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), 10.0)
        for optimizer in self.optimizers.values():
            optimizer.step()
        self.step += 1
        self.pictures += len(z)
        self.follow()
        return loss.item(), error

    def differences(self, ours, theirs, weights, corners, reader):
        """(loss of all resolutions, mean squared error of the largest that is drawn whole)."""
        plan, side = self.plan, min(self.side, crops.TRUNK)
        whole, target = ours[side], theirs[side]
        texture = plan.texture if self.pictures >= plan.refine else 0.0
        each = F.avg_pool2d(weights, crops.TRUNK // side)
        loss = losses.band_loss(whole, target, each, bands=4, rest=True, texture=texture)
        loss = loss + 2 * losses.plain_loss(whole, target, each)
        if reader is not None and self.pictures >= plan.refine:
            seen = min(self.side, plan.whole)
            with half_precision():
                there = theirs[seen][: len(ours[seen])]
                part = losses.feature_loss(reader, ours[seen], there, plan.reading)
            loss = loss + plan.features * part.float()
        for side in (s for s in ours if s > crops.TRUNK):
            scale, weight = side // crops.TRUNK, weights[: len(corners)]
            if side <= plan.whole:
                there = theirs[side][: len(corners)]
            else:
                there = crops.cut(theirs[side], corners, scale)
                weight = crops.cut(weight, corners) * crops.valid(corners)
            weight = F.interpolate(weight, scale_factor=scale)
            part = losses.band_loss(ours[side], there, weight, bands=2, rest=False, texture=texture)
            loss = loss + 0.5 * part + losses.plain_loss(ours[side], there, weight)
        return loss, F.mse_loss(whole.detach(), target).item()

    def follow(self):
        """Move the average towards the generator."""
        keep = min(self.plan.keep, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.generator.parameters()):
                if now.requires_grad:
                    mean.lerp_(now, 1 - keep)
            for mean, now in zip(self.average.buffers(), self.generator.buffers()):
                mean.copy_(now)
