# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A program is read, not run, in both of Paddle's forms; what may do more than compute is named."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
from damaged_programs import HTML
from engine_world import BOUND, draw_styles, eager, relative

from ppstyleclip import engine
from ppstyleclip.engine import exporter, manifest
from ppstyleclip.engine.operators import read_contents


def pir(*names, regions=None, **changed):
    """A program of PIR with some operators, the last of which may have regions."""
    operators = [{"#": name, "I": [], "O": [], "A": []} for name in names]
    if regions is not None:
        operators[-1]["regions"] = regions
    program = {"regions": [{"#": "region_0", "blocks": [{"#": "block_0", "args": [], "ops": operators}]}]}
    return json.dumps({"base_code": {"magic": "pir", "version": 4}, "program": program, **changed}).encode()


def legacy(*names):
    from paddle.base.proto import framework_pb2

    program = framework_pb2.ProgramDesc()
    block = program.blocks.add(idx=0, parent_idx=-1)
    for name in names:
        block.ops.add(type=name)
    return program.SerializeToString()


@pytest.mark.parametrize("suffix", [".pdmodel", ".json"])
def test_operators_that_compute_are_listed(suffix):
    data = {
        ".pdmodel": legacy("feed", "conv2d", "conv2d_grad", "elementwise_add_grad_grad", "fetch"),
        ".json": pir("1.data", "1.conv2d", "1.add_", "1.conv2d_grad", "0.combine", "1.fetch"),
    }
    assert read_contents(data[suffix], suffix).unlisted == []


@pytest.mark.parametrize(
    "data, unlisted",
    [
        (pir("1.full", "1.save"), ["save"]),
        (pir("1.save_combine", "1.load_combine"), ["load_combine", "save_combine"]),
        (pir("1.py_func_"), ["py_func"]),
        (pir("2.if"), ["2.if"]),
        (pir("2.conv2d"), ["2.conv2d"]),
        (pir("3.conv2d"), ["3.conv2d"]),
        (pir("custom_op.conv2d"), ["custom_op.conv2d"]),
        (pir("0.conv2d"), ["0.conv2d"]),
        (pir("conv2d.save"), ["conv2d.save"]),
        (pir("1._"), ["1._"]),
        (pir(""), [""]),
        (pir("1.conv2d", regions=json.loads(pir("1.print"))["program"]["regions"]), ["print"]),
        (legacy("conv2d", "save"), ["save"]),
        (legacy("conv2d", "_grad"), ["_grad"]),
    ],
)
def test_other_operators_are_named(data, unlisted):
    suffix = ".json" if data.startswith(b"{") else ".pdmodel"
    assert read_contents(data, suffix).unlisted == unlisted


def test_operators_of_every_block_count():
    from paddle.base.proto import framework_pb2

    program = framework_pb2.ProgramDesc.FromString(legacy("conv2d"))
    program.blocks.add(idx=1, parent_idx=0).ops.add(type="save")
    assert read_contents(program.SerializeToString(), ".pdmodel").unlisted == ["save"]


@pytest.mark.parametrize("suffix", [".pdmodel", ".json"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        HTML,
        b"\0" * 500,
        b"[" * 100_000,
        b"[1]",
        b"{}",
        b"null",
        b'{"base_code": {"magic": "pir"}}',
        b'{"base_code": {"magic": "pir"}, "program": {"regions": [{"blocks": [{"ops": [3]}]}]}}',
        b'{"base_code": {"magic": "pir"}, "program": {"regions": [{"blocks": [{"ops": [{"#": 3}]}]}]}}',
        b'{"base_code": {"magic": "pir"}, "program": {"regions": [{"blocks": 7}]}}',
        b'{"base_code": {"magic": "pir"}, "program": {"regions": {"a": 1}}}',
        pir(base_code="pir"),
        pir("1.conv2d", base_code={"magic": "other"}),
        pir(),
        legacy(),
        legacy("conv2d")[:-1],
        bytes(range(256)) * 9,
    ],
)
def test_what_is_no_program_is_refused(data, suffix):
    with pytest.raises(ValueError, match="program"):
        read_contents(data, suffix)


@pytest.mark.slow
@pytest.mark.skipif(paddle.__version__.startswith("2."), reason="Paddle 2 has no PIR")
def test_programs_in_pir_are_kept_and_checked(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(exporter, "_legacy_guard", lambda: None)
    styles = draw_styles(generator, 2)
    engine.compile_synthesis(generator, folder=tmp_path)(styles)
    [place] = tmp_path.iterdir()
    names = ["manifest.json", "program.json", "program.pdiparams"]
    assert sorted(path.name for path in place.iterdir()) == names
    before = (place / "program.json").read_bytes()
    content = json.loads(before)
    operators = content["program"]["regions"][0]["blocks"][0]["ops"]
    operators.insert(-1, {**operators[-2], "#": "1.save"})
    (place / "program.json").write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="made again") as said:
        picture = engine.compile_synthesis(generator, folder=tmp_path)(styles)
    assert len(said) == 1 and relative(picture, eager(generator, styles)) < BOUND / 10
    assert (place / "program.json").read_bytes() != json.dumps(content).encode()


class Unusual(paddle.nn.Layer):
    """Paddle can export its operator; it is not on the engine's list."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([3])

    def forward(self, tensors):
        return [paddle.nn.functional.gumbel_softmax(tensors["x"] * self.weight, hard=True).sum(axis=1)]


@pytest.mark.slow
def test_a_layer_with_other_operators_is_compiled_anew_in_each_process(tmp_path):
    arrays = {"x": np.ones([2, 3], np.float32)}
    layer = engine.Compiled(Unusual(), {"x": [-1, 3]}, ["unusual"], folder=tmp_path)
    with pytest.warns(UserWarning, match="anew in each process: .*'gumbel_softmax'") as said:
        np.testing.assert_allclose(layer(arrays)[0], [1, 1], rtol=1e-6)
    assert len(said) == 1 and layer.compile() and list(tmp_path.iterdir()) == []
    with pytest.raises(manifest.Unlisted):
        manifest._SEEN.clear()
        manifest.check_program(layer._program.folder)
