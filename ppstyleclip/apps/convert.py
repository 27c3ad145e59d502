# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Convert a file of other people's weights to ours, or to a form that PaddleGAN loads."""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
from collections import Counter
from pathlib import Path

import numpy as np

from ppstyleclip.convert import fits_multiplier
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_file, check_writable, save_png, write_atomic, write_safetensors
from ppstyleclip.threads import import_paddle

SUFFIXES = (".safetensors", ".pdparams")
FACES, TRUNCATION = 4, 0.7  # of the check picture


def parse_convert(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Convert other people's weights, told by their content.")
    add = parser.add_argument
    add("source", metavar="IN", help=".pt, .pth, .pkl, .pdparams, .npy, .safetensors, ...")
    add("target", metavar="OUT", help="what to write: .safetensors (ours) or .pdparams (PaddleGAN's)")
    add("--name", help="name of the model (default: the name of IN)")
    return parser.parse_args(argv)


def run_convert(argv=None) -> None:
    """Say what IN is, convert it, write OUT; a generator is also drawn, for a look.

    Raises:
        UserError: IN cannot be read, is of no known kind or not whole, or OUT cannot be written.
    """
    args = parse_convert(argv)
    source, target = check_file(args.source), Path(args.target)
    if target.suffix not in SUFFIXES:
        raise UserError(f"{target} must end in {' or '.join(SUFFIXES)}")
    if target.exists() and target.samefile(source):
        raise UserError(f"{target} would replace what is read; choose another name")
    check_writable(target.parent)

    import_paddle()
    from ppstyleclip.zoo.foreign import convert_file

    found, converted = convert_file(source)
    print(f"{source}: {found.says}")
    for line in (*converted.notes, *_left_out(converted.ignored)):
        print(line)
    about = {
        "recognised": found.says,
        "notes": "; ".join(converted.notes),
        "source": source.name,
        "source_sha256": _digest(source),
        "converter": _version(),
    }
    writers = {"generator": _write_generator, "clip": _write_clip, "mapper": _write_mapper}
    write = writers.get(converted.kind, _write_arrays)
    write(target, converted, args.name or source.stem, about)


def _left_out(ignored) -> list:
    """One line for each reason why keys were left out."""
    return [f"left out: {count} ({reason})" for reason, count in Counter(ignored.values()).items()]


def _digest(path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(2**20), b""):
            digest.update(piece)
    return digest.hexdigest()


def _version() -> str:
    from ppstyleclip import __version__

    return f"ppstyleclip {__version__}"


def _write_generator(target, converted, name, about) -> None:
    from ppstyleclip.zoo.generators import build_converted_generator, save_generator

    generator = build_converted_generator(converted)
    mean = converted.extras.get("latent_avg")
    if target.suffix == ".pdparams":
        _write_pdparams(target, converted.state)
        print(_for_paddlegan(generator.config()))
    else:
        save_generator(target, generator, name=name, mean=mean, about=about)
        print(f"wrote {target}")
    picture = target.with_suffix(".png")
    save_png(picture, draw_faces(generator, mean))
    print(f"wrote {picture}: look at its {FACES} faces")


def _for_paddlegan(config) -> str:
    """How PaddleGAN's class has to be built for these weights."""
    channels = {int(side): count for side, count in config["channels"].items()}
    if not fits_multiplier(channels, config["channel_multiplier"]):
        return f"PaddleGAN's class has no such channels: {list(channels.values())}"
    words = [f"{name}={config[name]}" for name in ("size", "style_dim", "n_mlp", "channel_multiplier")]
    words += [] if config["lr_mlp"] == 0.01 else [f"lr_mlp={config['lr_mlp']}"]
    words += [] if config["blur_kernel"] == [1, 3, 3, 1] else [f"blur_kernel={config['blur_kernel']}"]
    return f"for StyleGANv2Generator({', '.join(words)})"


def draw_faces(generator, mean=None) -> np.ndarray:
    """Draw a few sampled faces of a generator side by side.

    Args:
        generator: StyleGANv2Generator.
        mean: `[D]` the mean w that they are pulled towards; None estimates it.
    Returns:
        one picture `[H, W, 3]` uint8.
    """
    import paddle

    from ppstyleclip.pictures import enlarged, grid, to_pixels

    z = np.random.RandomState(0).standard_normal((FACES, generator.style_dim)).astype(np.float32)
    with paddle.no_grad():
        mean = generator.mean_latent() if mean is None else paddle.to_tensor(mean)
        w_plus = generator.get_latents(paddle.to_tensor(z), TRUNCATION, truncation_latent=mean)
        faces = [
            to_pixels(generator.synthesis_from_styles(generator.style_affine(w_plus[k : k + 1])))[0]
            for k in range(FACES)
        ]  # one by one: four of 1024 px take gigabytes
    return grid(enlarged(np.stack(faces)), 2)


def _write_clip(target, converted, name, about) -> None:
    if target.suffix == ".pdparams":
        return _write_pdparams(target, converted.state)
    from ppstyleclip.zoo.clips import build_converted_clip, save_clip

    save_clip(target, build_converted_clip(converted, target), about=about)
    print(f"wrote {target}")


def _write_mapper(target, converted, name, about) -> None:
    if target.suffix == ".pdparams":
        return _write_pdparams(target, as_paddlegan_saves(converted))
    from ppstyleclip.zoo.mappers import build_foreign_mapper, save_mapper

    made_for = {word: converted.config[word] for word in ("generator",) if word in converted.config}
    save_mapper(target, build_foreign_mapper(converted, about["source"]), about={**about, **made_for})
    print(f"wrote {target}")


def _write_arrays(target, converted, name, about) -> None:
    """What is no generator and no CLIP: its arrays, with the config in the metadata."""
    if target.suffix == ".pdparams":
        return _write_pdparams(target, as_paddlegan_saves(converted))
    metadata = {
        **about,
        "kind": f"ppstyleclip {converted.kind}",
        "name": name,
        "config": json.dumps(converted.config),
    }
    if "generator" in converted.config:
        metadata["generator"] = converted.config["generator"]
    write_safetensors(target, {**converted.state, **converted.extras}, metadata)
    print(f"wrote {target}")


def as_paddlegan_saves(converted):
    """The object that PaddleGAN's own file of this kind holds."""
    state = converted.state
    if converted.kind == "relevance":
        return state["relevance"]
    if converted.kind == "styles":
        return _cut(state["s"], converted.config["channels"])
    if converted.kind == "statistics":
        return {word: _cut(state[word], converted.config["channels"]) for word in ("mean", "std")}
    return {**state, **converted.extras, **({"opts": converted.opts} if converted.opts else {})}


def _cut(array, widths) -> list:
    """One array for each layer, along the last axis."""
    return np.split(array, np.cumsum(widths)[:-1], axis=-1)


def _write_pdparams(target, value) -> None:
    write_atomic(target, pickle.dumps(_contiguous(value), protocol=4))  # as paddle.save does
    print(f"wrote {target}")


def _contiguous(value):
    if isinstance(value, dict):
        return {key: _contiguous(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_contiguous(item) for item in value]
    return np.asarray(value, order="C") if isinstance(value, np.ndarray) else value
