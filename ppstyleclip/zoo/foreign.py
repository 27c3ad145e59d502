# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A file of any form, converted; and one that has to hold one kind of thing."""

from __future__ import annotations

from dataclasses import replace

from ppstyleclip.convert import Converted, recognise
from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_arrays, sniff
from ppstyleclip.models.configs import check_stylegan2
from ppstyleclip.schema import from_metadata
from ppstyleclip.zoo.metadata import NetworkMetadata


def convert_file(path) -> tuple:
    """Read a file and convert what it holds.

    Returns:
        (Recognised, Converted).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is of no known kind, or is not whole.
    """
    content, metadata = load_arrays(path)
    found, converted = _converted(content, path)
    return found, _with_own_config(converted, metadata, path)


def kind_of(path) -> str:
    """What a file holds, as Converted.kind has it; errors as convert_file."""
    content, _ = load_arrays(path)
    try:
        return recognise(content, sniff(path)).kind
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def read_as(kind: str, path) -> tuple:
    """Read a file and convert what it holds, which has to be of one kind.

    Args:
        kind: as Converted has it: generator, clip, statistics, ...
        path: of any form that formats.load_arrays reads.
    Returns:
        (Converted, metadata of a safetensors file).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is of another kind, or is not whole.
    """
    content, metadata = load_arrays(path)
    return _with_own_config(convert_as(kind, content, path), metadata, path), metadata


def convert_as(kind: str, content, path) -> Converted:
    """Convert what load_arrays read from a path, which has to be of one kind; errors as read_as."""
    return _converted(content, path, kind)[1]


def _converted(content, path, kind=None) -> tuple:
    needed = "" if kind is None else f"a {kind} is needed; "
    try:
        found = recognise(content, sniff(path))
    except UserError as error:
        raise UserError(f"{path}: {needed}{error}") from None
    if kind not in (None, found.kind):
        raise UserError(f"{path}: {needed}this is: {found.description}")
    try:
        return found, found.convert()
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _with_own_config(converted, metadata, path) -> Converted:
    """Add what a generator of ours states of itself: lr_mlp and the filter leave no shape."""
    if converted.kind != "generator" or "config" not in metadata:
        return converted
    stated = from_metadata(NetworkMetadata, {"config": metadata["config"]}, f"{path} is damaged").config
    config = {**stated, **converted.config}
    check_stylegan2(config, f"{path} is damaged")
    return replace(converted, config=config)
