# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The networks' files as the fits read them: what kind they are is looked at before what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from ppstyleclip.errors import UserError, shown
from ppstyleclip.files import read_safetensors
from ppstyleclip.schema import Count, Line, Mark, Open, Plain, Size, from_metadata

GENERATOR, CLIP, ENCODER, IDENTITY = (
    f"ppstyleclip {name}" for name in ("generator", "clip", "encoder", "identity")
)
OTHER = "it is of another network than this recipe's; name another file"  # of weights that do not fit


@dataclass(frozen=True)
class Stated(Open):
    """What a network's file says of itself."""

    kind: Line = ""
    fingerprint: Mark = ""
    pictures: Count = 0  # that its fit has seen
    config: Annotated[dict[str, Plain], Size(0, 100)] = field(default_factory=dict)


def read_exported(path, kind: str) -> tuple[dict[str, np.ndarray], Stated]:
    """(arrays, Stated) of a network's file.

    Args:
        path: of a safetensors file.
        kind: GENERATOR, CLIP, ENCODER or IDENTITY.
    Raises:
        MissingFile: there is no such file.
        UserError: it is damaged, or holds something else.
    """
    arrays, metadata = read_safetensors(path)
    if metadata.get("kind") != kind:
        got = metadata.get("kind", "something else")
        raise UserError(f"a {kind} is needed, {path} holds {shown(got)}; name another file")
    return arrays, from_metadata(Stated, metadata, f"{path} is damaged")


def check_family(config: dict[str, Any], family: str, path) -> None:
    """Refuse the config of a generator of another family; the first files name none.

    Raises:
        UserError: says which it is.
    """
    stated = config.get("family", "stylegan2")
    if stated != family:
        raise UserError(f"a generator of the family {family} is needed, {path} holds one of {shown(stated)}")
