# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Exported networks beside ours: how far their pictures are apart, and how long they take.

Generators of the given sizes have the published structure and random weights; "portrait" is the embedded
model. One process, the same threads for all runtimes, each with its own way of holding weights. Times are of
the processor and not of the clock, so that other work on the machine counts less: with OMP_NUM_THREADS=1 they
are what a picture takes on an idle core.

    python benchmarks/exported.py 64 256 1024
    OMP_NUM_THREADS=1 python benchmarks/exported.py portrait --repeat 10
    python benchmarks/exported.py 1024 --repeat 1 --runtimes onnxruntime "Paddle's"
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from ppstyleclip.threads import import_paddle, thread_count

paddle = import_paddle()

from ppstyleclip.engine import compile_synthesis  # noqa: E402
from ppstyleclip.engine.exporter import save_plain, trace_legacy  # noqa: E402
from ppstyleclip.export.networks import build_parts  # noqa: E402
from ppstyleclip.export.onnx import to_onnx  # noqa: E402
from ppstyleclip.models.stylegan2 import StyleGANv2Generator  # noqa: E402
from ppstyleclip.zoo import Bundle, load_bundle  # noqa: E402


def random_bundle(size: int) -> Bundle:
    """A generator of the published structure at a size, whose noise shows."""
    paddle.seed(size)
    generator = StyleGANv2Generator(size, 512, 8)
    for name, value in generator.named_parameters():
        if name.endswith("noise.weight"):
            value.set_value(np.full([1], 0.1, np.float32))
    generator.eval()
    return Bundle(f"random-{size}", generator, generator.layout, None, None, None)


def runtimes(part, folder: Path, wanted: list[str]) -> dict:
    """`{name: function of one array}` of an exported part."""
    [name] = part.inputs
    found = {}
    if set(wanted) & set(OF_ONNX):
        model = folder / "model.onnx"
        model.write_bytes(to_onnx(trace_legacy(part.layer, part.inputs), part.inputs, (part.output,)))
        found = {runtime: OF_ONNX[runtime](model, name) for runtime in wanted if runtime in OF_ONNX}
    for form in (form for form in OF_PADDLE if form in wanted):
        stem = folder / form.replace("'", "").replace(" ", "_")
        save_plain(part.layer, part.inputs, stem, legacy=OF_PADDLE[form])
        found[form] = paddle_inference(stem, name)
    return found


def onnxruntime_session(model: Path, name: str):
    """The model in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda array: session.run(None, {name: array})[0]


def openvino_model(model: Path, name: str):
    """The model in OpenVINO."""
    import openvino

    compiled = openvino.Core().compile_model(
        str(model), "CPU", {"INFERENCE_NUM_THREADS": thread_count(), "INFERENCE_PRECISION_HINT": "f32"}
    )
    return lambda array: next(iter(compiled([array]).values()))


def paddle_inference(stem: Path, name: str):
    """A program in Paddle Inference."""
    from paddle import inference

    program = next(
        path for path in stem.parent.glob(f"{stem.name}.*") if path.suffix in (".json", ".pdmodel")
    )
    config = inference.Config(str(program), f"{stem}.pdiparams")
    config.disable_glog_info()
    config.set_cpu_math_library_num_threads(thread_count())
    config.enable_mkldnn()
    if program.suffix == ".json":
        config.enable_new_executor(True)
        config.enable_new_ir(True)
    return _predictor(inference.create_predictor(config), name)


def _predictor(predictor, name):
    def run(array):
        predictor.get_input_handle(name).copy_from_cpu(array)
        predictor.run()
        return predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu()

    return run


OF_ONNX = {"onnxruntime": onnxruntime_session, "OpenVINO": openvino_model}
OF_PADDLE = {"Paddle's": False, "Paddle's old": True}  # and whether it is the legacy IR


def compare(bundle: Bundle, repeat: int, wanted_runtimes: list[str]) -> None:
    """Print one line for each runtime and batch."""
    [part] = build_parts(bundle, ["synthesis"])
    [affine] = build_parts(bundle, ["affine"])
    random = np.random.RandomState(0)
    generator = bundle.generator
    z = paddle.to_tensor(random.standard_normal([4, generator.style_dim]).astype(np.float32))
    with paddle.no_grad():
        s = affine.layer({"w_plus": generator.get_latents(z)}).numpy()
        wanted = np.concatenate([part.layer({"s": paddle.to_tensor(row[None])}).numpy() for row in s])
    ours = compile_synthesis(generator)
    made = {}
    if "ours" in wanted_runtimes:
        made["ours"] = lambda array: ours(bundle.layout.unflatten(array))
    with tempfile.TemporaryDirectory() as folder:
        made.update(runtimes(part, Path(folder), wanted_runtimes))
        for batch in (1, 4):
            for name, run in made.items():
                error = float(np.abs(run(s[:batch]) - wanted[:batch]).max())
                seconds = []
                for _ in range(repeat):
                    begin = time.process_time()
                    run(s[:batch])
                    seconds.append(time.process_time() - begin)
                time_each = 1000 * statistics.median(seconds) / batch
                print(
                    f"{bundle.name} {generator.size} px, batch {batch}, {name}: difference {error:.1e} "
                    f"of {np.abs(wanted).max():.2f}, {time_each:.0f} ms a picture",
                    flush=True,
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="+", help="sizes in pixels, or 'portrait'")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: %(default)s)")
    known = ("ours", *OF_ONNX, *OF_PADDLE)
    parser.add_argument("--runtimes", nargs="+", choices=known, default=known, help="which (default: all)")
    args = parser.parse_args()
    for what in args.what:
        bundle = load_bundle() if what == "portrait" else random_bundle(int(what))
        compare(bundle, args.repeat, args.runtimes)
