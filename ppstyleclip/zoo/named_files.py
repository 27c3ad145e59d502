# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Files that a user names: by a path, or by the name under which they were published."""

from __future__ import annotations

import os
from pathlib import Path

from ppstyleclip.files import check_file
from ppstyleclip.zoo.registry import fetch_published, read_registry

# Other names of files in zoo.yaml, in the repository that its README tells to fetch them for.
ALIASES = {"train_data.pt": "train_faces.pt", "test_data.pt": "test_faces.pt"}
_PREFIXES = ("text2image-", "styleclip-mapper-")  # that zoo.yaml puts before the names of mappers


def published_name(name: str) -> str | None:
    """The name in zoo.yaml of what its publisher calls `name`; None where nothing is called so."""
    files = read_registry()["files"]
    candidates = (name, ALIASES.get(name, ""), *(prefix + name for prefix in _PREFIXES))
    return next((candidate for candidate in candidates if candidate in files), None)


def named_file(name: str | os.PathLike) -> Path:
    """Find a file: at its path, or where nothing is there by its published name, in the cache or fetched.

    Args:
        name: a path, such as "test_female.pt" in the working folder; or a published name.
    Raises:
        MissingFile: there is no such file, or a published one cannot be fetched.
        UserError: it may not be read, or is another than was published.
    """
    published = None if os.path.lexists(name) else published_name(os.fspath(name))
    return check_file(name) if published is None else fetch_published(published)
