# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""tools/styleganv2clip.py: what it writes and prints, and one clear line for each kind of bad input."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_generator, tiny_parts
from tool_main import load_tool

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.editing.styleganv2clip import parse_args
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.methods.global_directions import UNITS
from ppstyleclip.zoo import registry

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "styleganv2clip.py"
PACK = registry.PACK
HAPPY = ["--neutral", "face", "--target", "happy face"]
main = load_tool("styleganv2clip")


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def read(path):
    return cv2.imread(str(path))[:, :, ::-1].astype(int)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


THREE = ["dst.editing.pd", "dst.editing.png", "src.editing.png"]


# ---- what it does


def test_the_shortest_command(capsys):
    assert main(["--target", "happy face"]) == 0
    assert names("output_dir") == THREE
    said = capsys.readouterr()
    assert said.err == ""
    assert f"face -> happy face, on sampled face {DEFAULT_SEED} of tiny: strength 3 (style units)" in said.out
    assert "of 28 style channels moved at threshold 0.1" in said.out
    for name in THREE:
        assert f"wrote {Path('output_dir') / name}" in said.out


def test_several_offsets_make_a_strip_and_the_last_one_is_dst(capsys):
    assert main([*HAPPY, "--direction_offset", "-1", "0", "2.5", "--output_path", "a"]) == 0
    assert "strength -1, 0, 2.5 (style units)" in capsys.readouterr().out
    assert names("a") == [*THREE, "strip.png"]
    assert main([*HAPPY, "--direction_offset", "2.5", "--output_path", "b"]) == 0
    assert names("b") == THREE
    np.testing.assert_array_equal(read("a/dst.editing.png"), read("b/dst.editing.png"))
    strip = read("a/strip.png")
    assert strip.shape[1] == 3 * 128 + 4 * 2  # pictures of 16 px are enlarged to be looked at
    for column, name in ((1, "src"), (2, "dst")):  # offset 0 and the last one
        picture = read(f"a/{name}.editing.png").astype(np.uint8)
        picture = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_CUBIC)
        left = 2 + column * 130
        np.testing.assert_array_equal(strip[-130:-2, left : left + 128], picture)


@pytest.mark.parametrize("unit", UNITS)
def test_every_alpha_unit_can_be_named(unit):
    assert parse_args(["--target", "x", "--alpha_unit", unit]).alpha_unit == unit


def test_a_second_run_gives_the_same_files():
    for folder in ("a", "b"):
        assert main([*HAPPY, "--seed", "3", "--output_path", folder]) == 0
    for name in THREE[1:]:
        assert (Path("a") / name).read_bytes() == (Path("b") / name).read_bytes()
    first, second = (paddle.load(f"{folder}/dst.editing.pd") for folder in "ab")
    assert len(first) == len(second) == 8
    assert all((x.numpy() == y.numpy()).all() for x, y in zip(first, second))


def test_every_argument_of_the_seed_document(pack, capsys):
    """The tutorial's command, with every name it has; here on files of a 16 px generator."""
    generator, _, stats, _, _ = tiny_parts()
    paddle.save(generator.state_dict(), "weights.pdparams")
    np.save("dst.npy", generator.get_latents(paddle.ones([1, 12]))[0].numpy())
    assert (
        main(
            [
                "--latent",
                "dst.npy",
                "--output_path",
                "out",
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
                "--direction_path",
                str(pack / "relevance.safetensors"),
                "--stat_path",
                str(pack / "statistics.safetensors"),
                *HAPPY,
                "--beta_threshold",
                "0.12",
                "--direction_offset",
                "5",
                "--cpu",
            ]
        )
        == 0
    )
    assert names("out") == THREE
    assert "on dst.npy of weights: strength 5" in capsys.readouterr().out


@pytest.mark.parametrize(
    "option, value",
    [
        ("--alpha_unit", "sigma"),
        ("--templates", "official"),
        ("--soft_threshold", "0.5"),
        ("--beta_threshold", "0.01"),
        ("--seed", "8"),
    ],
)
def test_each_knob_turns_something(option, value):
    main([*HAPPY, "--output_path", "plain"])
    assert main([*HAPPY, option, value, "--output_path", "turned"]) == 0
    assert (read("plain/dst.editing.png") != read("turned/dst.editing.png")).any()


def test_a_bank_of_latents_and_its_index(pack):
    bank = str(pack / "latents.safetensors")
    for index in ("0", "1"):
        assert main([*HAPPY, "--latent", bank, "--index", index, "--output_path", index]) == 0
    assert (read("0/src.editing.png") != read("1/src.editing.png")).any()


@pytest.mark.filterwarnings("default:the CLIP of")
def test_words_that_clip_never_saw_are_one_warning_and_no_error(capsys):
    assert main(["--target", "zorp face with a moustache"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: ") and "'zorp', 'moustache'" in lines[0]


# ---- what it refuses


def bad_files(pack):
    """Files that are wrong in one way each."""
    Path("empty.npy").write_bytes(b"")
    Path("text.pdparams").write_text("hello")
    Path("a_file").write_text("")
    np.save("ffhq.npy", np.zeros([18, 512], np.float32))
    np.save("flat.npy", np.zeros([512], np.float32))
    np.save("nan.npy", np.full([6, 12], np.nan, np.float32))
    weights = (pack / "generator.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(weights[: len(weights) // 2])
    paddle.save({"weight": paddle.ones([2, 2])}, "other.pdparams")
    paddle.save(tiny_generator(9).state_dict(), "another.pdparams")
    latents, metadata = read_safetensors(pack / "latents.safetensors")
    write_safetensors("foreign.safetensors", latents, {**metadata, "generator": "0" * 16})


@pytest.mark.parametrize(
    "words, argv",
    [
        ("unknown model type 'cats'; known: portrait, portrait-sg3, ffhq-config-f", ["--model_type", "cats"]),
        ("stylegan2-ffhq-config-f.pdparams is not on this machine", ["--model_type", "ffhq-config-f"]),
        ("there is no file nowhere.npy", ["--latent", "nowhere.npy"]),
        ("empty.npy", ["--latent", "empty.npy"]),
        ("text.pdparams", ["--latent", "text.pdparams"]),
        ("shape [1, 18, 512], but 'tiny' (16 px) takes [N, 6, 12]", ["--latent", "ffhq.npy"]),
        ("shape [1, 1, 512], but 'tiny' (16 px) takes", ["--latent", "flat.npy"]),
        ("not finite", ["--latent", "nan.npy"]),
        ("holds latents of generator 0000000000000000, but 'tiny'", ["--latent", "foreign.safetensors"]),
        ("no latent 5: it holds 2", ["--latent", "BANK", "--index", "5"]),
        ("give one of these", ["--latent", "ffhq.npy", "--seed", "1"]),
        ("--seed: a whole number from 0 to", ["--seed", "-1"]),
        (
            "no style channel passes beta 3 for this pair of texts: the largest usable beta is 0.",
            ["--beta_threshold", "3"],
        ),
        ("from 0 to 1e+06 is needed", ["--beta_threshold", "-1"]),
        ("from 0 to 1 is needed", ["--soft_threshold", "2"]),
        ("a text is needed", ["--target", " "]),
        ("a text is needed", ["--neutral", ""]),
        ("say the same", ["--target", "face"]),
        ("at most 75", ["--target", "happy " * 80]),
        ("there is no file nowhere.pdparams", ["--weight_path", "nowhere.pdparams"]),
        ("text.pdparams", ["--weight_path", "text.pdparams"]),
        ("cut.safetensors", ["--weight_path", "cut.safetensors"]),
        ("a generator is needed; what this is was not recognised", ["--weight_path", "other.pdparams"]),
        ("another", ["--weight_path", "another.pdparams", "--model_type", "portrait"]),
        ("other.pdparams", ["--stat_path", "other.pdparams"]),
        ("other.pdparams", ["--direction_path", "other.pdparams"]),
        ("size 1024 was given", ["--size", "1024"]),
        ("style_dim 512 was given", ["--style_dim", "512"]),
        ("n_mlp 8 was given", ["--n_mlp", "8"]),
        ("channel_multiplier 2 was given", ["--channel_multiplier", "2"]),
        ("a_file", ["--output_path", "a_file"]),
        ("a_file", ["--output_path", "a_file/below"]),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(pack, capsys, words, argv):
    bad_files(pack)
    before = names(".")
    argv = [str(pack / "latents.safetensors") if word == "BANK" else word for word in argv]
    assert main([*HAPPY, *argv]) == 2
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1 and lines[0].startswith("error: ") and words in lines[0], said.err
    assert said.out == "" and names(".") == before


@pytest.mark.skipif(os.name != "posix", reason="permissions are others there")
def test_a_folder_that_may_not_be_written_is_refused(capsys):
    Path("locked").mkdir(mode=0o500)
    folder = "/proc/out" if os.geteuid() == 0 else "locked/out"  # root may write into locked folders
    assert main([*HAPPY, "--output_path", folder]) == 2
    assert f"error: cannot write {folder}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--target"],
        [*HAPPY, "--size", "big"],
        [*HAPPY, "--direction_offset"],
        [*HAPPY, "--direction_offset", "nan"],
        [*HAPPY, "--alpha_unit", "metres"],
        [*HAPPY, "--colour", "red"],
    ],
)
def test_arguments_that_cannot_be_read_are_one_line_and_2(argv, capsys):
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "--help" in said and said.count("\n") == 1


# ---- as a command


def command(argv, cwd, **environment):
    own = {"PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.run(
        [sys.executable, "-u", *argv],
        cwd=cwd,
        env={**kept, **own},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_bad_input_is_refused_before_paddle_is_imported(tmp_path):
    code = (
        "import runpy, sys; sys.argv = ['tool', '--target', 'x', '--latent', 'nowhere.npy']\n"
        f"try: runpy.run_path({str(TOOL)!r}, run_name='__main__')\n"
        "except SystemExit as left: print(left.code, [m for m in ('paddle', 'cv2') if m in sys.modules])"
    )
    done = command(["-c", code], tmp_path)
    assert done.stdout.strip() == "2 []"
    assert done.stderr == "error: there is no file nowhere.npy; check the path\n"


@pytest.mark.slow
@pytest.mark.skipif(not (PACK / "generator.safetensors").exists(), reason="the embedded pack is not there")
def test_from_applications_as_the_tutorial_prints_it(tmp_path):
    argv = [
        "tools/styleganv2clip.py",
        *HAPPY,
        "--direction_offset",
        "-1",
        "0",
        "1",
        "2",
        "--output_path",
        str(tmp_path / "out"),
    ]
    done = command(argv, ROOT / "applications")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing of Paddle's about threads or ccache
    assert names(tmp_path / "out") == [*THREE, "strip.png"]
