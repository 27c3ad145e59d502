# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Tables of values that no schema takes, `{field: [values]}`: each is put into a valid value, and refused."""

from __future__ import annotations

import copy
import time
import tracemalloc

import pytest

from ppstyleclip.errors import UserError

DEEP: list = []
for _ in range(200):
    DEEP = [DEEP]
NO_COUNT = [-1, 1.5, "3", True, None, [3], {"a": 3}, 10**18, 10**19 - 1]  # nor a width, a depth or a side
NO_NUMBER = ["1", True, None, [1.0], {}, 10**40, "nan"]
NO_TEXT = [3, 1.5, True, None, ["a"], {"a": "b"}]
NO_FLAG = [0, 1, "true", None, []]
NO_LIST = [3, "abc", True, {"0": 1}]
NO_NAMED = [3, "abc", True, [], [["a", 1]]]
NO_NAME = [
    "",
    ".",
    "..",
    "../victim",
    "/../../victim",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "..\\..\\victim",
    ".hidden",
    "a\0b",
    "a\nwrote /etc/passwd",
    "a\x1b[31mb",
    "a\u202eb",
    "a\u200bb",
    " a",
    "a ",
    "a.",
    "x" * 101,
    "\u6f22" * 61,
    *NO_TEXT,
]
NO_LINE = ["a\nb", "\x1b]0;title\x07", "a\u2028b", "x" * 1001, "\ud800", *NO_TEXT]
NO_MARK = ["../1", "x" * 65, "a b", "\x1b[31m", *NO_TEXT[:3]]

# ---- valid values that are changed

LAYOUT = {"names": ["a", "b"], "channels": [3, 2], "editable": [True, False]}
OPTIMIZE = {
    "space": "w_plus",
    "steps": 300,
    "learning_rate": 0.1,
    "schedule": "rampup_cosine",
    "neighbours": 3,
    "objective": {"weights": {"clip": 1.0, "l2": 0.008}, "l2_reduction": "sum", "crops": 3, "margin": 0.05},
    "adam": {"beta1": 0.9, "amsgrad": True},
}
RECIPE = {
    "edits": [
        {"target": "smiling face", "name": "smile", "alpha": 3, "beta": "auto", "region": "mouth"},
        {"target": "face with gold hair", "alpha": "auto", "pull": 0.5},
    ],
    "orthogonal": True,
    "identity": 0.7,
}
MAPPER_PRESET = {
    "mapper": {"mapper_type": "LevelsMapper", "mode": "Mapper_sum", "embed": "table", "scale": 0.1},
    "steps": 600,
    "batch_size": 4,
    "optimizer": "ranger",
    "objective": {"weights": {"clip": 1.0, "l2": 0.1}, "view": "clip"},
    "run": {"train_faces": 420, "val_faces": 42, "save_every": 50},
}
RELEVANCE_JOB = {
    "kind": "relevance",
    "name": "tiny",
    "layout": LAYOUT,
    "generator": "1" * 16,
    "clip": "2" * 16,
    "statistics": "3" * 16,
    "styles": "4" * 16,
    "clip_name": "portrait",
    "num_images": 3,
    "channels": [0, 2],
    "num_editable": 3,
    "options": {"engine": "eager"},
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
    "alpha": 5.0,
    "base": "mean",
    "compat": None,
    "batch_size": 8,
    "block_size": 2,
    "cache_bytes": 2**31,
    "stop_at": None,
}
STATISTICS_JOB = {
    "kind": "statistics",
    "generator": "1" * 16,
    "seed": 1,
    "num_samples": 60,
    "truncation": 0.7,
    "truncation_mode": "layers",
    "batch_size": 7,
    "keep": 9,
}


def cases(table: dict) -> list:
    """Parameters (field, value) of a table, with short names."""
    return [
        pytest.param(field, value, id=f"{field}-{number}")
        for field, values in table.items()
        for number, value in enumerate(values)
    ]


def changed(valid: dict, field: str, value) -> dict:
    """A deep copy with another value at `field`: dots lead into named values, numbers into lists."""
    found = copy.deepcopy(valid)
    *way, last = [int(part) if part.isdigit() else part for part in field.split(".")]
    place = found
    for part in way:
        place = place[part]
    place[last] = value
    return found


def refused(read, *arguments, field: str = "") -> str:
    """Call `read(*arguments)`: a UserError of one printable line that names the field, in little memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(UserError) as caught:
            read(*arguments)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.isprintable() and len(line) < 900, line
    assert field.rpartition(".")[2].lstrip("0123456789") in line, line
    assert peak < 32 * 2**20 and time.process_time() - began < 20
    return line
