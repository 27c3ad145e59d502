# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip direction`: its files, and one line for what is no table of labels."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny_world import STYLE_DIM

from ppstyleclip.cli.main import run_command
from ppstyleclip.files import read_metadata
from ppstyleclip.formats import load_directions

direction = partial(run_command, "direction")
pytestmark = pytest.mark.filterwarnings("always::UserWarning")


@pytest.fixture
def bank(tiny_editor):
    """Twenty faces, of which the odd ones lie further along a step; the step."""
    random = np.random.RandomState(0)
    step = random.randn(6, STYLE_DIM).astype(np.float32)
    faces = random.randn(20, 6, STYLE_DIM).astype(np.float32) * 0.1
    faces[1::2] += step
    np.save("bank.npy", faces)
    np.save("without.npy", faces[::2])
    np.save("with.npy", faces[1::2])
    return faces, step


def test_two_groups(bank, tiny_editor, capsys):
    faces, step = bank
    assert direction(["--groups", "without.npy", "with.npy", "--name", "odd", "--output_path", "out"]) == 0
    found = load_directions("out/directions.safetensors")["odd"]
    np.testing.assert_allclose(found, faces[1::2].mean(0) - faces[::2].mean(0), atol=1e-5)
    np.testing.assert_allclose(found, step, atol=0.3)
    stated = read_metadata("out/directions.safetensors")["generator"]
    assert stated == tiny_editor.bundle.fingerprints["generator"]
    rows = list(csv.DictReader(Path("out/channels.csv").read_text().splitlines()))
    layout = tiny_editor.bundle.layout
    assert len(rows) == layout.size and {row["layer"] for row in rows} == set(layout.names)
    effects = [abs(float(row["effect"])) for row in rows]
    assert effects == sorted(effects, reverse=True)
    s = tiny_editor.styles(faces).numpy()
    place = layout.offsets[layout.names.index(rows[0]["layer"])] + int(rows[0]["channel"])
    np.testing.assert_allclose(float(rows[0]["second"]), s[1::2, place].mean(), rtol=1e-4)
    said = capsys.readouterr().out
    assert "odd: 20 faces, told from their latents with r = 1.00" in said
    move = ["--latent", "bank.npy", "--direction_path", "out/directions.safetensors"]
    assert run_command("move", [*move, "--direction_name", "odd", "--direction_offset", "1"]) == 0
    np.testing.assert_allclose(np.load("output_dir/dst.editing.npy"), faces[0] + found, atol=1e-5)


def test_a_table_of_labels(bank, capsys):
    faces, step = bank
    lines = ["number,text,odd,height"] + [f"{k},x,{k % 2},{k / 7:.3f}" for k in range(1, 19)]
    Path("labels.csv").write_text("\n".join(lines) + "\n")
    assert direction(["bank.npy", "--labels", "labels.csv", "--output_path", "out"]) == 0
    found = load_directions("out/directions.safetensors")
    assert sorted(found) == ["height", "odd"]
    np.testing.assert_allclose(found["odd"], step * 0.5, atol=0.2)  # a deviation of 0 and 1
    assert direction(["bank.npy", "--labels", "labels.csv", "--columns", "odd", "--alone"]) == 0
    alone = load_directions("output_dir/directions.safetensors")
    expected = faces[1:19:2].mean(0) - faces[2:19:2].mean(0)
    np.testing.assert_allclose(alone["odd"], 0.5 * expected, atol=1e-5)
    assert "odd: 18 faces" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "holds no labels"),
        ("a,b\n1,2\n3\n", "another number of columns in line 3"),
        ("a,a\n1,2\n3,4\n", "names a column twice"),
        ("a\n1\n2\n", "has labels of 2 faces and the bank 20; add a column 'number'"),
        ("number,a\n0,1\n0,2\n", "each at most once"),
        ("number,a\n0,1\n20,2\n", "names face 20; the bank has 20, counted from 0"),
        ("number,a\n0,x\n1,y\n", "no column of numbers beside"),
        ("number,a\n0,nan\n1,2\n", "no column of numbers beside"),
        ("number,b\n0,1\n1,2\n", "no column of numbers 'a'; it has: b"),
        (b"\xff\xfe\x00a", "is no table"),
    ],
)
def test_what_is_no_table(bank, capsys, text, words):
    Path("labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    columns = ["--columns", "a"] if isinstance(text, str) and text.startswith("number,b") else []
    assert direction(["bank.npy", "--labels", "labels.csv", *columns]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line and not Path("output_dir/directions.safetensors").exists()


def test_one_way_to_say_it(bank, capsys):
    for argv in ([], ["bank.npy"], ["bank.npy", "--groups", "with.npy", "without.npy"]):
        assert direction(argv) == 2
        assert "give a bank with --labels CSV, or two banks with --groups" in capsys.readouterr().err
