# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The table of published files and models (zoo.yaml)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ppstyleclip.errors import UserError
from ppstyleclip.inputs import is_folder
from ppstyleclip.schema import parse_yaml
from ppstyleclip.zoo.downloads.cache import fetch
from ppstyleclip.zoo.downloads.judge import expected_of

EMBEDDED = "portrait"
FORMER = {"toonface": EMBEDDED}  # names of embedded models that are no more
TABLE = Path(__file__).parents[1] / "zoo.yaml"
PACK = Path(__file__).parents[1] / "worlds" / "portrait" / "pack"  # the embedded model
PACKS = {EMBEDDED: PACK, "portrait-sg3": PACK.with_name("pack-sg3")}  # those that come with the package
_LONGEST_TABLE = 2**20  # bytes; it comes with the package
# Google Drive's address of a file as such. Where Drive answers with a page instead (too many downloads that
# day, or its ways have changed), the page is refused and the message says to fetch the file by hand.
_DRIVE = "https://drive.usercontent.google.com/download?id={}&export=download&confirm=t"
_DRIVE_PAGE = "https://drive.google.com/file/d/{}/view"


@lru_cache(maxsize=1)
def read_registry() -> dict:
    """The table: `licences` (key to text), `files` and `models` (name to files and defaults).

    Each of `files` has `url` (empty where no program can fetch it), `page` (where people do), `what`, `for`,
    `licence` (a key), `size`, `sha256` (empty where none is published).
    """
    table = parse_yaml(TABLE.read_bytes(), most=_LONGEST_TABLE)
    for entry in table["files"].values():
        drive = entry.get("drive")
        entry.setdefault("url", _DRIVE.format(drive) if drive else "")
        entry.setdefault("page", _DRIVE_PAGE.format(drive) if drive else entry["url"])
        entry.setdefault("sha256", "")
    return table


def known_models() -> tuple:
    """Names that load_bundle knows, the embedded ones first."""
    return (*PACKS, *read_registry()["models"])


def embedded_pack() -> Path:
    """Folder of the first embedded model, whose CLIP and face models the others share."""
    return PACK


def pack_of(model_type: str | None) -> Path | None:
    """Folder of an embedded model, of the first for None; None for the name of a published one."""
    return PACK if model_type in (None, EMBEDDED) else PACKS.get(model_type)


def model_entry(model_type: str) -> dict:
    """The table's entry of a published model.

    Raises:
        UserError: unknown name; lists the known.
    """
    check_model_type(model_type)
    return read_registry()["models"][model_type]


def published_identity(model_name: str) -> str | None:
    """Name of the published identity network for a model's pictures; None where there is none."""
    return read_registry()["models"].get(model_name, {}).get("identity")


def check_model_type(model_type: str) -> None:
    """Refuse an unknown name, listing the known ones."""
    if model_type in known_models():
        return
    refuse_former(model_type)
    known = f"unknown model type '{model_type}'; known: {', '.join(known_models())}"
    if is_folder(model_type):
        known += "; a folder is given as the bundle (bundle=, --bundle)"
    raise UserError(known)


def refuse_former(name: str) -> None:
    """Refuse the name of an embedded model that is no more, naming the one that is."""
    if isinstance(name, str) and name in FORMER:
        raise UserError(f"the model '{name}' is gone; the embedded one is '{FORMER[name]}'")


def fetch_published(name: str) -> Path:
    """Return the path of a published file, fetched if need be.

    Args:
        name: a key of `files`.
    Raises:
        UserError: no published file has this name.
        MissingFile, CannotWrite, UserError: as fetch.
    """
    table = read_registry()
    if name not in table["files"]:
        raise UserError(f"no published file is called '{name}'; ppstyleclip doctor lists them")
    entry = table["files"][name]
    return fetch(
        entry["url"],
        name,
        sha256=entry["sha256"],
        page=entry["page"],
        licence=table["licences"][entry["licence"]],
        expected=expected_of(name, entry["size"]),
    )


def fetch_clip(name: str) -> Path:
    """Return the path of the weights of one of paddleclip's networks, such as ViT_B_32; errors as fetch."""
    files = read_registry()["files"]
    return fetch_published(next(file for file, entry in files.items() if entry.get("clip") == name))
