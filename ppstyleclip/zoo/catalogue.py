# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The table of published files and models (zoo.yaml)."""
from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml

from ppstyleclip.errors import UserError
from ppstyleclip.models.clip import CLIP_WEIGHT_URLS
from ppstyleclip.zoo.download import fetch

EMBEDDED = "toonface"
TABLE = Path(__file__).parents[1] / "zoo.yaml"


@lru_cache(maxsize=1)
def read_catalogue() -> dict:
    """The table: `files` (name to url, what, licence, size) and `models` (name to files and defaults)."""
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    for entry in table["files"].values():
        if "clip" in entry:
            entry["url"] = CLIP_WEIGHT_URLS[entry["clip"]]
    return table


def known_models() -> tuple:
    """Names that load_bundle knows, the embedded one first."""
    return (EMBEDDED, *read_catalogue()["models"])


def model_entry(model_type: str) -> dict:
    """The table's entry of a published model.

    Raises:
        UserError: unknown name; lists the known.
    """
    check_model_type(model_type)
    return read_catalogue()["models"][model_type]


def check_model_type(model_type: str) -> None:
    """Refuse an unknown name, listing the known ones."""
    if model_type not in known_models():
        raise UserError(f"unknown model type '{model_type}'; known: {', '.join(known_models())}")


def fetch_published(name: str) -> Path:
    """Return the path of a published file, a key of `files`, fetched if need be; errors as fetch."""
    return fetch(read_catalogue()["files"][name]["url"], name)


def fetch_clip(name: str) -> Path:
    """Return the path of the weights of one of paddleclip's networks, such as ViT_B_32; errors as fetch."""
    files = read_catalogue()["files"]
    return fetch_published(next(file for file, entry in files.items() if entry.get("clip") == name))
