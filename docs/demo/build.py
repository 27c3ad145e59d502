# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Build the demo page: the embedded model as ONNX, the page, and onnxruntime-web from npm by the lock file.

    pip install "ppstyleclip[cpu,onnx]"
    python docs/demo/build.py
    python -m http.server -d docs/demo/build 8000

What is in build/ then can be put on any server of files; nothing is computed there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ppstyleclip import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.export import ExportConfig, export_model
from ppstyleclip.progress import last
from ppstyleclip.provenance import Label

HERE = Path(__file__).resolve().parent
PARTS = ("mapping", "affine", "synthesis")
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
SEEDS = (58, 14, 33, 5, 77, 20)  # of the first faces; further ones are drawn by chance
MOST_ALPHA = 8
DIRECTIONS = {
    "smiling face": ("Smile", "微笑"),
    "angry face": ("Anger", "生气"),
    "surprised face": ("Surprise", "惊讶"),
    "face with long hair": ("Long hair", "长发"),
    "face with curly hair": ("Curls", "卷发"),
    "face with blond hair": ("Blond hair", "金发"),
    "face with glasses": ("Glasses", "眼镜"),
    "face with a beard": ("Beard", "胡须"),
    "old face": ("Age", "年老"),
    "face with red lips": ("Red lips", "红唇"),
}


def build_model(editor: Editor, folder: Path, side: int | None = None) -> int:
    """Write networks, faces, directions and what the page has to know of them; bytes of it all.

    Pictures stop at `side` pixels; None is the generator's own size.
    """
    edits = tuple(Edit("face", target) for target in DIRECTIONS)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as made:
        last(export_model(editor, made, ExportConfig(PARTS, ("onnx",), half=True, edits=edits, side=side)))
        for part in PARTS:
            shutil.copy(Path(made) / "onnx" / f"{part}.onnx", folder)
    faces = editor.styles(editor.sample(SEEDS)).numpy()
    directions = np.stack([editor.direction(edit).ds for edit in edits])
    (folder / "faces.bin").write_bytes(np.asarray(faces, "<f4").tobytes())
    (folder / "directions.bin").write_bytes(np.asarray(directions, "<f4").tobytes())
    size = sum(path.stat().st_size for path in folder.iterdir())
    generator = editor.bundle.generator
    about = {
        "size": side or generator.size,
        "style_dim": generator.style_dim,
        "n_latent": generator.n_latent,
        "channels": editor.bundle.layout.size,
        "truncation": editor.bundle.defaults.truncation,
        "mean_w": editor.mean_w_plus()[0, 0].tolist(),
        "most": MOST_ALPHA,
        "bytes": size,
        "directions": [{"text": text, "en": en, "zh": zh} for text, (en, zh) in DIRECTIONS.items()],
        "texts": Label().texts(),
    }
    (folder / "model.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    return size


def install_runtime(folder: Path) -> None:
    """Fetch onnxruntime-web by the lock file, and put what the page loads of it into a folder.

    Raises:
        UserError: there is no npm.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("there is no npm; install Node.js, or build with --no_runtime")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:  # 140 MB, of which two files are kept
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place)
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
        for name in RUNTIME:
            shutil.copy(Path(place) / "node_modules" / "onnxruntime-web" / "dist" / name, folder)


def main(argv: list[str] | None = None) -> None:
    """Build, and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=HERE / "build", help="folder to write")
    parser.add_argument("--bundle", help="folder of a model that is drawn in place of the embedded one")
    parser.add_argument(
        "--side", type=int, default=128, help="pixels of a picture, 0 for the model's own (default: 128)"
    )
    parser.add_argument("--no_runtime", action="store_true", help="leave out onnxruntime-web")
    args = parser.parse_args(argv)
    editor = Editor.from_pretrained(bundle=args.bundle)
    shutil.copytree(HERE / "page", args.out, dirs_exist_ok=True)
    size = build_model(editor, args.out / "model", args.side or None)
    page = sum(path.stat().st_size for path in (HERE / "page").iterdir())
    print(f"wrote {args.out}: page {page / 1e6:.2f} MB, model {size / 1e6:.2f} MB")
    if not args.no_runtime:
        install_runtime(args.out / "ort")


if __name__ == "__main__":
    main()
