# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""First edit of a generator that nobody prepared, from its weights file and a CLIP alone.

    python benchmarks/unprepared.py --threads 2

Three files are made in a temporary folder: the portrait world's generator, of which half of the channels are
permuted and rescaled (its pictures are the same, its matrix does not fit); one whose pictures change too,
because what each of a tenth of its channels does is scaled; and a config-f generator of 256 px with random
weights, as PaddleGAN saves it, brought through `ppstyleclip convert`. Each is edited by
`ppstyleclip edit --weight_path FILE --clip portrait` in a process of its own, with an empty cache: programs
are compiled, statistics and gradients are measured within the time. A second edit, of other words, follows.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LIMIT = 60.0  # seconds of a first edit
TEXTS = ("happy face", "face with glasses")


def scrambled(generator, seed, *, share=0.5, changed=0.0):
    """A copy of a StyleGAN2 generator with channels permuted and rescaled, and their places.

    Permuting the channels of a layer's result goes with the weights that take it in; scaling a style goes
    with one over the scale in the weights of its convolution. So pictures stay as they are.

    Args:
        generator: StyleGANv2Generator.
        seed: of what is drawn.
        share: of the channels that are permuted and rescaled.
        changed: share of each layer's channels that come to do more or less, by up to a half; then pictures
            change, too.
    Returns:
        (the copy, `[S]` where each of its style channels was, `[S]` by how much its style was multiplied).
    """
    import paddle

    from ppstyleclip.models.stylegan2 import build_generator
    from ppstyleclip.models.stylegan2.layout import is_to_rgb

    copy, random = build_generator(generator.config()), np.random.RandomState(seed)
    copy.set_state_dict(generator.state_dict())
    copy.eval()
    layers, places, scales = copy._layers(), [], []
    order = _partly_permuted(random, generator.channels[4], share)
    copy.input.input.set_value(copy.input.input.numpy()[:, order])
    for k, layer in enumerate(layers):
        conv, width = layer.conv, layer.conv.weight.shape[2]
        scale = np.where(random.rand(width) < share, np.exp(random.uniform(-1.5, 1.5, width)), 1.0)
        effect = np.where(random.rand(width) < changed, random.uniform(0.5, 1.5, width), 1.0)
        weight = conv.weight.numpy()[:, :, order] * (effect / scale)[None, None, :, None, None]
        conv.modulation.weight.set_value(conv.modulation.weight.numpy()[:, order] * np.float32(scale))
        conv.modulation.bias.set_value(conv.modulation.bias.numpy()[order] * np.float32(scale))
        places.append(order)
        scales.append(scale)
        if not is_to_rgb(k):
            order = _partly_permuted(random, weight.shape[1], share)
            weight = weight[:, order]
            layer.activate.bias.set_value(layer.activate.bias.numpy()[order])
        conv.weight.set_value(paddle.to_tensor(weight.astype(np.float32)))
    offsets = np.cumsum([0, *(len(place) for place in places)])
    return copy, np.concatenate([o + p for o, p in zip(offsets, places)]), np.concatenate(scales)


def _partly_permuted(random, count, share):
    """0..count-1, a random share of them in another order."""
    order = np.arange(count)
    chosen = np.flatnonzero(random.rand(count) < share)
    order[chosen] = random.permutation(order[chosen])
    return order


def save_random_256(path):
    """A config-f generator of 256 px with random weights, in the form in which PaddleGAN saves one."""
    import paddle

    from ppstyleclip.models.stylegan2 import StyleGANv2Generator

    paddle.seed(0)
    state = StyleGANv2Generator(256, 512, 8).state_dict()
    path.write_bytes(pickle.dumps({key: value.numpy() for key, value in state.items()}, protocol=4))


def make_files(folder):
    """Write the three; `{what: path}`."""
    from ppstyleclip.zoo import load_bundle
    from ppstyleclip.zoo.generators import save_generator

    generator = load_bundle().generator
    files = {}
    for what, changed in (("permuted and rescaled", 0.0), ("changed, too", 0.1)):
        files[what] = folder / f"{what.split(',')[0].replace(' ', '_')}.safetensors"
        save_generator(files[what], scrambled(generator, 1, changed=changed)[0], name="unprepared")
    save_random_256(folder / "random.pdparams")
    files["256 px, config-f"] = folder / "random.safetensors"
    return files


@dataclass(frozen=True)
class Spent:
    """What a command took: seconds, the processor's seconds, and the most memory in MB."""

    seconds: float
    processor: float
    memory: float


def timed(command, **env):
    """Spent of a command of the package; its output is shown when it fails."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "ppstyleclip", *map(str, command)],
            env={**os.environ, **env},
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            words = " ".join(map(str, command))
            raise SystemExit(f"{words} ended with {process.returncode}:\n{said.read()}")
    return Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--relevance", choices=("instant", "instant+"), help="default: what is used by itself"
    )
    parser.add_argument("--output", type=Path, default=Path("unprepared"), help="folder of the pictures")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    args.output.mkdir(parents=True, exist_ok=True)
    more = ["--relevance", args.relevance] if args.relevance else []
    slowest = 0.0
    print(
        "| generator | conversion | first edit | second text | processor's seconds | peak memory |\n"
        "|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (what, path) in enumerate(make_files(folder).items()):
            env = {"PPSTYLECLIP_HOME": str(folder / f"home{number}"), "OMP_NUM_THREADS": str(args.threads)}
            source = path.with_suffix(".pdparams")
            converting = timed(["convert", source, path], **env) if source.is_file() else None
            edits = []
            for text in TEXTS:
                place = args.output / f"{path.stem}-{text.replace(' ', '_')}.png"
                words = [
                    "edit",
                    7,
                    "--weight_path",
                    path,
                    "--clip",
                    "portrait",
                    "--target",
                    text,
                    "-o",
                    place,
                ]
                edits.append(timed([*words, *more], **env))
            slowest = max(slowest, edits[0].seconds)
            told = "" if converting is None else f"{converting.seconds:.1f} s"
            first, second = (f"{one.seconds:.1f} s" for one in edits)
            used = " and ".join(f"{one.processor:.0f}" for one in edits)
            memory = max(one.memory for one in edits)
            print(f"| {what} | {told} | {first} | {second} | {used} | {memory:.0f} MB |", flush=True)
    return 0 if slowest <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
