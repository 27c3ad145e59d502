# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `ppstyleclip train-mapper`: its files, going on, processes, ways in which a run can end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts
from tool_main import TOOLS, load_tool
from torch_files import save_torch_zip

from ppstyleclip import files
from ppstyleclip.cli.mappers import mapper_data
from ppstyleclip.cli.mappers.training_folder import STATE, resume_training
from ppstyleclip.errors import UserError
from ppstyleclip.files import load_pixels, read_safetensors
from ppstyleclip.methods.mapper import Training
from ppstyleclip.models.mappers import build_mapper
from ppstyleclip.models.parameters import parameter_specs
from ppstyleclip.zoo import load_mapper

SMALL = [
    "--max_steps",
    "8",
    "--batch_size",
    "2",
    "--train_dataset_size",
    "12",
    "--test_dataset_size",
    "4",
    "--val_interval",
    "3",
    "--save_interval",
    "2",
    "--image_interval",
    "0",
]


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The cache of compiled programs, the same for all tests: compiling takes longer than all else."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def home(pack, programs, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(programs))


def bank(world, count, space="w_plus", seed=3):
    generator, layout = world[:2]
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        s = layout.flatten(generator.style_affine(w_plus))
    return (w_plus if space == "w_plus" else s).numpy()


def trained(*words, description=("happy face",)):
    return load_tool("train_mapper")(["--description", *description, *SMALL, *words])


def arrays_of(folder):
    return read_safetensors(Path(folder) / STATE)[0]


def assert_same(one, other):
    one, other = arrays_of(one), arrays_of(other)
    assert sorted(one) == sorted(other)
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


@pytest.mark.slow
def test_the_command(capsys):
    assert trained("--exp_dir", "out", "--image_interval", "4") == 0
    names = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())
    assert names == [
        "best_mapper.safetensors",
        "images_val/00000.png",
        "images_val/00004.png",
        "images_val/00008.png",
        "losses.csv",
        "losses.png",
        "mapper.safetensors",
        "opt.json",
        "state.safetensors",
    ]
    lines = Path("out/losses.csv").read_text().splitlines()
    assert lines[0] == "curve,step,clip,l2,loss" and len(lines) == 1 + 9 + 3
    mapper = load_mapper("out/mapper.safetensors")
    assert mapper.texts == ("happy face",) and len(mapper.made_for["generator"]) == 16
    assert np.abs(mapper.step(np.random.RandomState(0).randn(1, 6, 12))).max() > 0
    assert load_pixels("out/images_val/00008.png").shape[0] > 256
    assert "steps 0 to 8" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_with_several_texts():
    assert (
        trained(
            "--mapper_mode",
            "Mapper_multi",
            "--together",
            "2",
            "--test_dataset_size",
            "8",
            "--exp_dir",
            "out",
            description=("happy face", "sad face", "long hair"),
        )
        == 0
    )
    mapper = load_mapper("out/mapper.safetensors")
    assert mapper.embed == "table" and mapper.words.shape == (3, 12) and len(mapper.texts) == 3
    assert mapper.text_vector(["happy face", "long hair"]).shape == (1, 12)
    assert (
        trained(
            "--mapper_mode",
            "Mapper_cat",
            "--text_embed_mode",
            "clip_encoder",
            "--exp_dir",
            "clip",
            description=("happy face", "sad face"),
        )
        == 0
    )
    mapper = load_mapper("clip/mapper.safetensors")
    assert mapper.embed == "clip" and mapper.words.shape == (2, 16)


@pytest.mark.slow
def test_the_command_in_style_space_and_from_files(world):
    np.save("bank.npy", bank(world, 20))
    assert trained("--work_in_stylespace", "--latents_train_path", "bank.npy", "--exp_dir", "out") == 0
    assert load_mapper("out/mapper.safetensors").space == "s"
    np.save("other.npy", np.zeros([4, 6, 13], np.float32))
    assert trained("--latents_train_path", "other.npy", "--exp_dir", "out2") == 2


@pytest.mark.slow
def test_it_goes_on_where_it_was(capsys):
    assert trained("--exp_dir", "whole") == 0
    assert trained("--exp_dir", "parts", "--max_steps", "4") == 0
    assert trained("--exp_dir", "parts") == 0
    assert "steps 4 to 8" in capsys.readouterr().out
    whole, parts = arrays_of("whole"), arrays_of("parts")
    for name in whole:
        if not name.startswith("held_out"):  # the first part looked once more, at its end
            np.testing.assert_array_equal(parts[name], whole[name])
    assert trained("--exp_dir", "third", "--checkpoint_path", "parts/state.safetensors") == 0
    assert trained("--exp_dir", "parts", "--learning_rate", "0.1") == 2
    assert "is of another training: learning_rate 0.5, not 0.1" in capsys.readouterr().err
    assert trained("--exp_dir", "parts", "--learning_rate", "0.1", "--restart", "--max_steps", "1") == 0
    assert (
        trained(
            "--exp_dir",
            "fourth",
            "--checkpoint_path",
            "whole/mapper.safetensors",
            "--max_steps",
            "1",
            "--learning_rate",
            "0",
        )
        == 0
    )
    for name, value in load_mapper("whole/mapper.safetensors").network.state_dict().items():
        np.testing.assert_array_equal(arrays_of("fourth")[f"mapper/{name}"], value.numpy())


def started(pack, *words, launch=()):
    """The tool as a process of its own, in the tiny world."""
    driver = Path("driver.py")
    driver.write_text(
        f"import sys\nsys.path.insert(0, {str(TOOLS.parent / 'tests')!r})\n"
        "from tool_main import load_tool\n"
        "raise SystemExit(load_tool('train_mapper')(sys.argv[1:]))\n"
    )
    arguments = ["--bundle", str(pack), "--preset", "portrait", "--description", "happy face", *SMALL, *words]
    environment = {**os.environ, "PYTHONPATH": str(TOOLS.parent), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *launch, str(driver), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process):
    """Wait for a process that ends well."""
    said = process.communicate()[0]
    assert process.returncode == 0, said[-3000:]


@pytest.mark.slow
def test_a_sigkill_changes_no_bit(pack):
    words = ["--max_steps", "40", "--save_interval", "3"]
    process = started(pack, *words, "--exp_dir", "killed")
    until = time.monotonic() + 550
    while not Path("killed", STATE).exists() and time.monotonic() < until:
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    reached = int(arrays_of("killed")["step"][0])
    assert 3 <= reached < 40
    for folder in ("killed", "whole"):
        finished(started(pack, *words, "--exp_dir", folder))
    assert_same("killed", "whole")
    assert not list(Path("killed").glob(".*.tmp"))


@pytest.mark.slow
def test_two_processes_equal_one(pack):
    launch = ["-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", "log"]
    words = ["--max_steps", "6", "--batch_size", "5"]
    finished(started(pack, *words, "--exp_dir", "two", launch=launch))
    finished(started(pack, *words, "--exp_dir", "one"))
    one, two = arrays_of("one"), arrays_of("two")
    for name in one:
        scale = np.abs(one[name]).max()
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-5 * scale + 1e-7, err_msg=name)
    assert "wrote two" in Path("log/workerlog.0").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--learning_rate", "1e6"], "use a smaller learning rate; what was saved before is kept"),
        (["--learning_rate", "1e5", "--clip_lambda", "1000"], "steps have grown to many times the latents"),
        (["--mapper_mode", "Mapper_sum", "--data_mode", "hair"], "say what the mapper is for"),
        (["--text_embed_mode", "nn.embedding"], "Mapper and text vectors 'table' do not fit"),
        (["--preset", "best"], "unknown preset 'best', known: conditioned, official"),
        (["--id_lambda", "0.1"], "--id_lambda needs an identity network, and 'tiny' has no"),
        (["--mixed"], "mixed precision needs a GPU"),
        (["--latents_train_path", "no.npy"], "no.npy"),
        (["--batch_size", "0"], "--batch_size: a whole number from 1 to 256 is needed, got '0'"),
        (["--train_dataset_size", "0"], "--train_dataset_size: a whole number from 1"),
        (["--test_dataset_size", "-1"], "--test_dataset_size: a whole number from 0"),
        (["--image_interval", "-1"], "--image_interval: a whole number from 0"),
        (["--train_seed", "-1"], "--train_seed: a whole number from 0 to 4294967295"),
        (["--truncation", "-1"], "--truncation: a finite number from 0 to 1 is needed, got '-1'"),
        (["--together", "0"], "--together: a whole number from 1"),
        (["--checkpoint_path", "no.safetensors"], "no.safetensors"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    assert trained("--exp_dir", "out", *arguments) == 2
    line = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error")]
    assert len(line) == 1 and words in line[0]


@pytest.mark.slow
def test_a_rate_that_explodes_leaves_the_last_good_state():
    assert trained("--exp_dir", "out", "--max_steps", "4") == 0
    before = Path("out", STATE).read_bytes()
    state, metadata = read_safetensors(Path("out", STATE))
    state["mapper/course_mapping.mapping.1.weight"][:] = np.nan
    files.write_safetensors(Path("bad.safetensors"), state, metadata)
    assert trained("--exp_dir", "other", "--checkpoint_path", "bad.safetensors") == 2
    assert not Path("other", STATE).exists()
    assert trained("--exp_dir", "blown", "--learning_rate", "1e6", "--save_interval", "1") == 2
    if Path("blown", STATE).exists():
        assert all(np.isfinite(value).all() for value in arrays_of("blown").values())
    assert Path("out", STATE).read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["--data_mode", "color"],
        ["--data_mode", "color", "--mapper_mode", "Mapper"],
        ["--data_mode", "Disney", "--preset", "official"],
        ["--description", "happy face", "sad face"],
        ["--description", "happy face", "sad face", "--together", "2"],
    ],
)
def test_one_mapper_for_texts_that_it_is_not_told_is_refused(capsys, words):
    assert load_tool("train_mapper")([*SMALL, "--exp_dir", "out", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    if "Disney" in words:  # the list that only CLIP's features have
        assert "unknown texts 'Disney'" in line
    else:
        assert "texts must be told which; use --mapper_mode Mapper_sum" in line
    assert not Path("out").exists()


def test_several_texts_at_once_are_of_description_only(capsys):
    words = ["--data_mode", "color", "--mapper_mode", "Mapper_sum", "--together", "2"]
    assert load_tool("train_mapper")([*SMALL, "--exp_dir", "out", *words]) == 2
    assert "--together is for the texts of --description" in capsys.readouterr().err


def test_a_rate_beyond_all_numbers_is_refused_at_once(capsys):
    assert trained("--exp_dir", "out", "--learning_rate", "1e30") == 2
    assert "--learning_rate: a finite number from 0 to 1e+06 is needed" in capsys.readouterr().err


def official_mapper(path, network):
    """A mapper as StyleCLIP's code saves one, torch's layout, with the weights of a network of ours."""
    specs = parameter_specs(network)
    state = {
        f"mapper.{spec.torch_key}": value.numpy().T if spec.is_linear else value.numpy()
        for (_, spec), value in zip(specs.items(), network.state_dict().values())
    }
    save_torch_zip(path, {"state_dict": state, "opts": {"description": "happy face"}})


def test_training_begins_with_a_mapper_of_any_form(monkeypatch, world):
    """`--checkpoint_path` of an official `.pt`, and of the same converted to `.pdparams`."""
    wide = build_mapper({"mapper_type": "SingleMapper", "style_dim": 512})
    official_mapper(Path("official.pt"), wide)
    assert load_tool("convert_weights")(["official.pt", "official.pdparams"]) == 0
    wanted = {key: value.numpy() for key, value in wide.state_dict().items()}
    for name in ("official.pt", "official.pdparams"):
        taken = []
        task = SimpleNamespace(load_weights=taken.append, made_for={"generator": "1" * 16})
        assert resume_training(task, "out", checkpoint=name) == 0.0
        for key, value in taken[0].network.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), wanted[key])


def test_a_checkpoint_that_is_no_mapper_is_one_line(capsys):
    save_torch_zip(Path("other.pt"), {"mean": np.zeros(3, np.float32), "std": np.ones(3, np.float32)})
    assert trained("--exp_dir", "out", "--checkpoint_path", "other.pt") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "other.pt: a mapper is needed; this is: statistics" in line


@pytest.mark.slow
@pytest.mark.filterwarnings("default:the CLIP of")
def test_words_that_the_clip_never_saw_are_named(capsys):
    command = load_tool("train_mapper")
    assert command(["--description", "zorblax face", *SMALL, "--max_steps", "1", "--exp_dir", "out"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(lines) == 1 and "never saw 'zorblax'; what" in lines[0]


def test_an_unwritable_folder_is_one_line(capsys):
    Path("file").write_text("in the way")
    assert trained("--exp_dir", "file/out") == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_good_state(monkeypatch, capsys):
    assert trained("--exp_dir", "out", "--max_steps", "2") == 0
    before, replace = Path("out", STATE).read_bytes(), os.replace

    def refuse(draft, path):
        if Path(path).name == STATE:
            raise OSError(28, "No space left on device")
        replace(draft, path)

    monkeypatch.setattr(files.os, "replace", refuse)
    assert trained("--exp_dir", "out") == 2
    assert "No space left" in capsys.readouterr().err and Path("out", STATE).read_bytes() == before
    monkeypatch.setattr(files.os, "replace", replace)
    assert trained("--exp_dir", "out") == 0 and int(arrays_of("out")["step"][0]) == 8


@pytest.mark.slow
def test_ctrl_c_leaves_the_last_state(monkeypatch, capsys):
    assert trained("--exp_dir", "whole") == 0
    step = Training.log

    def interrupt(self, curve, terms):
        if self.step == 5:
            raise KeyboardInterrupt
        step(self, curve, terms)

    monkeypatch.setattr(Training, "log", interrupt)
    assert trained("--exp_dir", "out") == 130
    assert "interrupted" in capsys.readouterr().err and int(arrays_of("out")["step"][0]) == 4
    monkeypatch.setattr(Training, "log", step)
    assert trained("--exp_dir", "out") == 0
    assert_same("whole", "out")


def test_a_board_gets_every_value(monkeypatch):
    got = []

    class LogWriter:
        def __init__(self, logdir):
            got.append(logdir)

        def add_scalar(self, tag, value, step):
            got.append((tag, step))

        def close(self):
            got.append("closed")

    monkeypatch.setitem(sys.modules, "visualdl", type(sys)("visualdl"))
    sys.modules["visualdl"].LogWriter = LogWriter
    assert trained("--exp_dir", "out", "--board", "visualdl", "--board_interval", "4") == 0
    assert got[0] == "out/logs" and got[-1] == "closed"
    assert {("train/loss", 4), ("held_out/loss", 6), ("train/clip", 8)} < set(got[1:-1])


def test_photos_without_an_encoder(world, tmp_path):
    class Bare:
        bundle = type("Bundle", (), {"encoder": None, "name": "tiny"})

    with pytest.raises(UserError, match="'tiny' has no encoder"):
        mapper_data.photo_latents(Bare, tmp_path)
