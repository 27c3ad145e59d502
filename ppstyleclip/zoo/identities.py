# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Identity networks from their published files."""
from __future__ import annotations

from ppstyleclip.errors import UserError
from ppstyleclip.models.arcface import IRSE50, ResNetFace18
from ppstyleclip.models.state import load_state
from ppstyleclip.zoo.foreign import convert_file

_NETWORKS = {"irse50": (IRSE50, "IR-SE50"), "arcface": (ResNetFace18, "ResNet-18 ArcFace")}


def load_identity(path):
    """Load IR-SE50 or the grey ResNet-18 ArcFace, in evaluation mode.

    Returns:
        a Layer with `identity_features`.
    Raises:
        MissingFile: there is no such file.
        UserError: it is another network.
    """
    found, converted = convert_file(path)
    if converted.kind not in _NETWORKS:
        raise UserError(f"{path}: this is no identity network but: {found.says}")
    network, name = _NETWORKS[converted.kind]
    network = network()
    load_state(network, converted.state, name)
    network.eval()
    for parameter in network.parameters():
        parameter.stop_gradient = True
    return network
