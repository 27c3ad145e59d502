# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The identity loss of a mapper's training: its network, or why there is none."""

from __future__ import annotations

from typing import Any

from ppstyleclip.errors import MissingFile, UserError


def load_training_identity(bundle: Any, path: str | None, *, is_asked: bool) -> tuple[Any, str]:
    """Load the identity network of a training that has an identity loss.

    Args:
        bundle: of the model.
        path: file that the user names, or None: the bundle's own network, or for a published model of people
            the published IR-SE50, fetched if need be.
        is_asked: the user gave the loss its weight, and did not merely take a preset's.
    Returns:
        (network, ""), or (None, why there is none) where the loss may be left out.
    Raises:
        UserError: the loss is asked for and there is no network, or a file is damaged.
    """
    from ppstyleclip.zoo import load_identity
    from ppstyleclip.zoo.registry import fetch_published, published_identity

    if path is not None:
        return load_identity(path), ""
    if bundle.identity is not None:
        return bundle.identity, ""
    name = published_identity(bundle.name)
    reason = f"'{bundle.name}' has no identity network; name one with --ir_se50_weights"
    if name is not None:
        try:
            return load_identity(fetch_published(name)), ""
        except MissingFile as error:
            reason = str(error)
    if is_asked:
        raise UserError(f"--id_lambda needs an identity network, and {reason}")
    return None, reason
