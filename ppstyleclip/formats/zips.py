# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Zip archives: PyTorch's, and NumPy's `.npz`, whose members are all `.npy` files."""

from __future__ import annotations

from typing import Any

from ppstyleclip.formats.npy import read_npy
from ppstyleclip.formats.torch_zip import member_bytes, members_of, read_torch_zip


def read_zip(data: Any, names: dict, budget: Any) -> Any:
    """Read an archive of either kind; arguments and errors as read_torch_zip.

    Returns:
        as read_torch_zip; of an `.npz` `{name: array}`.
    """
    members = members_of(data)
    if not members or not all(name.endswith(".npy") for name in members):
        return read_torch_zip(data, names, budget)
    return {
        name[: -len(".npy")]: read_npy(member_bytes(data, members, name), names, budget) for name in members
    }
