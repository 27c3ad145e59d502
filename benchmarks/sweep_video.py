# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A sweep of an edit's strength on one inverted face, as a video, and how much it trembles.

    python benchmarks/sweep_video.py --output sweep

A face in a drawn scene is found, cut out and inverted once; the edit grows from nothing to its default
strength and beyond, frame by frame, and each frame is put back into the photo. Printed is the root mean
square of second differences in time, in levels of 0 to 255, of all frames, and of every second and every
fourth. Where a face moves evenly they grow by four from one to the next; where it trembles they stay as
large. Rounding to whole levels is such a tremble, so the face is measured before it as well. Written are
sweep.mp4 and a strip of stills.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ppstyleclip import Edit, Editor
from ppstyleclip.align import align_face, find_faces, paste_back
from ppstyleclip.files import save_png
from ppstyleclip.finite import finite_number
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pictures import strip
from ppstyleclip.pipelines.faces import load_finder
from ppstyleclip.pipelines.inversion import find_latents
from ppstyleclip.progress import last
from ppstyleclip.video import save_mp4
from ppstyleclip.worlds.portrait.scenes import draw_scene

SIZE, SIDES = (480, 360), (190, 200)


def sweep(editor: Editor, photo: np.ndarray, edit: Edit, shares: np.ndarray, steps: int):
    """Draw an edit at shares of its strength.

    Returns:
        (faces `[T, S, S, 3]` in levels, not rounded; photos `[T, H, W, 3]` uint8; rows and columns of the
        face's frame in them)
    """
    faces = find_faces(load_finder(editor.bundle), photo)
    if not faces:
        raise SystemExit("no face is found in this scene; take another seed")
    crop, alignment = align_face(photo, faces[0].landmarks, editor.bundle.generator.size, editor.bundle.crop)
    w_plus = last(find_latents(editor, crop[None], FittingConfig(steps=steps))).w_plus
    s = editor.styles(w_plus).numpy() + shares[:, None].astype(np.float32) * editor.step(edit)
    drawn, before = (_levels(editor.synthesize(face)) for face in (s, w_plus))
    photos = np.stack([paste_back(photo, alignment, face, before[0]) for face in drawn])
    low, high = alignment.quad.min(0).clip(0).astype(int), alignment.quad.max(0).astype(int)
    return drawn, photos, (slice(low[1], high[1]), slice(low[0], high[0]))


def _levels(images: np.ndarray) -> np.ndarray:
    """`[N, 3, H, W]` in [-1, 1] to `[N, H, W, 3]` of 0 to 255."""
    return np.clip((images.transpose(0, 2, 3, 1) + 1) * 127.5, 0, 255)


def trembling(frames: np.ndarray) -> float:
    """Root mean square of second differences in time, in levels."""
    return float(np.sqrt((np.diff(frames.astype(np.float32), 2, axis=0) ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=58, help="of the scene")
    parser.add_argument("--target", default="happy face")
    parser.add_argument("--frames", type=int, default=37)
    parser.add_argument("--most", type=finite_number, default=1.2, help="share of the default strength")
    parser.add_argument("--steps", type=int, default=60, help="of fitting")
    parser.add_argument("--stills", type=int, default=6, help="in the strip")
    parser.add_argument("--output", type=Path, default=Path("sweep"), help="folder")
    args = parser.parse_args()
    editor, shares = Editor.from_pretrained(), np.linspace(0, args.most, args.frames)
    photo = draw_scene(args.seed, faces=1, width=SIZE[0], height=SIZE[1], sides=SIDES).pixels
    drawn, photos, (rows, columns) = sweep(editor, photo, Edit("face", args.target), shares, args.steps)
    for name, frames in (("face", drawn), ("face, rounded", np.rint(drawn)), ("photo", photos)):
        figures = ", ".join(f"{trembling(frames[::step]):.3f}" for step in (1, 2, 4))
        print(f"{name}: {figures} levels, all frames, every second, every fourth", flush=True)
    there_and_back = np.concatenate([photos, photos[-2::-1]])
    args.output.mkdir(parents=True, exist_ok=True)
    save_mp4(args.output / "sweep.mp4", there_and_back, fps=24)
    shown = np.linspace(0, args.frames - 1, args.stills).round().astype(int)
    stills = photos[shown][:, rows, columns]
    save_png(args.output / "strip.png", strip(stills, [f"{shares[k]:.2f}" for k in shown]))


if __name__ == "__main__":
    main()
