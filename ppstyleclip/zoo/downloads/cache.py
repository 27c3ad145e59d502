# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find a published file on this machine, or fetch it once into the cache.

PPSTYLECLIP_HOME is the cache (`~/.cache/ppstyleclip`). What PaddleGAN fetched before is found as well, and
what lies in the folders that PPSTYLECLIP_PATH names, such as the `pretrained_models` of paddleclip; the
current folder is never searched by itself. PPSTYLECLIP_OFFLINE=1 forbids the network. With
PPSTYLECLIP_MIRROR=https://host/folder every file comes from https://host/folder/NAME, where NAME is its name
in zoo.yaml (and .bz2 behind it, where it is published so); `file:///folder` is a mirror too. What comes is
judged by size, kind and digest, from a mirror too (see judge.py, checksums.py). But for mirrors, addresses
are https, and so is what they lead to.
"""

from __future__ import annotations

import bz2
import os
import sys
import time
import urllib.parse
from pathlib import Path

from tqdm import tqdm

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import atomic_file, cache_home, check_writable, named_refusal
from ppstyleclip.locks import exclusive
from ppstyleclip.zoo.downloads.checksums import WHOLE, check_digest, compute_sha256, remember, verify
from ppstyleclip.zoo.downloads.http import Failed, discard, transfer
from ppstyleclip.zoo.downloads.judge import ANYTHING, Expected, check_kind, check_size

ATTEMPTS = 3  # in a row that bring next to nothing
PAUSE = 2.0  # seconds before the second attempt, twice that before the third
_WORTH_GOING_ON = 1 << 18  # bytes by which an attempt has to come further
_UNPACKED_LIMIT = 1 << 30
_ELSEWHERE = ("~/.cache/ppgan", "~/.cache/paddle/hapi/weights")
_UNSEARCHED = "pretrained_models"  # where paddleclip puts files: in whatever folder one happens to be
_LOCAL = ("127.0.0.1", "localhost", "::1")


def cache_folders() -> list[Path]:
    """Where files are looked for, first the one that new files go to.

    Then those of PPSTYLECLIP_PATH, and PaddleGAN's two.
    """
    named = [folder for folder in os.environ.get("PPSTYLECLIP_PATH", "").split(os.pathsep) if folder]
    return [cache_home(), *(Path(folder).expanduser() for folder in (*named, *_ELSEWHERE))]


def is_offline() -> bool:
    """Whether PPSTYLECLIP_OFFLINE forbids the network."""
    return os.environ.get("PPSTYLECLIP_OFFLINE", "") not in ("", "0")


def find(name: str) -> Path | None:
    """The path of a published file on this machine, unverified; None where it is absent."""
    return next((folder / name for folder in cache_folders() if (folder / name).is_file()), None)


def fetch(
    url: str,
    name: str,
    *,
    sha256: str = "",
    licence: str = "",
    page: str = "",
    expected: Expected = ANYTHING,
) -> Path:
    """Return a file of the cache; download it, with a progress bar on stderr, where it is not there yet.

    Of several processes one downloads, the others wait for it.

    Args:
        url: where it is published; empty where no program can fetch it. A file whose address ends in .bz2 is
            unpacked, unless its name ends so too.
        name: its name in the cache.
        sha256: its digest (of the unpacked file), or the first digits of it, where one is known.
        licence: shown on stderr when it is downloaded.
        page: where people find it, if that is not `url`.
        expected: its size and kind; a first download that is otherwise is not kept. Where the whole digest
            is known that alone counts.
    Returns:
        its path.
    Raises:
        MissingFile: it is not on this machine and cannot be fetched; names file, address and where to put it.
        UserError: it is there, or was fetched, and is another file than it should be; or the mirror's address
            is none.
        CannotWrite: the cache folder cannot be written, or the disk is full.
    """
    found, target = find(name), cache_home() / name
    if found is None:
        source = _source(url, name)
        _check_reachable(source, name, target, page)
        check_writable(target.parent)
        with exclusive(_beside(target, "lock"), lambda: _say(f"{name}: another process fetches it, waiting")):
            found = find(name)
            if found is None:
                return _download(source, target, sha256, licence, page, expected)
    wrong = "" if len(sha256) == WHOLE else check_kind(found, expected)
    if wrong:
        raise UserError(f"{found} is not the file that it should be: {wrong}; delete it, and it is fetched")
    verify(found, name, sha256)
    return found


def _source(url, name) -> str:
    """The address to fetch from: the mirror's, where one is set."""
    mirror = os.environ.get("PPSTYLECLIP_MIRROR", "")
    if not mirror:
        return _checked_address(url)
    if urllib.parse.urlsplit(mirror).scheme not in ("http", "https", "file"):
        raise UserError(f"PPSTYLECLIP_MIRROR is '{mirror}', not an address; set it to https://host/folder")
    return f"{mirror.rstrip('/')}/{urllib.parse.quote(name)}{'.bz2' if _is_packed(url, name) else ''}"


def _checked_address(url) -> str:
    parts = urllib.parse.urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise UserError(f"{url} is not an https address; files are fetched from no other")
    return url


def _is_packed(url, name) -> bool:
    return urllib.parse.urlsplit(url).path.endswith(".bz2") and not name.endswith(".bz2")


def _check_reachable(source, name, target, page):
    if is_offline():
        raise MissingFile(
            f"{name} is not on this machine and PPSTYLECLIP_OFFLINE is set; {_by_hand(source, target, page)}"
        )
    if not source:
        raise MissingFile(
            f"{name} is not on this machine and its publisher lets no program fetch it; "
            f"{_by_hand(source, target, page)}"
        )


def _by_hand(source, target, page) -> str:
    unpack = ", unpack it" if _is_packed(source, target.name) else ""
    return f"download {page or source}{unpack} and put it at {target}{_near(target.name)}"


def _near(name) -> str:
    """A hint, where a file of that name lies where paddleclip puts its own."""
    is_near = (Path(_UNSEARCHED) / name).is_file()
    return f", or set PPSTYLECLIP_PATH={_UNSEARCHED} to use the one that lies there" if is_near else ""


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(f".{target.name}.{ending}")


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stderr)


def _download(source, target, sha256, licence, page, expected) -> Path:
    part, attempts, reached = _beside(target, "part"), 0, 0
    if licence:
        _say(f"{target.name}: licence: {licence}")
    if _near(target.name):
        _say(f"{target.name}: the one in {_UNSEARCHED} is not searched for; PPSTYLECLIP_PATH names folders")
    while True:
        try:
            continued = transfer(
                source, part, name=target.name, digest_known=bool(sha256), most=expected.most
            )
            return _place(part, target, source, sha256, continued, expected)
        except Failed as failure:
            came = part.stat().st_size if part.is_file() else 0
            attempts = 1 if came >= reached + _WORTH_GOING_ON else attempts + 1
            reached = max(reached, came)
            if not failure.again or attempts >= ATTEMPTS:
                raise MissingFile(
                    f"{target.name} could not be fetched ({failure}); {_by_hand(source, target, page)}"
                ) from None
        time.sleep(PAUSE * attempts)


def _place(part, target, source, sha256, continued, expected) -> Path:
    """Judge and verify a complete file and give it its name, or remove it."""
    whole = _unpack(part, target) if _is_packed(source, target.name) else part
    digest = compute_sha256(whole)
    try:
        if len(sha256) < WHOLE:
            _judge(whole, target, source, expected)
        check_digest(
            digest,
            target.name,
            sha256,
            f"{source} gives another file than it should",
            "try again, or another source",
        )
    except UserError:
        discard(whole)
        discard(part)
        if continued:
            raise Failed("what came in several parts does not fit together") from None
        raise
    with named_refusal(target):
        os.replace(whole, target)
    discard(part)
    remember(target, digest, pinned_as="" if len(sha256) == WHOLE else target.name)
    return target


def _judge(whole, target, source, expected) -> None:
    wrong = check_kind(whole, expected) or check_size(whole.stat().st_size, expected)
    if wrong:
        raise UserError(
            f"{source} gives another file than it should: {wrong}; try again, or another source, or put the "
            f"right one at {target}"
        )


def _unpack(part, target) -> Path:
    unpacked, count = _beside(target, "unpacked"), 0
    with atomic_file(unpacked) as file, bz2.open(part) as packed:
        while piece := _read_packed(packed, part):
            count += len(piece)
            if count > _UNPACKED_LIMIT:
                discard(part)
                raise Failed("it unpacks to more than any published file holds", again=False)
            with named_refusal(unpacked):
                file.write(piece)
    return unpacked


def _read_packed(packed, part) -> bytes:
    try:
        return packed.read(1 << 20)
    except (OSError, EOFError, ValueError) as error:
        discard(part)
        raise Failed(f"it cannot be unpacked: {error}", again=False) from None
