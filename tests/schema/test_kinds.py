# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Names are names: what may become a part of a file's name never leads to another folder."""

import os
from pathlib import Path

import pytest
from hostile_values import NO_NAME, refused

from ppstyleclip.schema import check_name, is_name, name_of

NAMES = [
    "portrait",
    "ffhq-config-f",
    "my model (2)",
    "a.b_c+d",
    "\u732b",
    "n" * 100,
    "v1.2",
    "a:b",
    "~",
    "$HOME",
]


@pytest.mark.parametrize("name", [name for name in NAMES if os.name == "posix" or ":" not in name])
def test_names(name, tmp_path):
    assert check_name("this model", name) == name
    path = tmp_path / f"stylegan2-{name}-styleclip-global-directions-trial1000.safetensors"
    path.write_bytes(b"")
    assert path.resolve().parent == tmp_path.resolve() and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", NO_NAME)
def test_what_is_no_name(name):
    line = refused(check_name, "this model", name, field="name")
    assert line.startswith("this model: name is ")


@pytest.mark.parametrize(
    "path, name",
    [
        ("/a/b/model.pt", "model"),
        ("model.tar.gz", "model.tar"),
        ("a\x1b[31m.pt", "a_[31m"),
        (" x .pt", "x"),
        (".pt", "pt"),
        ("...", "unnamed"),
        ("a" * 300 + ".pt", "a" * 100),
        ("\u732b" * 300, "\u732b" * 60),
    ],
)
def test_a_files_name_as_a_name(path, name):
    assert name_of(path) == name and is_name(name)


def test_a_folder_by_a_dot_is_called_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert name_of(".") == name_of(Path("../mine")) == "mine"
