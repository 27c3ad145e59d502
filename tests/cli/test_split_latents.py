# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `ppstyleclip split-latents`: files that hold each face once, and bad input."""

import csv
from pathlib import Path

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack
from tool_main import load_tool

from ppstyleclip.editor import Editor

TEXTS = ("happy face", "sad face", "long hair")


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def faces_of(editor, count=7):
    return editor.sample(list(range(count))).numpy()


@pytest.mark.filterwarnings("default:the CLIP of")
def test_words_that_the_clip_never_saw_are_named(capsys):
    np.save("bank.npy", faces_of(Editor.from_pretrained(), 2))
    texts = ["zorblax face", "sad face"]
    assert load_tool("split_latents")(["bank.npy", "--texts", *texts, "--output_path", "out"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(lines) == 1 and "never saw 'zorblax'; what 'zorblax face' then does is chance" in lines[0]


def test_the_command(capsys):
    editor = Editor.from_pretrained()
    faces = faces_of(editor)
    np.save("bank.npy", faces)
    assert load_tool("split_latents")(["bank.npy", "--texts", *TEXTS, "--output_path", "out"]) == 0
    with open("out/split.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["number", "text", *TEXTS] and len(rows) == 7
    for text in TEXTS:
        numbers = [int(row[0]) for row in rows if row[1] == text]
        path = Path("out") / f"bank_{text.replace(' ', '_')}.npy"
        assert path.is_file() == bool(numbers)
        if numbers:
            np.testing.assert_array_equal(np.load(path).reshape(-1, *faces.shape[1:]), faces[numbers])
        assert all(max(row[2:], key=float) == row[2 + TEXTS.index(text)] for row in rows if row[1] == text)
    assert "7 faces of bank.npy: " in capsys.readouterr().out
    assert (
        load_tool("split_latents")(
            ["bank.npy", "--texts", *TEXTS, "--least", "1", "--n_images", "3", "--output_path", "none"]
        )
        == 0
    )
    assert "3 faces" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--texts", "happy face"], "two texts or more"),
        (["--texts", "a face", "A face "], "which differ"),
        (["--texts", "a face", "a-face"], "files of one name"),
        (["--texts", "a", "b", "--least", "2"], "0 to 1"),
        (["--texts", "a", "b", "--batch_size", "0"], "a whole number from 1"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    np.save("bank.npy", np.zeros([2, 6, 12], np.float32))
    assert load_tool("split_latents")(["bank.npy", *arguments, "--output_path", "out"]) == 2
    line = capsys.readouterr().err.strip()
    assert words in line and "\n" not in line and not Path("out").exists()


def test_a_bank_of_another_generator():
    np.save("bank.npy", np.zeros([2, 5, 12], np.float32))
    assert load_tool("split_latents")(["bank.npy", "--texts", "a", "b"]) == 2
