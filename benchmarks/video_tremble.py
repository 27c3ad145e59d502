# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How much an edited face trembles from frame to frame, with and without smoothing of its latents.

A drawn face moves evenly through a film, with a camera's noise in each frame; its expression does not
change, so neither should the edited face. Printed is the root mean square of second differences in time of
the edited face as it is drawn, before it is put back, in levels of 0 to 255. How much its place trembles is
another question, which landmarks decide (`--smooth`).

    python benchmarks/video_tremble.py --out film        # writes the films too
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ppstyleclip import Edit, Editor
from ppstyleclip.finite import finite_number
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.frame_passes import (
    FrameFaces,
    draw_frames,
    find_frame_latents,
    smooth_frame_latents,
)
from ppstyleclip.pipelines.frames import FramesConfig, find_frame_faces
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.video import save_mp4
from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z
from ppstyleclip.worlds.portrait.scenes import draw_ground, place_face


def film_of(seed: int, count: int, *, noise: float, size: tuple[int, int] = (480, 360), side: int = 200):
    """Draw a film: frames `[N, H, W, 3]` uint8 with one face whose frame has `side` pixels."""
    random, (width, height) = np.random.RandomState(seed), size
    ground, person = draw_ground(random, width, height), factors_from_z(sample_z(seed, 1))[0]
    frames = []
    for share in np.linspace(0, 1, count):
        pixels = ground.copy()
        place_face(pixels, person, (width * (0.4 + 0.2 * share), height * 0.5), side, -8 + 16 * share)
        pixels += noise * random.randn(*pixels.shape)
        frames.append(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    return np.stack(frames)


def tremble(editor: Editor, edit: Edit, known: list[FrameFaces]) -> float:
    """Root mean square of second differences in time of the edited face, of a film with one in each frame."""
    s = editor.styles(np.concatenate([one.w_plus for one in known])).numpy() + editor.step(edit)
    return float(np.sqrt((np.diff(editor.render(s).astype(np.float32), 2, axis=0) ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[9])
    parser.add_argument("--noise", type=finite_number, default=4.0, help="of the camera, levels")
    parser.add_argument("--steps", type=int, default=60, help="of fitting")
    parser.add_argument("--target", default="happy face")
    parser.add_argument("--radii", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--out", help="folder for the films")
    args = parser.parse_args()
    editor, edit = Editor.from_pretrained(), Edit("face", args.target)
    for seed in args.seeds:
        frames = film_of(seed, args.frames, noise=args.noise)
        config = FramesConfig(fitting=FittingConfig(steps=args.steps), smooth=2)
        faces = result_of(find_frame_faces(editor, frames, config))
        rows = [row.found for row in find_frame_latents(editor, frames, faces, config) if row.found]
        if not all(len(one.faces) == 1 for one in rows):
            raise SystemExit(f"the face of seed {seed} is not found in every frame; take another seed")
        for radius in args.radii:
            known = list(smooth_frame_latents(rows, radius))
            print(f"seed {seed}, {2 * radius + 1} frames: {tremble(editor, edit, known):.2f}", flush=True)
            if args.out:
                made = [record.pixels for record in draw_frames(editor, frames, known, edit, config)]
                save_mp4(Path(args.out) / f"edited-{seed}-{radius}.mp4", made, fps=20)
        if args.out:
            save_mp4(Path(args.out) / f"film-{seed}.mp4", frames, fps=20)


if __name__ == "__main__":
    main()
