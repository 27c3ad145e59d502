# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The doctor says what is there and what is missing, whatever is missing, and fetches nothing by itself."""

import json
import os
import subprocess
import sys
import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own
from pathlib import Path

import numpy as np
import pytest
from edges import slow
from torch_files import save_torch_zip

from ppstyleclip import environment
from ppstyleclip.cli.main import run_command
from ppstyleclip.environment import Check, list_files
from ppstyleclip.formats import load_bank
from ppstyleclip.zoo import registry
from ppstyleclip.zoo.downloads import checksums

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ["Python", "Paddle", "CLIP", "OpenCV", "NumPy", "safetensors", "PyYAML", "tqdm", "embedded face"]

# What a doctor's process begins with: modules that are not installed, and no network.
WITHOUT = """
import socket, sys

class Absent:
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

def refuse(*args):
    raise AssertionError("the doctor went to the network")

def doctor(absent, arguments):
    sys.meta_path.insert(0, Absent(absent))
    socket.socket.connect = socket.getaddrinfo = refuse
    from ppstyleclip.cli.main import run_command
    return run_command("doctor", arguments)
"""
ALONE = WITHOUT + "raise SystemExit(doctor(sys.argv[1].split(','), sys.argv[2:]))"
# Imports what nearly all doctors look at, then forks one for each line of its input. In that one no module
# has been imported that is absent, or that a stand-in takes the place of.
FORKING = (
    WITHOUT
    + """
import contextlib, json, os, traceback

for name in ("cv2", "dlib", "numpy", "pytest", "safetensors", "tqdm", "yaml"):
    with contextlib.suppress(ImportError):
        __import__(name)

def run(absent, arguments, stand_ins, folder, environment):
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    replaced = [path.partition(".")[0] for path in os.listdir(stand_ins)] if stand_ins else []
    for name in list(sys.modules):
        if name.partition(".")[0] in [*absent, *replaced]:
            del sys.modules[name]
    sys.path.insert(0, stand_ins or folder)
    return doctor(absent, arguments)

for line in sys.stdin:
    number, code = os.fork(), 70
    if number == 0:
        try:
            code = run(*json.loads(line))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(os.waitpid(number, 0)[1] >> 8, flush=True)
"""
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "cache"))
    for name in ("PPSTYLECLIP_OFFLINE", "PPSTYLECLIP_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def forking():
    """The process that forks doctors; None where there is no fork."""
    if not hasattr(os, "fork"):
        yield None
        return
    command, pipe = [sys.executable, "-c", FORKING], subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def doctor_without(forking):
    """A function that runs the doctor in a process of its own, forked or alone.

    Its `first` is a folder of stand-ins for modules.
    """

    def run(*modules, arguments=("--json",), first="", alone=False):
        if alone or forking is None:
            path = os.pathsep.join(filter(None, [str(first), str(ROOT)]))
            return subprocess.run(
                [sys.executable, "-c", ALONE, ",".join(modules), *arguments],
                capture_output=True,
                text=True,
                timeout=120,
                env={**os.environ, "PYTHONPATH": path},
            )
        print(json.dumps([modules, arguments, str(first), os.getcwd(), dict(os.environ)]), file=forking.stdin)
        forking.stdin.flush()
        code = int(forking.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, code, Path("stdout").read_text(), Path("stderr").read_text()
        )

    return run


@pytest.fixture
def report_without(doctor_without):
    """A function that gives the doctor's report, and its findings by their parts."""

    def run(*modules, **options):
        done = doctor_without(*modules, **options)
        assert "Traceback" not in done.stderr, done.stderr
        report = json.loads(done.stdout)
        assert done.returncode == (0 if report["can_edit"] else 1)
        return report, {finding["part"]: finding for finding in report["findings"]}

    return run


# ---- everything is there


@pytest.mark.slow
def test_all_is_well(cache, report_without):
    report, findings = report_without()
    assert report["can_edit"] and "was edited" in findings["editing"]["says"]
    assert [part for part, finding in findings.items() if finding["needed"]] == [*NEEDED, "editing"]
    assert "with oneDNN" in findings["Paddle"]["says"] and "OMP_NUM_THREADS" in findings["Paddle"]["says"]
    assert findings["CLIP"]["says"].startswith("paddleclip 1.0.0") and str(cache) in findings["cache"]["says"]
    assert {file["name"]: file["state"] for file in report["files"]} == dict.fromkeys(
        registry.read_registry()["files"], "absent"
    )
    assert not cache.exists()  # looking leaves nothing behind


def test_in_words(monkeypatch, capsys):
    monkeypatch.setattr(environment, "_edit", lambda seed: "edited")
    assert run_command("doctor", []) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "ready: the embedded face can be edited"
    assert "  absent   model_ir_se50.pth, 175 MB, licence ir-se50" in lines
    assert "  ir-se50: MIT (its repository); trained on MS1M, data for research only" in lines
    assert "published files for the model ffhq-config-f" in lines
    assert any("resnet18_110.pth: by hand from https://" in line for line in lines)
    assert all(len(line) < 200 for line in lines)


# ---- something is missing


def test_with_nothing_but_the_standard_library(report_without):
    modules = ("paddle", "clip", "cv2", "numpy", "yaml", "safetensors", "tqdm", "dlib", "pytest")
    report, findings = report_without(*modules, alone=True)
    assert not report["can_edit"] and report["files"] == [] and "editing" not in findings
    missing = [part for part, finding in findings.items() if finding["state"] == "missing"]
    assert set(missing) >= set(NEEDED) - {"Python"} | {"dlib (faces in photographs)", "published files"}
    assert all("\n" not in finding["says"] for finding in findings.values())
    cures = {part: findings[part]["cure"] for part in missing}
    assert cures["Paddle"].startswith("pip install paddlepaddle") and cures["PyYAML"] == "pip install pyyaml"
    assert cures["NumPy"] == "pip install numpy"
    assert cures["dlib (faces in photographs)"] == "pip install dlib-bin"


@pytest.mark.parametrize(
    "module, part, cure",
    [
        ("clip", "CLIP", "pip install paddleclip"),
        slow(("cv2", "OpenCV", "pip install opencv-python-headless")),
        ("yaml", "PyYAML", "pip install pyyaml"),
        slow(("safetensors", "safetensors", "pip install safetensors")),
    ],
)
def test_one_thing_and_paddle_are_missing(report_without, module, part, cure):
    report, findings = report_without("paddle", module)
    assert not report["can_edit"] and findings[part]["state"] == "missing" and cure in findings[part]["cure"]
    assert bool(report["files"]) == (module != "yaml")
    if module != "clip":  # which clip it is can be told without Paddle
        assert findings["CLIP"]["says"].startswith("paddleclip 1.0.0")


@pytest.mark.slow
def test_what_paddleclip_needs_is_missing(report_without):
    report, findings = report_without("ftfy")
    assert not report["can_edit"] and findings["CLIP"]["cure"] == "pip install ftfy"
    assert findings["Paddle"]["state"] == "ok" and "editing" not in findings


def test_in_words_what_is_missing(doctor_without):
    done = doctor_without("paddle", "cv2", arguments=())
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "not ready: Paddle, OpenCV"
    assert "         -> pip uninstall -y opencv-python && pip install opencv-python-headless\n" in done.stdout


def test_two_builds_of_paddle_are_named(tmp_path, report_without):
    for name, version in (("paddlepaddle", "3.3.1"), ("paddlepaddle_gpu", "2.6.2")):
        folder = tmp_path / "first" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    _, findings = report_without("paddle", first=tmp_path / "first")
    clash = findings["Paddle, two builds"]
    assert clash["says"].startswith("paddlepaddle 3.3.1 and paddlepaddle-gpu 2.6.2 are both installed")
    assert clash["cure"].startswith("pip uninstall -y paddlepaddle paddlepaddle-gpu, then install one")


def test_openais_clip_is_told_from_paddleclip(tmp_path, report_without):
    (tmp_path / "first" / "clip").mkdir(parents=True)
    (tmp_path / "first" / "clip" / "__init__.py").write_text("from .clip import *\n")
    _, findings = report_without("paddle", first=tmp_path / "first")
    assert "not paddleclip's (OpenAI's clip" in findings["CLIP"]["says"]
    assert findings["CLIP"]["cure"].startswith("pip uninstall -y clip openai-clip")


@pytest.mark.parametrize(
    "module, part, text, cure",
    [
        ("cv2", "OpenCV", "libGL.so.1: cannot open shared object file", "opencv-python-headless"),
        ("paddle", "Paddle", "libgomp.so.1: cannot open shared object file", "sudo apt install libgomp1"),
    ],
)
def test_a_system_library_is_missing(tmp_path, report_without, module, part, text, cure):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / f"{module}.py").write_text(f"raise ImportError({text!r})\n")
    _, findings = report_without("paddle" if module != "paddle" else "cv2", first=tmp_path / "first")
    assert text in findings[part]["says"] and cure in findings[part]["cure"]


def test_no_embedded_face(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "PACK", tmp_path / "nowhere")
    check = environment._look("embedded face", environment._pack, needed=True)
    assert check.state == "missing" and str(tmp_path / "nowhere") in check.description


def test_the_edit_is_tried(monkeypatch, capsys):
    def broken(seed):
        raise RuntimeError("no\nsuch operator")

    monkeypatch.setattr(environment, "_edit", broken)
    assert run_command("doctor", []) == 1
    said = capsys.readouterr().out
    assert "missing  editing: RuntimeError: no such operator\n" in said
    assert said.endswith("\nnot ready: editing\n")


def test_a_cache_that_cannot_be_written(cache):
    cache.write_text("in the way")
    found = {check.part: check for check in environment._settings()}
    assert found["cache"].state == "note" and "cannot write" in found["cache"].description


def test_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    assert Check("PPSTYLECLIP_OFFLINE", "note", "1") in environment._settings()


# ---- files


def state_of(name):
    files, failure = list_files()
    assert failure == []
    return next(file for file in files if file["name"] == name)


def test_states_of_a_file(cache, tmp_path):
    name = "stylegan2-ffhq-config-f.pdparams"
    absent = state_of(name)
    assert absent["state"] == "absent" and absent["fix"] == f"ppstyleclip doctor --fetch {name}"
    assert absent["licence_text"].startswith("derived from NVIDIA's")
    assert absent["for"] == "the model ffhq-config-f"
    theirs = tmp_path / "home" / ".cache" / "ppgan" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"weights")
    found = state_of(name)
    assert (found["state"], found["path"], found["pinned"]) == ("present", str(theirs), False)
    cache.mkdir()
    theirs.rename(cache / name)
    checksums.remember(cache / name, checksums.compute_sha256(cache / name), pinned_as=name)
    found = state_of(name)
    assert found["pinned"] and found["verified"] and len(found["sha256"]) == 64
    (cache / name).write_bytes(b"other weights")
    assert not state_of(name)["verified"]


def test_a_damaged_lock_file_is_said(cache):
    cache.mkdir()
    (cache / "zoo.lock.json").write_text("?")
    files, failure = list_files()
    assert files == [] and "zoo.lock.json is damaged" in failure[0].description


def test_fetching_what_is_absent(cache, tmp_path, monkeypatch, capsys):
    (tmp_path / "mirror").mkdir()
    save_torch_zip(tmp_path / "mirror" / "example_celebs.pt", np.zeros((6, 18, 512), np.float32))
    monkeypatch.setenv("PPSTYLECLIP_MIRROR", (tmp_path / "mirror").as_uri())
    assert run_command("doctor", ["--fetch", "example_celebs.pt"]) == 0
    said = capsys.readouterr()
    assert load_bank(Path(said.out.strip())).shape == (6, 18, 512) and "licence: MIT" in said.err
    assert run_command("doctor", ["--fetch", "nothing.pt"]) == 2
    assert "no published file is called 'nothing.pt'" in capsys.readouterr().err


def test_sizes():
    assert [environment.format_size(count) for count in (7, 75_810, 1_200_000_000)] == [
        "7 bytes",
        "75.8 kB",
        "1.2 GB",
    ]
