# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What files of other projects hold, as formats.load_arrays returns it: true keys and shapes, drawn numbers.

Widths that a network fixes cost no memory: such arrays are one number seen many times.
"""

from __future__ import annotations

import numpy as np

from ppstyleclip.convert.encoders import Structure
from ppstyleclip.convert.networks import encoder_parameters, generator_parameters
from ppstyleclip.formats import SavedModule

CHANNELS = {4: 6, 8: 6, 16: 4}
SMALL = {"size": 16, "style_dim": 6, "n_mlp": 2, "channels": CHANNELS}  # w is as wide as most layers
WIDE = {**SMALL, "style_dim": 512, "channels": {4: 6, 8: 5, 16: 4}}  # what encoders are trained for
TAPS = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


def drawn(shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def generator(config=None, *, seed=0) -> dict:
    """PaddleGAN's state dict of a generator, with the buffers of old files."""
    random, state = np.random.RandomState(seed), {}
    for key, spec in generator_parameters(config or SMALL).items():
        state[key] = 4 * TAPS if key.endswith("kernel") else random.standard_normal(spec.shape).astype("f4")
        if key.startswith("style.") and key.endswith("weight"):
            state[key] *= 100  # as with their learning-rate multiplier
    for index in range(0, 2 * (len((config or SMALL)["channels"]) - 1), 2):
        state[f"convs.{index}.conv.blur.kernel"] = 4 * TAPS
    return state


def rosinality(config=None, *, seed=0) -> dict:
    """rosinality's state dict of the same generator."""
    specs = generator_parameters(config or SMALL)
    return {
        key: value.T if key in specs and specs[key].is_linear else value
        for key, value in generator(config, seed=seed).items()
    }


def flat(specs, prefix="") -> dict:
    """A torch state dict of a network of ours, all of it one number, with torch's counters."""
    state = {
        prefix + spec.torch_key: np.broadcast_to(
            np.float32(0.5), spec.shape[::-1] if spec.is_linear else spec.shape
        )
        for spec in specs.values()
    }
    counters = [key for key in state if key.endswith("running_mean")]
    return {**state, **{key.replace("running_mean", "num_batches_tracked"): np.int64(1) for key in counters}}


def encoder_checkpoint(structure: Structure, encoder_type: str, *, decoder=None, **more) -> dict:
    """What pSp, e4e and ReStyle save; `decoder` is the state dict of another generator than WIDE."""
    config = {
        "encoder_type": encoder_type,
        "num_styles": structure.styles,
        "input_channels": structure.input_nc,
    }
    state = flat(encoder_parameters(config), "encoder.")
    decoder = rosinality(WIDE) if decoder is None else decoder
    state.update({f"decoder.{key}": value for key, value in decoder.items()})
    return {
        "state_dict": state,
        "opts": {"encoder_type": encoder_type, "exp_dir": "x", "learn_in_w": False},
        "latent_avg": decoder.get("mapping.w_avg", drawn((6, 512))),
        **more,
    }


def mapper_checkpoint(names, widths, *, decoder=None, **opts) -> dict:
    """What StyleCLIP's and text2image_manipulation's code saves."""
    state = {}
    for seed, name in enumerate(names):
        for index, (before, after) in enumerate(zip(widths, widths[1:]), 1):
            state[f"mapper.{name}.mapping.{index}.weight"] = drawn((after, before), 10 * seed + index)
            state[f"mapper.{name}.mapping.{index}.bias"] = drawn((after,), seed)
    decoder = rosinality() if decoder is None else decoder
    state.update({f"decoder.{key}": value for key, value in decoder.items()})
    return {"state_dict": state, "opts": opts}


def nvidia_layer(random, before, after, side):
    layer = {
        "weight": (after, before, 3, 3),
        "bias": (after,),
        "noise_strength": (),
        "noise_const": (side, side),
        "affine.weight": (before, 6),
        "affine.bias": (before,),
    }
    drawn_now = {name: np.asarray(random.standard_normal(shape), "f4") for name, shape in layer.items()}
    return {**drawn_now, "resample_filter": TAPS}


def nvidia(n_mlp=2) -> dict:
    """State dict of an NVIDIA generator of the same structure as SMALL."""
    random, state = np.random.RandomState(3), {"mapping.w_avg": drawn((6,))}
    for k in range(n_mlp):
        state[f"mapping.fc{k}.weight"], state[f"mapping.fc{k}.bias"] = 100 * drawn((6, 6), k), drawn((6,), k)
    before = None
    for side, width in SMALL["channels"].items():
        block = f"synthesis.b{side}"
        state[f"{block}.resample_filter"] = TAPS
        if before is None:
            state[f"{block}.const"] = drawn((width, 4, 4))
        layers = {"conv1": width} if before is None else {"conv0": before, "conv1": width}
        for name, into in layers.items():
            layer = nvidia_layer(random, into, width, side)
            state.update({f"{block}.{name}.{key}": value for key, value in layer.items()})
        state.update(
            {
                f"{block}.torgb.weight": drawn((3, width, 1, 1)),
                f"{block}.torgb.bias": drawn((3,)),
                f"{block}.torgb.affine.weight": drawn((width, 6)),
                f"{block}.torgb.affine.bias": drawn((width,)),
            }
        )
        before = width
    return state


def nest(state, attributes=None, path="") -> SavedModule:
    """The SavedModule of a flat state dict; `attributes` is `{dotted path: attributes}`."""
    attributes = attributes or {}
    own = {key: value for key, value in state.items() if "." not in key}
    names = dict.fromkeys(key.partition(".")[0] for key in state if "." in key)
    children = {}
    for name in names:
        inside = {key.partition(".")[2]: value for key, value in state.items() if key.startswith(f"{name}.")}
        children[name] = nest(inside, attributes, f"{path}{name}.")
    return SavedModule("Generator", own, {}, children, attributes.get(path.rstrip("."), {}))


def assert_same_state(left, right):
    """The same keys in the same order, all float32, all equal."""
    assert list(left) == list(right)
    for key in left:
        assert left[key].dtype == np.float32
        np.testing.assert_array_equal(left[key], right[key], err_msg=key)
