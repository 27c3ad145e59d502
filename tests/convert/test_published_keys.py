# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every table of convert against the listings of keys and shapes that the public classes have.

The listings lie outside the repository (../shared/facts/keys); where they are, each table must name every key
of its file, and no other, with the right shape. What a listing cannot tell (which weights are turned) is
tested by numbers in test_parity.py and test_recognised.py.
"""

from pathlib import Path

import numpy as np
import pytest

from ppstyleclip.convert import recognise
from ppstyleclip.convert.encoders import Structure, read_structure
from ppstyleclip.convert.key_map import map_state_dict, torch_keys
from ppstyleclip.convert.mappers import network_config
from ppstyleclip.convert.networks import (
    clip_parameters,
    encoder_parameters,
    generator_parameters,
    irse50_parameters,
    mapper_parameters,
)
from ppstyleclip.models.encoders import PUBLISHED
from ppstyleclip.models.stylegan2.channels import channel_table

KEYS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "keys"
pytestmark = pytest.mark.skipif(not KEYS.is_dir(), reason="the listings of keys are not at hand")
COUNTERS = (r".*\.num_batches_tracked", "counters")
BLURS = (r"convs\.\d+\.conv\.blur\.kernel", "constants")


def listing(name: str) -> dict:
    """`{key: shape}` of one file."""
    found = {}
    for line in (KEYS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        key, _, rest = line.partition(" [")
        found[key] = tuple(int(side) for side in rest.partition("]")[0].split(",") if side)
    return found


def shaped(shapes: dict) -> dict:
    """Arrays of these shapes that take no memory."""
    return {key: np.broadcast_to(np.float32(0), shape) for key, shape in shapes.items()}


def plain(specs) -> dict:
    return {key: spec.shape for key, spec in specs.items()}


def generator_config(size, multiplier=2) -> dict:
    channels = {side: width for side, width in channel_table(multiplier).items() if side <= size}
    return {"size": size, "style_dim": 512, "n_mlp": 8, "channels": channels}


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_generators(size):
    specs = generator_parameters(generator_config(size))
    assert plain(specs) == listing(f"pg_keys_{size}")
    map_state_dict(torch_keys(specs), shaped(listing(f"ros_keys_{size}")), [BLURS])


def test_half_the_channels():
    source = shaped(listing("ros_keys_256_cm1"))
    map_state_dict(torch_keys(generator_parameters(generator_config(256, 1))), source, [BLURS])


STRUCTURES = [
    ("psp_enc", Structure("irse50", "gradual", 3, 18), "GradualStyleEncoder"),
    ("e4e_enc", Structure("irse50", "gradual", 3, 18), "Encoder4Editing"),
    ("psp_encW", Structure("irse50", "w", 3, 1), "BackboneEncoderUsingLastLayerIntoW"),
    ("psp_encWp", Structure("irse50", "w_plus", 3, 18), "BackboneEncoderUsingLastLayerIntoWPlus"),
    ("restyle_psp", Structure("irse50", "flat", 6, 18), "BackboneEncoder"),
    ("restyle_e4e", Structure("irse50", "flat", 6, 18), "ProgressiveBackboneEncoder"),
    ("restyle_e4e_r34", Structure("resnet34", "flat", 6, 16), "ResNetProgressiveBackboneEncoder"),
]


def network(structure, encoder_type) -> dict:
    return {
        "encoder_type": encoder_type,
        "num_styles": structure.styles,
        "input_channels": structure.input_nc,
    }


@pytest.mark.parametrize("name, structure, encoder_type", STRUCTURES)
def test_encoders(name, structure, encoder_type):
    source = shaped(listing(name))
    assert read_structure(source) == structure
    assert PUBLISHED[encoder_type][:2] == (structure.trunk, structure.heads)
    map_state_dict(torch_keys(encoder_parameters(network(structure, encoder_type))), source, [COUNTERS])


def test_paddlegans_psp():
    assert plain(encoder_parameters(network(*STRUCTURES[0][1:]))) == listing("pg_keys_enc")


def test_irse50():
    source = shaped(listing("irse50_keys"))
    assert recognise(source).kind == "irse50"
    _, left = map_state_dict(torch_keys(irse50_parameters()), source, [COUNTERS])
    assert len(source) == 397 and len(left) == 54


def test_paddleclip():
    config = {
        "embed_dim": 512,
        "image_size": 224,
        "vision_layers": 12,
        "vision_width": 768,
        "vision_patch_size": 32,
        "context_length": 77,
        "vocab_size": 49408,
        "transformer_width": 512,
        "transformer_heads": 8,
        "transformer_layers": 12,
    }
    source = listing("pclip_keys")
    assert plain(clip_parameters(config)) == source
    assert recognise(shaped(source)).config == config


@pytest.mark.parametrize(
    "name, kind",
    [
        ("mapper_levels", "levels"),
        ("mapper_single", "single"),
        ("mapper_WithoutToRGBStyleSpaceMapper", "styles"),
    ],
)
def test_mappers(name, kind):
    source = shaped(listing(name))
    decoder = shaped({f"decoder.{key}": shape for key, shape in listing("ros_keys_1024").items()})
    found = recognise(
        {
            "state_dict": {**{f"mapper.{key}": v for key, v in source.items()}, **decoder},
            "opts": {"description": "a smile"},
        }
    )
    assert found.config["type"] == kind and (kind == "styles" or found.config["layers"] == 18)
    map_state_dict(torch_keys(mapper_parameters(network_config(found.config))), source)
