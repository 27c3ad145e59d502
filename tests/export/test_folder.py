# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What `ppstyleclip export` writes, read again by others: Paddle Inference, and a runner without Paddle."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import paddle
import pytest

from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.engine.exporter import writes_legacy_ir
from ppstyleclip.errors import UserError
from ppstyleclip.export import ExportConfig, export_model, networks
from ppstyleclip.files import load_pixels
from ppstyleclip.pictures import to_pixels
from ppstyleclip.progress import last
from ppstyleclip.provenance import png_texts

pytest.importorskip("onnx")
HAPPY = Edit("face", "happy face", beta=0.0)


@pytest.fixture
def tiny_editor(tiny_editor):
    """One whose edits keep channels near their mean, as the embedded model's do."""
    bundle = tiny_editor.bundle
    return Editor(bundle.with_parts(defaults=replace(bundle.defaults, within=1.0)))


@pytest.fixture
def exported(tiny_editor, tmp_path):
    config = ExportConfig(parts=("mapping", "affine", "synthesis"), edits=(HAPPY,))
    record = last(export_model(tiny_editor, tmp_path / "out", config))
    assert record.done == record.total
    assert {path.relative_to(tmp_path / "out").as_posix() for path in record.written} == {
        "onnx/mapping.onnx", "onnx/affine.onnx", "onnx/synthesis.onnx", "statistics.npz", "directions.npz",
        "relevance.npy", "model.json", "run.py",
    }  # fmt: skip
    return tmp_path / "out"


def test_the_runner_edits_where_paddle_cannot_be_imported(exported, tiny_editor, tmp_path):
    pytest.importorskip("onnxruntime")
    hidden = "import runpy, sys; sys.modules.update(paddle=None, ppstyleclip=None); sys.argv = sys.argv[1:]; "
    command = [sys.executable, "-c", hidden + "runpy.run_path(sys.argv[0], run_name='__main__')"]
    picture = tmp_path / "face.png"
    arguments = [exported / "run.py", picture, "--seed", 7, "--edit", "happy face=2.5"]
    subprocess.run([*command, *map(str, arguments)], check=True, timeout=60)
    s = tiny_editor.apply(tiny_editor.sample(7), HAPPY, alphas=[2.5])
    [wanted] = to_pixels(tiny_editor.synthesize(s.numpy()))
    [plain] = tiny_editor.render(tiny_editor.sample(7))
    made = load_pixels(picture).astype(int)
    assert np.abs(made - wanted).max() <= 1
    assert np.abs(made - plain).max() > 20
    assert "AIGC" in png_texts(picture.read_bytes())


def test_an_unknown_direction_is_named(exported):
    pytest.importorskip("onnxruntime")
    command = [sys.executable, str(exported / "run.py"), str(exported / "x.png"), "--edit", "sad=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no direction 'sad'; known: happy face" in done.stderr


def test_the_description_holds_what_an_edit_needs(exported, tiny_editor):
    model = json.loads((exported / "model.json").read_text())
    assert model["layout"] == tiny_editor.bundle.layout.to_config()
    assert model["parts"]["synthesis"]["inputs"] == {
        "s": {"shape": ["N", tiny_editor.bundle.layout.size], "dtype": "float32"}
    }
    assert [one["target"] for one in model["directions"]] == ["happy face"]
    arrays = np.load(exported / "statistics.npz")
    np.testing.assert_array_equal(arrays["std"], tiny_editor.bundle.stats.std)
    np.testing.assert_array_equal(np.load(exported / "relevance.npy"), tiny_editor.bundle.relevance.rows)
    ds = np.load(exported / "directions.npz")["happy face"]
    np.testing.assert_array_equal(ds, tiny_editor.direction(HAPPY).ds)


@pytest.mark.parametrize("format", ["paddle", "paddle-legacy"])
def test_paddle_inference_reads_what_was_written(tiny_editor, tmp_path, format):
    if format == "paddle-legacy" and not writes_legacy_ir():
        pytest.skip("this Paddle has no legacy IR")
    config = ExportConfig(parts=("generator", "clip_image", "clip_text"), formats=(format,))
    last(export_model(tiny_editor, tmp_path, config))
    w_plus = tiny_editor.sample([1, 2, 3, 4]).numpy()
    wanted = tiny_editor.synthesize(w_plus)
    for count in (1, 4):
        [made] = run_program(tmp_path / "paddle" / "generator", {"w_plus": w_plus[:count]})
        np.testing.assert_allclose(made, wanted[:count], atol=1e-4)
    [features] = run_program(tmp_path / "paddle" / "clip_image", {"images": wanted})
    with paddle.no_grad():
        encoded = tiny_editor.bundle.clip.encode_image(paddle.to_tensor(wanted)).numpy()
    np.testing.assert_allclose(features, encoded, atol=1e-4)
    names = {path.name for path in (tmp_path / "paddle").iterdir()}
    suffix = "pdmodel" if format == "paddle-legacy" or paddle.__version__.startswith("2.") else "json"
    assert {f"generator.{suffix}", "generator.pdiparams", f"clip_text.{suffix}"} <= names
    assert not (tmp_path / "run.py").exists()


def run_program(stem, arrays):
    from paddle import inference

    program = next(
        path for path in stem.parent.glob(f"{stem.name}.*") if path.suffix in (".json", ".pdmodel")
    )
    settings = inference.Config(str(program), str(stem.with_suffix(".pdiparams")))
    settings.disable_glog_info()
    predictor = inference.create_predictor(settings)
    for name, array in arrays.items():
        predictor.get_input_handle(name).copy_from_cpu(array)
    predictor.run()
    return [predictor.get_output_handle(name).copy_to_cpu() for name in predictor.get_output_names()]


def test_the_command(tiny_editor, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", str(out), "--parts", "mapping", "--half", "--edit", "face -> happy face"]) == 0
    assert (out / "onnx" / "mapping.onnx").is_file() and "wrote" in capsys.readouterr().out


def test_bad_input_is_one_line(tiny_editor, tmp_path, capsys):
    assert main(["export", str(tmp_path), "--parts", "encoder"]) == 2
    assert "has no encoder to export" in capsys.readouterr().err
    assert main(["export", str(tmp_path), "--mapper", str(tmp_path / "none")]) == 2
    assert "there is no file" in capsys.readouterr().err
    assert list(tmp_path.glob("onnx")) == []


def test_what_cannot_be_asked_for():
    with pytest.raises(UserError, match="no format 'tflite' to export to; known: onnx"):
        ExportConfig(formats=("tflite",))
    with pytest.raises(UserError, match="paddle and paddle-legacy are one folder"):
        ExportConfig(formats=("paddle", "paddle-legacy"))


def test_the_command_knows_the_same_names():
    from ppstyleclip.cli.weights import export as command
    from ppstyleclip.export import FORMATS

    assert (command.PARTS, command.FORMATS) == (networks.PARTS, FORMATS)
