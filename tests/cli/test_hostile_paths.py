# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every option of every command that names a file or a folder, on what is none: one line, at once, and 2."""

from __future__ import annotations

import os

import pytest

from ppstyleclip.cli.main import run_command

TEXT = ["--target", "happy face"]
# What stands before the path; the path is read.
READS = [
    ["edit", *TEXT],
    ["edit", "5", *TEXT, "--weight_path"],
    ["edit", "5", *TEXT, "--direction_path"],
    ["edit", "5", *TEXT, "--stat_path"],
    ["photo", *TEXT],
    ["photo", "marks.json", *TEXT, "--ir_se50_weights"],
    ["styleganv2clip", *TEXT, "--latent"],
    ["move", "--direction_path"],
    ["mix", "--latent1"],
    ["mix", "--latent2"],
    ["interpolate", "--latent", "marks.json"],
    ["invert", "--input_image"],
    ["fit", "--input_image"],
    ["fit", "--input_image", "marks.json", "--pre_latent"],
    ["map", "--modules", "happy", "--latents_test_path"],
    ["map", "--modules", "happy", "--latent"],
    ["map", "--modules", "happy", "--input_image"],
    ["optimize", "--description", "happy face", "--latent"],
    ["optimize", "--description", "happy face", "--ir_se50_weights"],
    ["train-mapper", "--description", "happy face", "--latents_train_path"],
    ["train-mapper", "--description", "happy face", "--latents_test_path"],
    ["train-mapper", "--description", "happy face", "--checkpoint_path"],
    ["train-mapper", "--description", "happy face", "--photos"],
    ["relevance", "--stat_path"],
    ["relevance", "--s_path"],
    ["statistics", "--weight_path"],
]
# The same, where the path is written.
WRITES = [
    ["edit", "5", *TEXT, "-o"],
    ["photo", "marks.json", *TEXT, "--output_path"],
    ["styleganv2clip", *TEXT, "--output_path"],
    ["sample", "--output_path"],
    ["mix", "--output_path"],
    ["interpolate", "--output_path"],
    ["map", "--modules", "happy", "--output_path"],
    ["optimize", "--description", "happy face", "--output_path"],
    ["train-mapper", "--description", "happy face", "--output_path"],
    ["statistics", "--output_path"],
    ["relevance", "--output_path"],
]
PATHS = ["pipe", "/dev/zero", "/nonexistent/file", "x" * 300, "a\0b", "marks.json/below", "loop", "x\ud800"]
PLACES = ["marks.json", "marks.json/below", "x" * 300, "a\0b", "loop/x", "y/" + "x" * 300]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and loops of POSIX")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "marks.json").write_text("[]")
    os.mkfifo("pipe")
    os.symlink("loop", "loop")


def refused(argv, capsys):
    assert run_command(argv[0], argv[1:]) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) < 1200, said.err
    assert said.out == ""


@pytest.mark.parametrize("argv", READS, ids=lambda argv: argv[0] + argv[-1])
def test_what_is_no_file_is_refused_before_anything_is_loaded(argv, capsys):
    for path in PATHS:
        refused([*argv, path], capsys)
    assert sorted(os.listdir()) == ["loop", "marks.json", "pipe"]


@pytest.mark.parametrize("argv", WRITES, ids=lambda argv: argv[0])
def test_what_cannot_be_written_is_refused_before_anything_is_loaded(argv, capsys):
    for path in PLACES:
        refused([*argv, path], capsys)
    assert sorted(os.listdir()) == ["loop", "marks.json", "pipe"]
