# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write a fitted CLIP as the file that `ppstyleclip.zoo.load_clip` reads.

    python -m ppstyleclip.worlds.portrait.training.clip.export --folder run --output clip.safetensors

It holds the moving average of the fit's weights, of its best report or of its last checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import MissingFile
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.models.clip_tokens import prompt_words
from ppstyleclip.models.clip_words import vocabulary_tokens
from ppstyleclip.worlds.portrait.captions.vocabulary import vocabulary
from ppstyleclip.worlds.portrait.training.plans import check_output

FULL_TABLE = 49408  # tokens of CLIP


def save_clip(path, clip, *, half=True):
    """Write a CLIP in the form of `ppstyleclip.zoo.save_clip`; returns its fingerprint."""
    from ppstyleclip.worlds.portrait.training.clip.network import token_ids

    state = {key: value.detach().float().numpy() for key, value in clip.state_dict().items()}
    words = sorted(set(prompt_words(" ".join(vocabulary()))))
    kept = np.array(vocabulary_tokens(words))
    table = state["token_embedding.weight"]
    state["token_embedding.weight"] = table[np.searchsorted(token_ids(), kept)]
    if half:
        state = {key: value.astype(np.float16) for key, value in state.items()}
    state["token_ids"] = kept.astype(np.int32)
    mark = fingerprint({k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in state.items()})
    layers = clip.config["vision_layers"]
    layers = layers if isinstance(layers, int) else list(layers)
    config = {**clip.config, "vision_layers": layers, "vocab_size": FULL_TABLE, "vocabulary": words}
    about = {"kind": "ppstyleclip clip", "name": config["name"], "fingerprint": mark}
    write_safetensors(path, state, {**about, "config": json.dumps(config)})
    return mark


def load_fitted(folder, which="best", config=None):
    """(moving average of a fit's best report, or else of its last checkpoint; pictures that it has seen)."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.clip.__main__ import BEST
    from ppstyleclip.worlds.portrait.training.clip.fit import STATE
    from ppstyleclip.worlds.portrait.training.clip.network import COMMAND, Clip

    path = Path(folder) / (BEST if which == "best" and (Path(folder) / BEST).exists() else STATE)
    state = checkpoint.load(path, "average", "pictures")
    if state is None:
        raise MissingFile(f"{folder} holds no fitted CLIP; fit one: {COMMAND} --folder {folder}")
    clip = Clip(config)
    checkpoint.put(clip, state["average"], path, "it was fitted with another --config")
    return clip.eval(), state["pictures"]


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--output", required=True, help="the file")
    parser.add_argument("--which", default="best", choices=("best", "last"))
    parser.add_argument("--float32", action="store_true", help="in place of float16")
    args = parser.parse_args(argv)
    check_output(args.output)
    clip, pictures = load_fitted(args.folder, args.which)
    mark = save_clip(args.output, clip, half=not args.float32)
    print(
        f"{args.output}: {Path(args.output).stat().st_size / 1e6:.2f} MB, {mark}, after {pictures} pictures"
    )


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
