# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw a face of an exported model and edit it, with NumPy and onnxruntime alone:

python run.py face.png --seed 58 --edit "smiling face=5" --edit "face with long hair=3"
"""

import argparse
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent


def run(part, **arrays):
    """What a part of the model makes of float32 arrays."""
    session = onnxruntime.InferenceSession(str(HERE / "onnx" / f"{part}.onnx"), providers=PROVIDERS)
    return session.run(None, {name: np.asarray(array, np.float32) for name, array in arrays.items()})[0]


def write_png(path, pixels, texts):
    """Write `[H, W, 3]` uint8, and texts that say in the file that the picture is synthetic."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0))]
    chunks += [(b"iTXt", name.encode() + b"\0" * 5 + text.encode()) for name, text in texts.items()]
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    Path(path).write_bytes(data)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("picture", help="the PNG to write")
parser.add_argument("--seed", type=int, default=58, help="of the face (default: %(default)s)")
parser.add_argument("--latent", help="a .npy with w_plus [1, L, D], in place of a seed")
parser.add_argument("--edit", action="append", default=[], metavar="NAME=ALPHA", help="may be repeated")
if __name__ == "__main__":
    args = parser.parse_args()
    PROVIDERS = onnxruntime.get_available_providers()
    model = json.loads((HERE / "model.json").read_text(encoding="utf-8"))
    directions, means = np.load(HERE / "directions.npz"), np.load(HERE / "statistics.npz")
    if args.latent:
        w_plus = np.load(args.latent)
    else:
        w = run("mapping", z=np.random.RandomState(args.seed).standard_normal([1, model["style_dim"]]))
        w = means["mean_w"] + (w - means["mean_w"]) * model["truncation"]
        w_plus = np.repeat(w[:, None], model["n_latent"], axis=1)
    s = start = run("affine", w_plus=w_plus)
    for name, _, alpha in (edit.rpartition("=") for edit in args.edit):
        if name not in directions:
            parser.error(f"there is no direction '{name}'; known: {', '.join(directions)}")
        s = s + float(alpha) * directions[name]
    if model["within"]:  # deviations of the styles that an edit keeps to
        low, high = (means["mean"] + model["within"] * side for side in (-means["below"], means["above"]))
        s = np.clip(s, np.minimum(low, start), np.maximum(high, start))
    images = run("synthesis", s=s)
    pixels = np.rint((images[0].transpose(1, 2, 0).clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    write_png(args.picture, pixels, model["texts"])
