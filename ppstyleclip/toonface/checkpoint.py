# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Checkpoints of the world's trainings: networks, optimiser and step in one safetensors file."""

from __future__ import annotations

from pathlib import Path

from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.schema import Count, from_json


def save_checkpoint(path, step, networks, optimizer):
    """Write the state of `networks` (a dict of Layers) and of the optimiser after `step` steps."""
    parts = {name: net.state_dict() for name, net in networks.items()}
    parts["adam"] = {
        _rename(key, _names(optimizer)): value
        for key, value in optimizer.state_dict().items()
        if hasattr(value, "numpy")
    }
    flat = {f"{part}/{key}": value.numpy() for part, state in parts.items() for key, value in state.items()}
    write_safetensors(path, flat, {"step": str(step)})


def load_checkpoint(path, networks, optimizer, schedule):
    """Put a checkpoint back, if there is one; returns its step, or 0."""
    if not Path(path).exists():
        return 0
    flat, metadata = read_safetensors(path)
    parts = {}
    for key, value in flat.items():
        part, name = key.split("/", 1)
        parts.setdefault(part, {})[name] = value
    for name, net in networks.items():
        net.set_state_dict(parts[name])
    step = from_json(Count, metadata.get("step", ""), path, field="step")
    schedule.step(step)
    places = {place: name for name, place in _names(optimizer).items()}
    moments = {_rename(key, places): value for key, value in parts["adam"].items()}
    optimizer.set_state_dict({**moments, "LR_Scheduler": schedule.state_dict()})
    return step


def _names(optimizer):
    """Parameter name to its place; Paddle counts names up over a whole process, so a file needs places."""
    return {p.name: f"#{place}" for place, p in enumerate(optimizer._parameter_list)}


def _rename(key, names):
    """Replace the parameter's name at the start of an accumulator's key (`<name>_moment1_0`)."""
    name = max((n for n in names if key.startswith(n + "_")), key=len)
    return names[name] + key[len(name) :]


def warm_cosine(learning_rate, steps, *, warm=100, floor=0.025):
    """Learning-rate schedule: a linear rise over `warm` steps times a cosine fall to `floor`."""
    import math

    import paddle

    def factor(step):
        fall = 0.5 * (1 + math.cos(math.pi * min(1, step / steps)))
        return min(1, (step + 1) / warm) * (floor + (1 - floor) * fall)

    return paddle.optimizer.lr.LambdaDecay(learning_rate, factor)
