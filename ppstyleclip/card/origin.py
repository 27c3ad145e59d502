# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""By what an edit was made: fingerprints of weights, versions, machine."""

from __future__ import annotations

import platform
import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import paddle

from ppstyleclip import __version__
from ppstyleclip.engine.keys import weights_fingerprint
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, import_cv2
from ppstyleclip.threads import thread_count
from ppstyleclip.worker import on_worker

_KNOWN: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


@on_worker
def weights_of(bundle: Any) -> dict[str, str]:
    """`{part: fingerprint}` of the parts that took part in an edit; found once for a bundle.

    Parts: generator, clip, statistics, relevance, identity, encoder, as far as the bundle has them.
    """
    if bundle not in _KNOWN:
        found = {
            "generator": bundle.fingerprints.get("generator") or weights_fingerprint(bundle.generator),
            "clip": bundle.fingerprints.get("clip") or weights_fingerprint(bundle.clip.net),
        }
        stats, relevance = _part(bundle, "stats"), _part(bundle, "relevance")
        if stats is not None:
            found["statistics"] = fingerprint(stats.arrays())
        if relevance is not None:
            found["relevance"] = fingerprint({"rows": np.asarray(relevance.rows)})
        identity, encoder = _part(bundle, "identity"), _part(bundle, "encoder")
        if identity is not None:
            found["identity"] = weights_fingerprint(identity)
        if encoder is not None:
            found["encoder"] = weights_fingerprint(encoder.network)
        _KNOWN[bundle] = found
    return dict(_KNOWN[bundle])


def _part(bundle: Any, name: str) -> Any:
    try:
        return getattr(bundle, name)
    except UserError:  # not made yet, such as the relevance of a model that goes by gradients
        return None


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of what computes, and the machine."""
    return {
        "ppstyleclip": __version__,
        "python": platform.python_version(),
        "paddle": paddle.__version__,
        "numpy": np.__version__,
        "opencv": import_cv2().__version__,
        "device": paddle.get_device(),
        "threads": str(thread_count()),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(errors="replace"))
    except OSError:
        found = None
    name = found.group(1) if found else platform.processor()
    return " ".join(name.split()) or "unknown processor"


def differences(name: str, one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Lines such as "paddle 3.3.1, here 2.6.2", of values that both have, or one lacks."""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return [f"{name}{key} {one.get(key, 'none')}, here {other.get(key, 'none')}" for key in keys]
