# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Put into a pack how its styles go with its CLIP's features over a population, which `pull` leans on.

    python -m ppstyleclip.worlds.portrait.training.population --pack pack --faces 2560

It goes into the pack's relevance, and has to be measured anew for another generator or CLIP.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ppstyleclip.cli.argument_types import COUNT
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import read_metadata
from ppstyleclip.finite import finite_number
from ppstyleclip.methods.global_directions.regression import measure_regression
from ppstyleclip.progress import last
from ppstyleclip.worlds.portrait.training.plans import check_output
from ppstyleclip.zoo.directions import save_relevance
from ppstyleclip.zoo.load import load_pack
from ppstyleclip.zoo.pack import RELEVANCE

CHANGED = ("alpha", "beta", "pull", "within")  # defaults of edits that may be given


def add_population(pack, faces: int, **defaults) -> Path:
    """Measure and write it; returns the path of the pack's relevance.

    Args:
        pack: folder, with a relevance; one without a CLIP of its own names the embedded one there.
        faces: how many are drawn.
        defaults: fields of EditDefaults that change.
    """
    bundle, path = load_pack(pack), Path(pack) / RELEVANCE
    found = last(measure_regression(bundle.generator, bundle.clip, faces)).regression
    assert found is not None
    about = {word: text for word, text in read_metadata(path).items() if word != "defaults"}
    stated = dataclasses.replace(bundle.defaults, **defaults)
    relevance = dataclasses.replace(bundle.relevance, regression=found)
    save_relevance(path, relevance, defaults=stated, half=True, **about)
    return path


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--pack", required=True, help="folder")
    parser.add_argument("--faces", type=COUNT, default=2560, help="of the population")
    for word in CHANGED:
        parser.add_argument(f"--{word}", type=finite_number, help="default of edits; else as it is")
    args = parser.parse_args(argv)
    check_output(Path(args.pack) / RELEVANCE)
    changed = {word: value for word in CHANGED if (value := getattr(args, word)) is not None}
    path = add_population(args.pack, args.faces, **changed)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
