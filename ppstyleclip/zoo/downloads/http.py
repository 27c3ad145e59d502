# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One attempt at getting a file over HTTP into a partial file, which a later attempt goes on with.

Beside a partial file `x` lies `x.json`: address, length, and what the server calls this version of the file
(its ETag or date). The rest is asked for only where all of them are unchanged; otherwise it begins anew.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from tqdm import tqdm

from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import named_refusal, read_json, write_atomic
from ppstyleclip.formats.sniff import sniff_bytes
from ppstyleclip.schema import Between, Size

TIMEOUT = 30  # seconds without a byte
_CHUNK = 1 << 18
_HEAD = 512  # bytes that tell a web page
_LONGEST_NOTE = 2**16  # bytes
_WORTH_ANOTHER_TRY = (408, 416, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Note:
    """What is kept beside a partial file."""

    url: Annotated[str, Size(1, 4000)]
    total: Annotated[int, Between(1, 2**50)]
    version: Annotated[str, Size(0, 1000)]


class Failed(Exception):
    """The transfer failed.

    Attributes:
        again: another attempt may mend it.
        keep: what has come so far may be continued.
    """

    def __init__(self, reason: str, *, again: bool = True, keep: bool = True):
        super().__init__(reason)
        self.again, self.keep = again, keep


def transfer(url: str, part: Path, *, name: str, digest_known: bool, most: int = 2**63) -> bool:
    """Complete a partial file, or begin one, with a progress bar on stderr.

    Args:
        url: where the file is published.
        part: the partial file.
        name: what the progress bar says.
        digest_known: a digest will be compared afterwards. Without it a file that the server names no
            version of is never continued, and one without a stated length is refused.
        most: bytes that the file has at most; the transfer ends where more come.
    Returns:
        whether it went on with what an earlier attempt had left.
    Raises:
        Failed: it is not complete; what is there stays only where another attempt can go on with it.
        CannotWrite: the disk is full, or the folder cannot be written.
    """
    known = _read_note(part, url)
    if known and part.stat().st_size == known["total"]:
        return True  # it was complete, and could not be given its name
    try:
        with _open(url, _range_headers(part, known)) as response:
            start = _start(response, part, known)
            total = known["total"] if start else _length(response, digest_known)
            _check_most(total or 0, most)
            _check_space(part, (total or 0) - start)
            if not start:
                _write_note(part, url, total, _version(response), digest_known)
            with named_refusal(part), open(part, "ab" if start else "wb") as file:
                _receive(response, file, (start, total, most), name)
    except BaseException as error:
        if not getattr(error, "keep", True) or not _note(part).is_file():
            discard(part)
        raise
    return bool(start)


def discard(part: Path) -> None:
    """Remove a partial file and what is known of it."""
    for path in (part, _note(part)):
        with contextlib.suppress(OSError):
            path.unlink()


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part, url) -> dict:
    """What is known of a partial file that can be continued; otherwise it is removed, and {}."""
    with contextlib.suppress(OSError, UserError):
        known = read_json(Note, _note(part), most=_LONGEST_NOTE)
        if known.url == url and 0 < part.stat().st_size <= known.total:
            return asdict(known)
    discard(part)
    return {}


def _write_note(part, url, total, version, digest_known):
    _note(part).unlink(missing_ok=True)
    if total and (version or digest_known):
        write_atomic(_note(part), json.dumps({"url": url, "total": total, "version": version}).encode())


def _range_headers(part, known) -> dict:
    if not known:
        return {}
    headers = {"Range": f"bytes={part.stat().st_size}-"}
    return {**headers, "If-Range": known["version"]} if known["version"] else headers


def _start(response, part, known) -> int:
    """The byte that an answer begins at: 0 for a whole file."""
    if response.status != 206:
        return 0
    have = part.stat().st_size if known else 0
    if known and _version(response) in ("", known["version"]):
        if response.headers.get("Content-Range") == f"bytes {have}-{known['total'] - 1}/{known['total']}":
            return have
    raise Failed("the file on the server changed while it was fetched", keep=False)


def _version(response) -> str:
    """What the server calls this version of the file, strong enough to tell equal bytes; or nothing."""
    tag = response.headers.get("ETag") or ""
    return tag if tag.startswith('"') else response.headers.get("Last-Modified") or ""


def _length(response, digest_known):
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Failed("the server sends it in a compressed form that was not asked for", again=False)
    text = response.headers.get("Content-Length") or ""
    if re.fullmatch("[0-9]+", text):
        return int(text)
    if digest_known or getattr(response, "chunked", False):
        return None
    raise Failed("the server does not say how long the file is, so a cut would not be seen", again=False)


def _check_most(count, most):
    if count > most:
        raise Failed(f"it has more than {most:,} bytes, which the file has at most", again=False, keep=False)


def _check_space(part, needed):
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise CannotWrite(
            f"cannot write {part.parent}: {needed / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB"
            " are free; make room, or set PPSTYLECLIP_HOME to a folder on another disk"
        )


def _receive(response, file, extent, name):
    start, total, most = extent
    received = start
    with tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name) as bar:
        piece = _read(response.read, _HEAD)
        if not start and sniff_bytes(piece) == "html":
            raise Failed("a web page came in place of the file", keep=False)
        while piece:
            file.write(piece)
            received += len(piece)
            _check_most(received, most)
            bar.update(len(piece))
            piece = _read(response.read1, _CHUNK)
    file.flush()
    os.fsync(file.fileno())
    if not received or total is not None and received < total:
        raise Failed(f"the connection ended after {received} of {total or 'some'} bytes")


class _HttpsStaysHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to anything else, and to nothing but the web."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        before, after = (urllib.parse.urlsplit(url).scheme for url in (req.full_url, newurl))
        if after != "https" and (before, after) != ("http", "http"):
            raise Failed(f"the server sends on to {after}://, which is not https", again=False)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url, headers):
    request = urllib.request.Request(url, headers={"User-Agent": "ppstyleclip", **headers})
    try:
        return urllib.request.build_opener(_HttpsStaysHttps).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if "is not allowed" in str(error.msg):  # file:// and others, which urllib itself refuses
            raise Failed("the server sends on to what is not https", again=False) from None
        if error.code in (301, 302, 303, 307, 308):
            raise Failed("the server sends from one address to the next without end", again=False) from None
        raise Failed(
            f"the server answers {error.code} {error.reason}",
            again=error.code in _WORTH_ANOTHER_TRY,
            keep=error.code != 416,
        ) from None
    except urllib.error.URLError as error:
        raise Failed(f"no connection: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failed(f"no connection: {error}") from None


def _read(read, count) -> bytes:
    try:
        return read(count)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"the connection broke: {error}") from None
