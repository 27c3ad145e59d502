# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A file of any form, converted; and one that has to hold one kind of thing."""

from __future__ import annotations

from dataclasses import replace

from ppstyleclip.convert import Converted, Recognised, describe_widths, directions_of, recognise
from ppstyleclip.convert.architecture import mapping_rate
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.formats import load_arrays, sniff
from ppstyleclip.models.configs import BERT, check_stylegan2
from ppstyleclip.models.word_pieces import find_pieces
from ppstyleclip.schema import from_metadata
from ppstyleclip.zoo.metadata import OURS, MeasuredMetadata, NetworkMetadata, read_own


def convert_file(path) -> tuple:
    """Read a file and convert what it holds; ours too, which then keep what they state of themselves.

    Returns:
        (Recognised, Converted).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is of no known kind, or is not whole.
    """
    content, metadata = read_stated(path)
    if metadata.get("kind") == f"{OURS}mapper":
        return _own_mapper(content, metadata)
    if metadata.get("kind") == f"{OURS}directions":
        found = directions_of(content)
        converted = found.convert()
    else:
        found, converted = _converted(content, path)
    converted = _with_what_leaves_no_shape(converted, metadata, path)
    return _with_layers(found, converted, metadata, path)


def read_stated(path) -> tuple:
    """As formats.load_arrays; what a `.pdparams` of ours states beside its arrays comes as metadata, too."""
    content, metadata = load_arrays(path)
    if isinstance(content, dict) and str(content.get("kind")).startswith(OURS):
        texts = {name: value for name, value in content.items() if type(value) is str}
        return {name: value for name, value in content.items() if name not in texts}, texts
    return content, metadata


def _own_mapper(content, metadata) -> tuple:
    converted = Converted("mapper", content, {}, stated=metadata)
    return Recognised("mapper", "a latent mapper of ours", {}, lambda: converted), converted


def _with_layers(found, converted, metadata, path) -> tuple:
    """A measurement of ours with what it states, and with the layers that its flat arrays do not show."""
    if converted.kind not in ("statistics", "styles", "relevance", "directions", "latents"):
        return found, converted
    is_own = metadata.get("kind", "").startswith(OURS)
    converted = replace(converted, stated=dict(metadata) if is_own else {})
    before = converted.config.get("channels", ())
    widths = _stated_widths(metadata, path) if len(before) == 1 else []
    if not widths:
        return found, converted
    if sum(widths) != before[0]:
        raise UserError(
            f"{path} is damaged: it states {sum(widths)} style channels and holds {before[0]}; measure again"
        )
    config = {**converted.config, "channels": widths}
    words = found.description.replace(describe_widths(before), describe_widths(widths))
    return replace(found, description=words, config=config), replace(converted, config=config)


def _stated_widths(metadata, path) -> list:
    """Channels of each layer, as a measurement's metadata have them; [] where they say nothing."""
    layout = read_own(MeasuredMetadata, metadata, path).layout
    if layout is not None:
        return list(layout.channels) if len(layout.channels) > 1 else []
    widths = read_own(NetworkMetadata, metadata, path).config.get("channels", ())
    are_widths = isinstance(widths, (list, tuple)) and all(
        type(width) is int and width > 0 for width in widths
    )
    return list(widths) if are_widths and len(widths) > 1 else []


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
    return _with_what_leaves_no_shape(convert_as(kind, content, path), metadata, path), metadata


def convert_as(kind: str, content, path) -> Converted:
    """Convert what load_arrays read from a path, which has to be of one kind; errors as read_as."""
    return _converted(content, path, kind)[1]


def _converted(content, path, kind=None) -> tuple:
    needed = "" if kind is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} is needed; "
    try:
        found = recognise(content, sniff(path))
    except UserError as error:
        raise UserError(f"{path}: {needed}{error}") from None
    if kind not in (None, found.kind):
        raise UserError(f"{path}: {needed}this is: {found.description}")
    try:
        return found, _with_pieces(found.convert(), path)
    except MissingFile:
        raise
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _with_pieces(converted, path) -> Converted:
    """Add the words of a Chinese-CLIP, which lie in a file beside the weights."""
    if converted.kind != "clip" or converted.config.get("text") != BERT:
        return converted
    pieces = find_pieces(path, converted.config["vocab_size"])
    return replace(converted, config={**converted.config, "pieces": pieces})


def _with_what_leaves_no_shape(converted, metadata, path) -> Converted:
    """Add what leaves no shape, lr_mlp and the filter: a generator of ours says so; else its size shows."""
    if converted.kind != "generator":
        return converted
    if "config" not in metadata:
        rate, said = ({}, ()) if "lr_mlp" in converted.config else mapping_rate(converted.state)
        return replace(converted, config={**converted.config, **rate}, notes=converted.notes + said)
    stated = from_metadata(NetworkMetadata, {"config": metadata["config"]}, f"{path} is damaged").config
    config = {**stated, **converted.config}
    check_stylegan2(config, f"{path} is damaged")
    return replace(converted, config=config)
