# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find a published file on this machine, or fetch it once into the cache.

PPSTYLECLIP_HOME is the cache (`~/.cache/ppstyleclip`); what PaddleGAN fetched before into `~/.cache/ppgan` is
found as well. PPSTYLECLIP_OFFLINE=1 forbids the network.
"""
from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from ppstyleclip.errors import MissingFile
from ppstyleclip.files import atomic_file, cache_home, check_writable
from ppstyleclip.formats.sniff import sniff_bytes

ATTEMPTS = 3
TIMEOUT = 30  # seconds without a byte
PAUSE = 2.0  # seconds before the second attempt, twice that before the third
_CHUNK = 1 << 18
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)


class _Interrupted(Exception):
    """The transfer failed in a way that another attempt may mend."""


def cache_folders() -> list[Path]:
    """Where files are looked for, first the one that new files go to."""
    return [cache_home(), Path("~/.cache/ppgan").expanduser()]


def is_offline() -> bool:
    """Whether PPSTYLECLIP_OFFLINE forbids the network."""
    return os.environ.get("PPSTYLECLIP_OFFLINE", "") not in ("", "0")


def fetch(url: str, name: str) -> Path:
    """Return a file of the cache; download it, with a progress bar on stderr, where it is not there yet.

    Args:
        url: where it is published.
        name: its name in the cache.
    Returns:
        its path.
    Raises:
        MissingFile: it is not on this machine and cannot be fetched; names file, address and where to put it.
        CannotWrite: the cache folder cannot be written.
    """
    for folder in cache_folders():
        if (folder / name).is_file():
            return folder / name
    target = cache_folders()[0] / name
    cure = f"download {url} and put it at {target}"
    if is_offline():
        raise MissingFile(f"{name} is not on this machine and PPSTYLECLIP_OFFLINE is set; {cure}")
    check_writable(target.parent)
    try:
        return _download(url, target)
    except _Interrupted as error:
        raise MissingFile(f"{name} could not be fetched ({error}); {cure}") from None


def _download(url: str, target: Path) -> Path:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _transfer(url, target)
        except urllib.error.HTTPError as error:
            error.close()
            failure = _Interrupted(f"the server answers {error.code} {error.reason}")
            if error.code not in _WORTH_ANOTHER_TRY:
                raise failure from None
        except _Interrupted as error:
            failure = error
        if attempt < ATTEMPTS:
            time.sleep(PAUSE * attempt)
    raise failure


def _transfer(url: str, target: Path) -> Path:
    with _open(url) as response, atomic_file(target) as file:
        expected = int(response.headers.get("Content-Length") or 0)
        with tqdm(total=expected or None, unit="B", unit_scale=True, desc=target.name) as bar:
            received = 0
            while True:
                piece = _read(response)
                if not received and sniff_bytes(piece) == "html":
                    raise _Interrupted("a web page came in place of the file")
                if not piece:
                    break
                file.write(piece)
                received += len(piece)
                bar.update(len(piece))
        if not received or received < expected:
            raise _Interrupted(f"the connection ended after {received} of {expected or 'some'} bytes")
    return target


def _open(url: str):
    try:
        return urllib.request.urlopen(url, timeout=TIMEOUT)
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        raise _Interrupted(f"no connection: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Interrupted(f"no connection: {error}") from None


def _read(response) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(f"the connection broke: {error}") from None
