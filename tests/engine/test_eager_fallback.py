# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What cannot be compiled runs in eager mode, without anything of the exporter, whatever the cause."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import paddle
import pytest
from engine_world import BOUND, Step, draw_styles, eager, relative
from tiny_world import tiny_clip

from ppstyleclip import engine
from ppstyleclip.engine import cache_folder, compiled_layer, exporter, predictor, program_cache

ROOT = Path(__file__).resolve().parents[2]


def refuse(*args, **kwargs):
    raise RuntimeError("no such operator\nin a long story")


def fill_the_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def fill_the_disk_silently(*args, **kwargs):
    """Paddle's own writer says nothing where a disk is full."""
    save_program(*args, **kwargs)
    weights = Path(args[1] + ".pdiparams")
    weights.write_bytes(weights.read_bytes()[:-4])


class CannotRun:
    """A predictor that is created, but fails at its first run."""

    def __init__(self, config):
        self.predictor = create_predictor(config)

    def __getattr__(self, name):
        return getattr(self.predictor, name)

    def run(self):
        refuse()


create_predictor, save_program = predictor.inference.create_predictor, paddle.jit.save
CAUSES = {
    "tracing": (paddle.static, "InputSpec", refuse),
    "saving": (paddle.jit, "save", refuse),
    "a full disk": (paddle.jit, "save", fill_the_disk),
    "a disk that fills silently": (paddle.jit, "save", fill_the_disk_silently),
    "a disk too full for the draft": (program_cache, "new_folder", fill_the_disk),
    "a disk too full for the manifest": (program_cache, "write_manifest", fill_the_disk),
    "changing the graph": (exporter, "prepare_program", refuse),
    "loading": (predictor.inference, "create_predictor", refuse),
    "running": (predictor.inference, "create_predictor", CannotRun),
}


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES)
def test_what_cannot_be_compiled_runs_eager_and_says_so_once(generator, tmp_path, monkeypatch, cause):
    monkeypatch.setattr(*CAUSES[cause])
    styles = draw_styles(generator, 2)
    draw = engine.compile_synthesis(generator, folder=tmp_path)
    words = "no such operator in a long story"
    if "disk" in cause:
        words = "(No space left|disk may be full).*; make room, or set HOME and PPSTYLECLIP_HOME"
    with pytest.warns(UserWarning, match=f"eager mode: .*{words}") as said:
        picture = draw(styles)
    assert len(said) == 1
    monkeypatch.setattr(paddle.jit, "to_static", lambda *args, **kwargs: 1 / 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(draw(styles), picture)
    assert relative(picture, eager(generator, styles)) < BOUND / 10
    assert cause == "running" or list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("works", [True, False])
def test_layers_are_as_before_after_an_export(tmp_path, monkeypatch, works):
    clip = tiny_clip()
    if not works:
        monkeypatch.setattr(paddle.jit, "save", refuse)
    encode = engine.compile_image_encoder(clip, 16, folder=tmp_path)
    images = np.random.RandomState(1).uniform(-1, 1, [2, 3, 16, 16]).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if not works else "error")
        features = encode(images)
    assert not any("forward" in vars(part) for part in clip.sublayers(include_self=True))
    with paddle.no_grad():
        assert relative(features, clip.encode_image(paddle.to_tensor(images)).numpy()) < BOUND / 10


class Untraceable(paddle.nn.Layer):
    """Eager mode runs it; no program can hold it."""

    def forward(self, tensors):
        return [tensors["x"] * float(np.abs(tensors["x"].numpy()).max())]


def test_a_layer_that_no_program_can_hold_is_eager(tmp_path):
    layer, x = Untraceable(), np.array([[1.0, -3.0]], np.float32)
    double = engine.Compiled(layer, {"x": [-1, 2]}, ["untraceable"], folder=tmp_path)
    with pytest.warns(UserWarning, match="eager mode"):
        np.testing.assert_array_equal(double({"x": x})[0], x * 3)
    assert "forward" not in vars(layer)
    assert paddle.in_dynamic_mode() and engine.run(paddle.in_dynamic_mode)


@pytest.mark.slow
def test_a_gradient_that_cannot_be_exported_is_eager(generator, tmp_path, monkeypatch):
    step, clip = Step(generator, tiny_clip()), tiny_clip()
    wrt = [name for name in step.shapes() if name != "text"]
    arrays = dict(zip(wrt, draw_styles(generator, 1)))
    arrays["text"] = np.ones([1, clip.dim], np.float32)
    compiled_way = engine.compile_gradient(step, step.shapes(), wrt, folder=tmp_path)(arrays)
    monkeypatch.setattr(compiled_layer, "export", lambda *a, **k: 1 / 0)
    with pytest.warns(UserWarning, match="eager mode"):
        eager_way = engine.compile_gradient(step, step.shapes(), wrt, ["other"], folder=tmp_path)(arrays)
    for name in wrt:
        assert np.allclose(compiled_way[1][name], eager_way[1][name], rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_where_no_folder_at_all_can_be_written_it_is_eager(generator, tmp_path, monkeypatch):
    """As in a container of which nothing can be written."""

    def no_folder():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(cache_folder.tempfile, "gettempdir", no_folder)
    cache_folder._private_folder.cache_clear()
    cache_folder._warn_once.cache_clear()
    styles = draw_styles(generator, 1)
    with pytest.warns(UserWarning, match="PPSTYLECLIP_HOME") as said:
        picture = engine.compile_synthesis(generator, folder=tmp_path / "file")(styles)
    assert ["not compiled" in str(line.message) for line in said] == [False, True]
    assert relative(picture, eager(generator, styles)) < BOUND / 10


class Doubling(paddle.nn.Layer):
    """It has no parameters, so Paddle writes no file of them."""

    def forward(self, tensors):
        return [tensors["x"] * 2]


@pytest.mark.slow
def test_a_program_without_parameters_is_exported_once(tmp_path, monkeypatch):
    exports, x = [], np.array([[1.0, -3.0]], np.float32)
    export = compiled_layer.export
    monkeypatch.setattr(compiled_layer, "export", lambda *a, **k: exports.append(1) or export(*a, **k))
    for _ in range(2):
        layer = engine.Compiled(Doubling(), {"x": [-1, 2]}, ["doubling"], folder=tmp_path)
        np.testing.assert_array_equal(layer({"x": x})[0], x * 2)
        assert layer.compile()
    assert len(exports) == 1
    [place] = tmp_path.iterdir()
    assert not list(place.glob("*.pdiparams"))


WITHOUT_HOME = """
import warnings
warnings.simplefilter("always")
from ppstyleclip.threads import import_paddle
import_paddle()
import numpy as np
from engine_world import draw_styles, eager
from tiny_world import tiny_generator
from ppstyleclip import engine
generator = tiny_generator()
styles = draw_styles(generator, 1)
draw = engine.compile_synthesis(generator)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    picture = draw(styles)
assert draw.compile() and np.abs(picture - eager(generator, styles)).max() < 1e-3
[line] = [str(one.message) for one in said if "PPSTYLECLIP_HOME" in str(one.message)]
print(line)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="no folder in which root cannot write")
def test_a_user_without_a_home_draws_and_is_told_what_to_set(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PPSTYLECLIP_HOME"}
    environment |= {
        "HOME": "/proc/no-home",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-c", WITHOUT_HOME]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout and "set PPSTYLECLIP_HOME" in done.stdout
    assert not list(tmp_path.glob("ppstyleclip-*"))  # its temporary folders went with it
