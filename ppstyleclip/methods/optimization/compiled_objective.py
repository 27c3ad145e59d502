# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A loss made of objectives, with its gradient, as a fast function of arrays."""

from __future__ import annotations

from typing import Callable

import numpy as np
import paddle
import paddle.nn as nn

from ppstyleclip.engine import compile_gradient
from ppstyleclip.methods.optimization import standard_objectives  # noqa: F401  registers them
from ppstyleclip.methods.optimization.config import ObjectiveConfig
from ppstyleclip.methods.optimization.objective import Context, Networks, chosen_objectives
from ppstyleclip.methods.optimization.spaces import to_styles
from ppstyleclip.models.forms import inference_of
from ppstyleclip.worker import on_worker

REFERENCE = "reference_"  # in front of an objective's name: the input with its reference
MASKS, OUTSIDE = "region_masks", "region_outside"  # inputs of a loss whose pictures change in a region alone


class ObjectiveLayer(nn.Layer):
    """Latents to [mean loss, its parts, images]: see compile_objective."""

    def __init__(self, networks: Networks, config: ObjectiveConfig, space: str):
        super().__init__()
        self.draw = inference_of(networks.generator).differentiable()
        self.generator, self.clip, self.identity = networks.generator, networks.clip, networks.identity
        self.networks, self.config, self.space = networks, config, space
        self.objectives = chosen_objectives(config, networks)
        for name, objective in self.objectives.items():
            if isinstance(objective.measure, nn.Layer):
                self.add_sublayer(name, objective.measure)

    def forward(self, tensors: dict) -> list:
        """Evaluate named inputs."""
        latent = tensors["latent"]
        images = self.draw(to_styles(self.generator, self.networks.layout, latent, self.space))
        if MASKS in tensors:
            images = tensors[OUTSIDE] + tensors[MASKS] * (images - tensors[OUTSIDE])
        parts, weighted = [], []
        for name, objective in self.objectives.items():
            context = Context(
                self.networks,
                self.config,
                self.space,
                latent,
                tensors["start"],
                images,
                tensors["texts"],
                tensors["text_weights"],
                tensors.get(REFERENCE + name),
            )
            part = objective.measure(context)
            coefficient = self.config.coefficient(name)
            weighted.append(part if coefficient == 1.0 else coefficient * part)
            parts.append(part)
        total = weighted[0]
        for part in weighted[1:]:
            total = total + part
        return [paddle.mean(total), *parts, images]


@on_worker
def compile_objective(
    networks: Networks, config: ObjectiveConfig, space: str, arrays: dict, *, mixed_precision: bool = False
) -> Callable[[dict], tuple]:
    """Make the loss of latents and its gradient a fast function of arrays.

    Args:
        networks: Networks, as needed_networks gives them.
        config: what is measured.
        space: in which the latents are.
        arrays: inputs, of which the names and all of the shapes but the batch count: `latent` and `start`
            `[N, ...]`, `texts` `[N, T, E]` unit vectors, `text_weights` `[N, T]`, and start_references.
        mixed_precision: do not compile, and compute in bfloat16 where Paddle holds that to be safe; for a
            GPU.
    Returns:
        function of such arrays; gives (`{part: [N]}`, gradient of the sum of the losses, images
        `[N, 3, H, W]`).
    Raises:
        UserError: as chosen_objectives.
    """
    layer = ObjectiveLayer(networks, config, space)
    if mixed_precision:
        run = _in_mixed_precision(layer)
    else:
        shapes = {name: [-1, *array.shape[1:]] for name, array in arrays.items()}
        run = compile_gradient(layer, shapes, ["latent"])

    def evaluate(arrays: dict) -> tuple:
        (_, *parts, images), gradients = run(arrays)
        return dict(zip(config.parts, parts)), gradients["latent"] * len(images), images

    return evaluate


def _in_mixed_precision(layer: nn.Layer) -> Callable[[dict], tuple]:
    @on_worker
    def run(arrays: dict) -> tuple:
        tensors = {name: paddle.to_tensor(array) for name, array in arrays.items()}
        tensors["latent"].stop_gradient = False
        with paddle.amp.auto_cast(dtype="bfloat16"):
            results = layer(tensors)
        gradient = paddle.grad(results[:1], [tensors["latent"]])[0]
        return [result.astype("float32").numpy() for result in results], {"latent": gradient.numpy()}

    return run


@on_worker
@paddle.no_grad()
def start_references(networks: Networks, config: ObjectiveConfig, space: str, start: np.ndarray) -> dict:
    """`{input: [N, ...]}` what the objectives need to know of the pictures at the start."""
    functions = reference_functions(networks, config)
    if not functions:
        return {}
    images = _start_images(networks, space, start)
    return {name: function(images).numpy() for name, function in functions.items()}


@on_worker
@paddle.no_grad()
def region_inputs(networks: Networks, space: str, start: np.ndarray, masks: np.ndarray | None) -> dict:
    """`{input: [N, ...]}` the masks `[N or 1, H, W]` of a region, and the pictures of the start."""
    if masks is None:
        return {}
    images = _start_images(networks, space, start).numpy()
    tiled = np.broadcast_to(masks[:, None], [len(images), 1, *masks.shape[1:]])
    return {MASKS: np.ascontiguousarray(tiled, np.float32), OUTSIDE: images}


def _start_images(networks: Networks, space: str, start: np.ndarray) -> paddle.Tensor:
    styles = to_styles(networks.generator, networks.layout, paddle.to_tensor(start), space)
    return networks.generator.synthesis_from_styles(styles, noise="const")


def reference_functions(networks: Networks, config: ObjectiveConfig) -> dict[str, Callable]:
    """`{input: function of images}` of the objectives that have a reference."""

    def bound(reference: Callable) -> Callable:
        return lambda images: reference(networks, images)

    return {
        REFERENCE + name: bound(objective.reference)
        for name, objective in chosen_objectives(config, networks).items()
        if objective.reference is not None
    }
