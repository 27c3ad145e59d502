# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Identity networks, to and from files of ours, and from the published ones."""

from __future__ import annotations

import json
from dataclasses import asdict

from ppstyleclip.convert import Converted
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.files import fingerprint, read_metadata, read_safetensors, write_safetensors
from ppstyleclip.formats import sniff
from ppstyleclip.models.arcface import IRSE50, ResNetFace18
from ppstyleclip.models.configs import IdentityConfig
from ppstyleclip.models.state import build_with_state
from ppstyleclip.schema import from_value
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.foreign import convert_file
from ppstyleclip.zoo.generators import as_float32, stored
from ppstyleclip.zoo.metadata import NetworkMetadata, check_fingerprint, read_own

KIND = "ppstyleclip identity"
_PUBLISHED = {"irse50": (IRSE50, "IR-SE50"), "arcface": (ResNetFace18, "ResNet-18 ArcFace")}


@on_worker
def save_identity(path, network: IRSE50, *, half: bool = False) -> str:
    """Write an IR-SE network of any size as safetensors, its config inside.

    Args:
        path: the file.
        network: the network.
        half: store float16; half the file, and rounded weights.
    Returns:
        the fingerprint of what load_identity will read back.
    """
    state = stored({key: value.numpy() for key, value in network.state_dict().items()}, half)
    mark = fingerprint(as_float32(state))
    metadata = {"kind": KIND, "config": json.dumps(network.config()), "fingerprint": mark}
    write_safetensors(path, state, metadata)
    return mark


@on_worker
def load_identity(path):
    """Load an identity network, in evaluation mode: ours, IR-SE50, or the grey ResNet-18 ArcFace.

    Returns:
        a Layer with `identity_features`.
    Raises:
        MissingFile: there is no such file.
        UserError: it is another network, or damaged.
    """
    is_own = sniff(path) == "safetensors" and read_metadata(path).get("kind") == KIND
    network = _own(path) if is_own else _published(path)
    network.eval()
    for parameter in network.parameters():
        parameter.stop_gradient = True
    return network


@on_worker
def build_converted_identity(converted: Converted, path):
    """Build the network of a converted identity network; `path` is where it came from, for messages."""
    build, name = _PUBLISHED[converted.kind]
    return _built(build, converted.state, name, path)


def _own(path):
    state, metadata = read_safetensors(path)
    own, state = read_own(NetworkMetadata, metadata, path), as_float32(state)
    check_fingerprint(own.fingerprint, fingerprint(state), path)
    config = asdict(from_value(IdentityConfig, own.config, f"{path} is damaged", field="config"))
    return _built(lambda: IRSE50(**config), state, "identity network", path)


def _built(build, state, what, path):
    try:
        return build_with_state(build, state, what)
    except ValueError as error:
        raise UserError(f"{path} is damaged: {one_line(error, 300)}") from None


def _published(path):
    found, converted = convert_file(path)
    if converted.kind not in _PUBLISHED:
        raise UserError(f"{path}: this is no identity network but: {found.description}")
    return build_converted_identity(converted, path)
