# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write a fitted generator as the files that `ppstyleclip.zoo.load_generator` reads; Paddle is not needed.

    python -m ppstyleclip.worlds.portrait.training.export --folder run --output weights

The first blocks of a StyleGAN2 are a generator of their own, so there is a file for every size; of a
StyleGAN3 there is one. They hold the moving average of the fit's weights, of its best report or of its last
checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import MissingFile, UserError, shown
from ppstyleclip.files import check_writable, fingerprint, write_safetensors

SIZES = (64, 128, 256)
NAMES = {"stylegan2": "portrait", "stylegan3": "portrait-sg3"}  # of the models that come with the package


def prefix(generator, size):
    """The generator of `size` px that the first blocks of a larger one are."""
    from ppstyleclip.worlds.portrait.training.network import Generator

    if size == generator.size:
        return generator
    first = Generator(size, generator.style_dim, generator.layers, generator.channels)
    whole = generator.state_dict()
    first.load_state_dict({key: whole[key] for key in first.state_dict()})
    return first


def sizes_of(generator):
    """Which of SIZES a generator has: a StyleGAN3 has one alone."""
    is_one = generator.config().get("family") == "stylegan3"
    return [size for size in SIZES if size == generator.size or size < generator.size and not is_one]


def save_generator(path, generator, *, half=True, pictures=0):
    """Write a generator in the form of `ppstyleclip.zoo.save_generator`; returns its fingerprint.

    Args:
        path: the file.
        generator: of the fit.
        half: store float16.
        pictures: how many it has seen, for a fit that starts from the file.
    """
    state = {
        key: value.detach().float().numpy()
        for key, value in generator.state_dict().items()
        if not key.startswith("early.")  # a StyleGAN3's, for the fit alone
    }
    if half:
        state = {key: value.astype(np.float16) for key, value in state.items()}
    mark = fingerprint({key: value.astype(np.float32) for key, value in state.items()})
    config = generator.config()
    name = NAMES[config.get("family", "stylegan2")]
    about = {"kind": "ppstyleclip generator", "name": name, "fingerprint": mark, "pictures": str(pictures)}
    write_safetensors(path, state, {**about, "config": json.dumps(config)})
    return mark


def load_fitted(folder, which="best"):
    """(moving average of a fit's best report, or else of its last checkpoint; pictures that it has seen)."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.exported import OTHER
    from ppstyleclip.worlds.portrait.training.families import FAMILIES
    from ppstyleclip.worlds.portrait.training.fit import STATE
    from ppstyleclip.worlds.portrait.training.generator import BEST

    path = Path(folder) / (BEST if which == "best" and (Path(folder) / BEST).exists() else STATE)
    state = checkpoint.load(path, "average", "pictures")
    if state is None:
        make = f"python -m ppstyleclip.worlds.portrait.training.generator --folder {folder}"
        raise MissingFile(f"{folder} holds no fitted generator; fit one: {make}")
    family = FAMILIES.get(state.get("family", "stylegan2"))
    if family is None:
        raise UserError(
            f"{path} is of an unknown family, {shown(state['family'])}; known: {', '.join(FAMILIES)}"
        )
    generator = family.empty(family.size)
    checkpoint.put(generator, state["average"], path, OTHER)
    family.settle(generator)
    return generator.eval(), state["pictures"]


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--output", required=True, help="folder of the files")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, choices=SIZES)
    parser.add_argument("--which", default="best", choices=("best", "last"))
    parser.add_argument("--float32", action="store_true", help="in place of float16")
    args = parser.parse_args(argv)
    check_writable(args.output)
    generator, pictures = load_fitted(args.folder, args.which)
    sizes = [size for size in args.sizes if size in sizes_of(generator)]
    if not sizes:
        parser.error(f"--sizes: the generator has {', '.join(map(str, sizes_of(generator)))} px")
    for size in sizes:
        path = Path(args.output) / f"generator-{size}.safetensors"
        mark = save_generator(path, prefix(generator, size), half=not args.float32, pictures=pictures)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {mark}, after {pictures} pictures")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
