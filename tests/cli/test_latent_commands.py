# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""styleganv2.py, styleganv2mixing.py, styleganv2editing.py, interpolate.py: files, words, refusals."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from PIL import Image
from tiny_world import live_in, save_tiny_pack, tiny_generator
from tool_main import load_tool

from ppstyleclip.cli.saving import strip_numbers

ROOT = Path(__file__).resolve().parents[2]
FACES = np.random.RandomState(3).randn(3, 6, 12).astype(np.float32)
STEP = np.random.RandomState(4).randn(6, 12)
MIXED = ["dst.mixing.npy", "dst.mixing.png", "src1.mixing.png", "src2.mixing.png"]
EDITED = ["dst.editing.npy", "dst.editing.png", "src.editing.png"]
MOTION = ["interpolation.gif", "interpolation.mp4", "strip.png"]


TOOLS = {
    name: load_tool(name) for name in ("styleganv2", "styleganv2mixing", "styleganv2editing", "interpolate")
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    np.save("a.npy", FACES[0])
    np.save("b.npy", FACES[1:2])
    np.save("bank.npy", FACES)
    np.save("step.npy", STEP)
    paddle.save({"age": paddle.to_tensor(STEP), "yaw": paddle.ones([12])}, "directions.pdparams")


def run(name, *argv):
    return TOOLS[name]([*argv, "--output_path", "out"])


def names(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir())


def read(name):
    return cv2.imread(f"out/{name}")[:, :, ::-1]


def model_arguments():
    """The arguments of PaddleGAN's documented commands that say which model, here for 16 px."""
    paddle.save(tiny_generator(7).state_dict(), "weights.pdparams")
    return [
        "--weight_path",
        "weights.pdparams",
        "--model_type",
        "portrait",
        "--size",
        "16",
        "--style_dim",
        "12",
        "--n_mlp",
        "2",
        "--cpu",
    ]


# ---- what they do


def test_sampling_with_every_argument_of_paddlegans_document(capsys):
    assert run("styleganv2", *model_arguments(), "--seed", "233", "--n_row", "2", "--n_col", "3") == 0
    assert names() == ["sample.npy", "sample.png", "sample_mixing_0.png", "sample_mixing_1.png"]
    assert capsys.readouterr().out.splitlines() == [
        f"wrote {Path('out') / name}"
        for name in ("sample.png", "sample.npy", "sample_mixing_0.png", "sample_mixing_1.png")
    ]
    assert np.load("out/sample.npy").shape == (6, 6, 12)


def test_mixing_with_every_argument_of_paddlegans_document(capsys):
    weights = ["0", "0.2", "0.5", "1", "0.5", "0.5"]
    assert (
        run(
            "styleganv2mixing",
            *model_arguments(),
            "--latent1",
            "a.npy",
            "--latent2",
            "b.npy",
            "--weights",
            *weights,
        )
        == 0
    )
    assert names() == MIXED
    share = np.float32(weights)[:, None]
    np.testing.assert_allclose(
        np.load("out/dst.mixing.npy"), share * FACES[0] + (1 - share) * FACES[1], atol=1e-6
    )
    said = capsys.readouterr().out
    assert "a.npy and b.npy of weights, 6 levels: weights 0 0.2 0.5 1 0.5 0.5" in said
    assert all(f"wrote {Path('out') / name}" in said for name in MIXED)


def test_mixing_at_a_crossover_and_out_of_a_bank():
    assert (
        run(
            "styleganv2mixing",
            "--latent1",
            "bank.npy",
            "--index1",
            "2",
            "--latent2",
            "bank.npy",
            "--crossover",
            "2",
        )
        == 0
    )
    np.testing.assert_array_equal(np.load("out/dst.mixing.npy"), np.concatenate([FACES[2, :2], FACES[0, 2:]]))


def test_mixing_of_sampled_faces(capsys):
    assert run("styleganv2mixing", "--seed2", "5") == 0
    assert "sampled face 58 and sampled face 5 of tiny, 6 levels: weights 0.5" in capsys.readouterr().out
    assert (read("src1.mixing.png") != read("src2.mixing.png")).any()


def test_editing_with_every_argument_of_paddlegans_document(capsys):
    assert (
        run(
            "styleganv2editing",
            *model_arguments(),
            "--latent",
            "a.npy",
            "--direction_path",
            "directions.pdparams",
            "--direction_name",
            "age",
            "--direction_offset",
            "-2",
        )
        == 0
    )
    assert names() == EDITED
    np.testing.assert_allclose(np.load("out/dst.editing.npy"), FACES[0] - 2 * STEP, atol=1e-5)
    said = capsys.readouterr().out
    assert "age by -2, on a.npy of weights" in said
    assert all(f"wrote {Path('out') / name}" in said for name in EDITED)


def test_editing_by_the_only_direction_at_several_offsets():
    assert (
        run(
            "styleganv2editing",
            "--latent",
            "bank.npy",
            "--index",
            "1",
            "--direction_path",
            "step.npy",
            "--direction_offset",
            "-1",
            "0",
            "1",
        )
        == 0
    )
    assert names() == [*EDITED, "strip.png"]
    np.testing.assert_allclose(np.load("out/dst.editing.npy"), FACES[1] + STEP, atol=1e-5)
    strip = read("strip.png")
    for column, name in ((1, "src"), (2, "dst")):
        picture = cv2.resize(read(f"{name}.editing.png"), (128, 128), interpolation=cv2.INTER_CUBIC)
        np.testing.assert_array_equal(strip[-130:-2, 2 + 130 * column : 130 + 130 * column], picture)


def test_without_an_offset_nothing_changes():
    assert run("styleganv2editing", "--direction_path", "step.npy") == 0
    np.testing.assert_array_equal(read("src.editing.png"), read("dst.editing.png"))


def test_what_one_tool_writes_the_next_one_reads():
    assert run("styleganv2", "--n_row", "1", "--n_col", "2", "--seed", "1") == 0
    assert (
        run("styleganv2mixing", "--latent1", "out/sample.npy", "--latent2", "out/sample.npy", "--index2", "1")
        == 0
    )
    assert run("styleganv2editing", "--latent", "out/dst.mixing.npy", "--direction_path", "step.npy") == 0
    assert run("interpolate", "--latent", "out/dst.mixing.npy", "out/dst.editing.npy", "--steps", "2") == 0


def test_interpolation_shows_both_ends_and_all_between(capsys):
    assert (
        run(
            "interpolate",
            "--latent",
            "a.npy",
            "b.npy",
            "bank.npy",
            "--index",
            "0",
            "0",
            "2",
            "--steps",
            "6",
            "--fps",
            "10",
        )
        == 0
    )
    assert names() == MOTION
    assert "3 faces of tiny: 13 pictures, 1.3 s" in capsys.readouterr().out
    film = cv2.VideoCapture("out/interpolation.mp4")
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), film.get(cv2.CAP_PROP_FPS)) == (13, 10)
    with Image.open("out/interpolation.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"]) == (13, (128, 128), 100)
        ends = []
        for k in (0, 6, 12):
            gif.seek(k)
            ends.append(np.array(gif.convert("RGB")).astype(int))
    strip = read("strip.png")
    assert strip.shape[1] == 7 * 130 + 2
    for k, column in enumerate((0, 3, 6)):
        shown = strip[-130:-2, 2 + 130 * column : 130 + 130 * column]
        apart = [np.abs(shown - picture).mean() for picture in ends]
        assert np.argmin(apart) == k and apart[k] < 8  # levels; a GIF picture has 256 colours


def test_several_faces_of_one_bank_are_the_same_as_several_files():
    assert run("interpolate", "--latent", "bank.npy", "--index", "0", "2", "--steps", "1") == 0
    first = read("strip.png")
    assert run("interpolate", "--latent", "bank.npy", "bank.npy", "--index", "0", "2", "--steps", "1") == 0
    np.testing.assert_array_equal(first, read("strip.png"))


def test_interpolation_of_sampled_faces():
    assert run("interpolate", "--steps", "1") == 0
    first = read("strip.png")
    assert run("interpolate", "--steps", "1", "--seed", "58", "59") == 0
    np.testing.assert_array_equal(first, read("strip.png"))


@pytest.mark.parametrize(
    "legs, steps, chosen",
    [
        (1, 24, [0, 4, 8, 12, 16, 20, 24]),
        (1, 4, [0, 1, 2, 3, 4]),
        (1, 1, [0, 1]),
        (1, 7, [0, 1, 2, 3, 4, 5, 6, 7]),
        (2, 24, [0, 8, 16, 24, 32, 40, 48]),
        (1, 25, [0, 5, 10, 15, 20, 25]),
        (1, 23, [0, 23]),
        (3, 5, [0, 5, 10, 15]),
        (8, 2, [0, 2, 4, 6, 8, 10, 12, 14, 16]),
    ],
)
def test_the_row_has_all_stops_and_some_between(legs, steps, chosen):
    assert strip_numbers(legs, steps) == chosen


def test_the_row_never_jumps():
    for legs in range(1, 9):
        for steps in range(1, 100):
            chosen = strip_numbers(legs, steps)
            assert len(set(np.diff(chosen))) == 1 and len(chosen) <= max(13, 2 * legs + 1)
            assert set(range(0, legs * steps + 1, steps)) <= set(chosen)


# ---- what they refuse

MIX, EDIT, GO, DRAW = "styleganv2mixing", "styleganv2editing", "interpolate", "styleganv2"


@pytest.mark.parametrize(
    "name, words, argv",
    [
        (MIX, "2 weights were given for latents of 6 levels; give 6", ["--weights", "1", "0"]),
        (MIX, "crossover 7 was given for latents of 6 levels", ["--crossover", "7"]),
        (MIX, "--seed2 draws a face and --latent2 names one", ["--latent2", "a.npy", "--seed2", "1"]),
        (MIX, "there is no file nowhere.npy", ["--latent1", "nowhere.npy"]),
        (MIX, "shape [1, 18, 512], but 'tiny' (16 px) takes [N, 6, 12]", ["--latent2", "ffhq.npy"]),
        (MIX, "no latent 3: it holds 3", ["--latent1", "bank.npy", "--index1", "3"]),
        (EDIT, "no stored directions for this model; give a file of your own with --direction_path", []),
        (EDIT, "no stored directions for 'portrait'", ["--model_type", "portrait"]),
        (EDIT, "directions.pdparams is not on this machine", ["--model_type", "ffhq-config-f"]),
        (EDIT, "there is no file nowhere.npy", ["--direction_path", "nowhere.npy"]),
        (EDIT, "--direction_name is missing; known: age, yaw", ["--direction_path", "directions.pdparams"]),
        (
            EDIT,
            "there is no direction 'hair'; known: age, yaw",
            ["--direction_path", "directions.pdparams", "--direction_name", "hair"],
        ),
        (EDIT, "shape [18, 512] does not fit latents of 6 levels, 12 wide", ["--direction_path", "ffhq.npy"]),
        (EDIT, "shape [3, 6, 12]; a direction is", ["--direction_path", "bank.npy"]),
        (GO, "at least 2 latents and 1 step, got 1 and 24", ["--seed", "1"]),
        (GO, "--steps: a whole number from 1 to 10000 is needed, got '0'", ["--steps", "0"]),
        (GO, "--fps: a finite number from 1 to 50 is needed", ["--fps", "51"]),
        (GO, "give --seed or --latent", ["--seed", "1", "2", "--latent", "a.npy"]),
        (GO, "3 indices were given for 2 files", ["--latent", "a.npy", "b.npy", "--index", "0", "0", "0"]),
        (GO, "2 indices were given for 0 files", ["--index", "0", "1"]),
        (GO, "there is no file nowhere.npy", ["--latent", "a.npy", "nowhere.npy"]),
        (DRAW, "--n_row: a whole number from 1 to 100 is needed", ["--n_row", "0"]),
        (DRAW, "--seed: a whole number from 0 to 4294967295 is needed, got '-1'", ["--seed", "-1"]),
        (DRAW, "size 1024 was given", ["--size", "1024"]),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(capsys, name, words, argv):
    np.save("ffhq.npy", np.zeros([18, 512], np.float32))
    before = names(".")
    assert run(name, *argv) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and len(said.err.splitlines()) == 1 and words in said.err, said.err
    assert said.out == "" and names(".") == before


@pytest.mark.parametrize("name", TOOLS)
def test_a_folder_that_cannot_be_written(capsys, name):
    Path("a_file").write_text("")
    argv = ["--direction_path", "step.npy"] if name == EDIT else []
    assert TOOLS[name]([*argv, "--output_path", "a_file"]) == 2
    assert "a_file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, argv",
    [
        (MIX, ["--weights", "nan"]),
        (MIX, ["--weights", "1", "--crossover", "2"]),
        (EDIT, ["--direction_offset", "x"]),
        (GO, ["--fps", "inf"]),
    ],
)
def test_arguments_that_cannot_be_read_are_one_line_and_2(name, argv, capsys):
    assert TOOLS[name](argv) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "--help" in said and said.count("\n") == 1


def test_bad_input_is_refused_before_paddle_is_imported(tmp_path):
    calls = [
        ("styleganv2mixing", "--latent1"),
        ("styleganv2editing", "--direction_path"),
        ("interpolate", "--latent"),
        ("styleganv2", "--weight_path"),
    ]
    code = (
        "import runpy, sys\n"
        f"for name, flag in {calls!r}:\n"
        "    sys.argv = [name, flag, 'nowhere.npy']\n"
        f"    try: runpy.run_path({str(ROOT / 'tools')!r} + '/' + name + '.py', run_name='__main__')\n"
        "    except SystemExit as left: print(left.code, 'paddle' in sys.modules, 'cv2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines() == ["2 False False"] * 4
    assert done.stderr.splitlines() == ["error: there is no file nowhere.npy; check the path"] * 4
