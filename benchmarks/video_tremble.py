# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How much an edited face trembles from frame to frame, with and without smoothing of its latents.

A drawn face moves evenly through a film of its own, with a camera's noise in each frame; its expression does
not change, so neither should the edited face. That is laid over the frames as it is drawn (paste "replace"),
without the camera's noise. Each frame is cut along the face's true frame, so what is left over time is
trembling: printed is the root mean square of second differences in time over the inner part of the face's
frame, in levels of 0 to 255, beside that of the film, which is its noise.

    python benchmarks/video_tremble.py --out film        # writes the films too, the faces pasted by "blend"
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ppstyleclip import Edit, Editor
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.frame_passes import draw_frames, find_frame_latents, smooth_frame_latents
from ppstyleclip.pipelines.frames import FramesConfig, find_frame_faces
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.video import save_mp4
from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z
from ppstyleclip.worlds.portrait.scenes import draw_ground, place_face

EDGE = 0.2  # of the frame's side, that is left out: there the face fades into the film


def film_of(seed: int, count: int, *, noise: float, size: tuple[int, int] = (480, 360), side: int = 200):
    """Draw a film; returns frames `[N, H, W, 3]` uint8 and corners `[N, 4, 2]` of the face."""
    random, (width, height) = np.random.RandomState(seed), size
    ground, person = draw_ground(random, width, height), factors_from_z(sample_z(seed, 1))[0]
    frames, corners = [], []
    for share in np.linspace(0, 1, count):
        pixels = ground.copy()
        centre = (width * (0.4 + 0.2 * share), height * 0.5)
        corners.append(place_face(pixels, person, centre, side, -8 + 16 * share).frame)
        pixels += noise * random.randn(*pixels.shape)
        frames.append(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    return np.stack(frames), np.stack(corners)


def crops_of(frames: np.ndarray, corners: np.ndarray, side: int = 128) -> np.ndarray:
    """`[N, side, side, 3]` float32, cut along the frame of the face."""
    square = np.float32([[0, 0], [0, side], [side, side]])
    return np.stack(
        [
            cv2.warpAffine(frame, cv2.getAffineTransform(np.float32(own[:3]), square), (side, side))
            for frame, own in zip(frames, corners)
        ]
    ).astype(np.float32)


def tremble(frames: np.ndarray, corners: np.ndarray) -> float:
    """Root mean square of second differences in time, over the inner part of the face's frame."""
    crops = crops_of(frames, corners)
    edge = round(EDGE * crops.shape[1])
    return float(np.sqrt((np.diff(crops[:, edge:-edge, edge:-edge], 2, axis=0) ** 2).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[9])
    parser.add_argument("--noise", type=float, default=4.0, help="of the camera, levels")
    parser.add_argument("--steps", type=int, default=60, help="of fitting")
    parser.add_argument("--target", default="happy face")
    parser.add_argument("--radii", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--out", help="folder for the films")
    args = parser.parse_args()
    editor, edit = Editor.from_pretrained(), Edit("face", args.target)
    for seed in args.seeds:
        frames, corners = film_of(seed, args.frames, noise=args.noise)
        print(f"seed {seed}: film {tremble(frames, corners):.2f}", flush=True)
        config = FramesConfig(fitting=FittingConfig(steps=args.steps), paste="replace", smooth=2)
        faces = result_of(find_frame_faces(editor, frames, config))
        rows = [row.found for row in find_frame_latents(editor, frames, faces, config) if row.found]
        for radius in args.radii:
            known = list(smooth_frame_latents(rows, radius))
            made = [record.pixels for record in draw_frames(editor, frames, known, edit, config)]
            shown = f"{tremble(np.stack(made), corners):.2f}"
            print(f"  latents over {2 * radius + 1} frames: edited face {shown}", flush=True)
            if args.out:
                records = draw_frames(editor, frames, known, edit, replace(config, paste="blend"))
                blended = [record.pixels for record in records]
                save_mp4(Path(args.out) / f"edited-{seed}-{radius}.mp4", blended, fps=20)
        if args.out:
            save_mp4(Path(args.out) / f"film-{seed}.mp4", frames, fps=20)


if __name__ == "__main__":
    main()
