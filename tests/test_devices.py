# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The comparison of a GPU with the CPU, the CPU in the GPU's place; how a program is put on a GPU."""

from __future__ import annotations

import json
import sys

import numpy as np
import paddle
import pytest
from tiny_world import PROGRAMS, tiny_parts

from ppstyleclip import devices
from ppstyleclip.cli.main import main
from ppstyleclip.cli.weights import doctor
from ppstyleclip.engine.predictor import PassConfig, use_gpu
from ppstyleclip.models.generator import SynthesisRequest
from ppstyleclip.zoo import Bundle


def tiny_bundle():
    generator, layout, stats, relevance, clip = tiny_parts()
    return Bundle("tiny", generator, layout, stats, relevance, clip)


@pytest.fixture(scope="module")
def checks():
    return list(devices.check_device("cpu", load=tiny_bundle, folder=PROGRAMS / "engine"))


def test_a_device_that_computes_the_same_is_well(checks):
    by_part = {(check.part, check.precision): check for check in checks}
    assert len(checks) == len(by_part) == 9
    for check in checks:
        if check.precision == "fp32":
            assert check.state == "ok" and check.difference < 1e-6 and check.device_ms > 0, check
    assert by_part["pictures, compiled", "fp16"].state == "skipped"  # a CPU has no fp16
    assert "needs a GPU" in by_part["pictures, compiled", "fp16"].note
    assert by_part["pictures, compiled", "bf16"].state in ("ok", "skipped")


def test_the_table_and_its_exit_code(checks, capsys):
    assert doctor.print_device_checks(checks) == 0
    table = capsys.readouterr().out
    assert "pictures, eager" in table and table.endswith("all is well\n") and "nan" not in table


@pytest.mark.slow
def test_other_numbers_and_errors_are_rows(tmp_path, capsys):
    loads = []

    def load():
        bundle = tiny_bundle()
        loads.append(bundle)
        if len(loads) > 5:  # on the device
            bundle.generator.input.input.set_value(bundle.generator.input.input * 1.5)
            del bundle.clip.net.ln_final
        return bundle

    found = {check.part: check for check in devices.check_device("cpu", load=load, folder=tmp_path)}
    assert found["pictures, eager"].state == "differs" and found["pictures, eager"].difference > 5e-3
    assert (
        found["CLIP of texts, eager"].state == "failed" and "ln_final" in found["CLIP of texts, eager"].note
    )
    assert doctor.print_device_checks(found.values()) == 1
    assert "not well" in capsys.readouterr().out


def test_not_a_number_differs():
    case = devices._Case("x", ("fp32",), lambda bundle, precision: None)
    nan = np.full([2], np.nan, np.float32)
    assert devices._compared(case, "fp32", (np.ones(2), 1.0), (nan, 1.0), "cpu").state == "differs"


@pytest.mark.skipif(paddle.device.is_compiled_with_cuda(), reason="there may be a GPU")
def test_without_a_gpu_it_is_one_line(capsys):
    assert main(["doctor", "--gpu"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "built without CUDA" in error


def test_json_has_no_nan(checks, capsys, monkeypatch):
    monkeypatch.setattr(devices, "gpu_device", lambda: "cpu")
    monkeypatch.setattr(devices, "check_device", lambda device: iter(checks))
    assert main(["doctor", "--gpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=lambda word: pytest.fail(word))
    assert len(report["checks"]) == len(checks) and "Paddle" in report["device"]


class Settings:
    """Notes what is asked of Paddle Inference's settings."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args: self.calls.append((name, *args))


@pytest.mark.parametrize("precision, name", [("fp32", "Float32"), ("fp16", "Half"), ("bf16", "Bfloat16")])
def test_a_program_on_a_gpu_keeps_its_demodulation_in_fp32(precision, name):
    generator = tiny_parts()[0]
    request = SynthesisRequest(precision=precision, on_gpu=True)
    [*_, part] = generator.inference().parts(request)
    settings = Settings()
    use_gpu(settings, 1, precision, PassConfig(fp32_on_gpu=part.fp32_operators))
    kind = getattr(paddle.inference.PrecisionType, name)
    assert settings.calls[0] == ("enable_use_gpu", 256, 1, kind)
    kept = [call for call in settings.calls if call[0] == "exp_disable_mixed_precision_ops"]
    assert kept == ([] if precision == "fp32" else [(kept[0][0], set(part.fp32_operators))])
    assert not any("tensorrt" in call[0] for call in settings.calls)


def test_what_is_kept_in_fp32_is_the_demodulation_and_nothing_else():
    """The operators of a program for a GPU: the energies' alone have those kinds."""
    from ppstyleclip.engine.exporter import trace_legacy
    from ppstyleclip.export import build_parts

    bundle = tiny_bundle()
    [part] = build_parts(bundle, ["synthesis"])
    kept = set(bundle.generator.inference().parts(SynthesisRequest(on_gpu=True))[-1].fp32_operators)
    ops = trace_legacy(part.layer, part.inputs).program.global_block().ops
    found = [op.type for op in ops if op.type in kept]
    convolutions = sum(not name.startswith("to_rgb") for name in bundle.layout.names)
    assert sorted(found) == sorted(["elementwise_pow", "matmul_v2", "scale", "pow"] * convolutions)


def test_this_module_needs_no_cuda():
    assert "paddle" in sys.modules and devices.describe_device("cpu").startswith("cpu, Paddle")
