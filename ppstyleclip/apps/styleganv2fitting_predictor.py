# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2FittingPredictor: a photo's latent by optimisation, as PaddleGAN's class of this name."""
from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.faces import load_face, save_latent
from ppstyleclip.apps.photo import LAST_RATE, START_RATE, aligned_faces, find_latents, psnr, whole_picture
from ppstyleclip.editor import Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.descent import geometric

FILES = ("src.fitting.png", "dst.fitting.png", "dst.fitting.npy")
LEVELS = 12  # PaddleGAN moves the first twelve of 18
LARGE = 256  # pixels: from here on LPIPS is wanted


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fitting made.

    Attributes:
        src, dst: the picture and what is drawn of it, `[S, S, 3]` uint8.
        w_plus: `[L, D]`.
        before, after: PSNR in dB of the start and of the end.
        seconds: of the fitting.
        distance: "lpips" or "plain".
    """

    src: np.ndarray
    dst: np.ndarray
    w_plus: np.ndarray
    before: float
    after: float
    seconds: float
    distance: str


def fit_to_files(editor: Editor, face, output_path, *, steps=100, start_lr=START_RATE, final_lr=LAST_RATE,
                 latent_level=None, mse_weight=1.0, pre_latent=None) -> Fitted:
    """Fit the latent of one face and write FILES.

    Args:
        editor: the editor.
        face: photo.AlignedFace.
        output_path: folder, made if need be.
        steps: of Adam, at least 1.
        start_lr, final_lr: its learning rates, in equal ratios from the one to the other.
        latent_level: layers of w_plus that move; None is the first LEVELS, or all there are.
        mse_weight: of the squared differences beside LPIPS.
        pre_latent: path of a latent to begin with; None asks the encoder, or takes the mean latent.
    Raises:
        UserError: bad numbers, a latent of another generator, or the folder cannot be written.
    """
    if steps < 1 or not (start_lr > 0 and final_lr > 0):
        raise UserError(f"fitting needs at least one step and learning rates above 0, got {steps} steps, "
                        f"{start_lr:g} and {final_lr:g}")
    folder, layers = check_writable(output_path), editor.bundle.generator.n_latent
    distance = _distance(editor.bundle.generator.size)
    start = editor.invert(face.crop[None]) if pre_latent is None else load_face(editor, pre_latent)
    levels = list(range(min(LEVELS, layers))) if latent_level is None else latent_level
    begin = time.time()
    found = find_latents(editor, face.crop[None], start=start, steps=steps, distance=distance, levels=levels,
                         mse_weight=mse_weight, rates=geometric(start_lr, final_lr, steps))
    for w_plus in tqdm(found, total=steps + 1, desc="fitting"):
        last = w_plus
    seconds = time.time() - begin
    drawn = editor.render(np.concatenate([start, last]))
    quality = psnr(np.stack([face.crop] * 2), drawn)
    save_png(folder / FILES[0], face.crop)
    save_png(folder / FILES[1], drawn[1])
    save_latent(folder / FILES[2], last[0])
    return Fitted(face.crop, drawn[1], last[0], float(quality[0]), float(quality[1]), seconds,
                  "plain" if distance is None else distance.name)


def _distance(size):
    """LPIPS for large pictures, where its weights are to be had; else None, and a warning says so."""
    if size < LARGE:
        return None
    from ppstyleclip.methods.fitting import LpipsDistance
    from ppstyleclip.zoo import load_lpips

    try:
        return LpipsDistance(load_lpips())
    except MissingFile as error:
        warnings.warn(f"no LPIPS, so pictures are compared by plain differences at several scales: {error}",
                      stacklevel=2)
        return None


class StyleGANv2FittingPredictor:
    """Fits latents to photos and writes the result, as PaddleGAN's class of this name; arguments likewise.

    Args:
        output_path: folder of the results.
        weight_path: weights of the generator; None takes those of `model_type`.
        model_type: a known model; None is the embedded face world.
        seed: not used, for nothing is drawn at random; PaddleGAN's class has it.
        bundle: folder of a model of one's own, in place of model_type.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
    Raises:
        UserError: unknown model, unreadable weights, or a size that contradicts them.
    """

    def __init__(self, output_path="output_dir", weight_path=None, model_type=None, seed=None,
                 size=None, style_dim=None, n_mlp=None, channel_multiplier=None, bundle=None):
        self.output_path = Path(output_path)
        self.editor = Editor.from_pretrained(
            model_type, bundle=bundle, weight_path=weight_path, size=size, style_dim=style_dim, n_mlp=n_mlp,
            channel_multiplier=channel_multiplier)
        self.generator = self.editor.bundle.generator

    def run(self, image, need_align=False, start_lr=START_RATE, final_lr=LAST_RATE, latent_level=None,
            step=100, mse_weight=1, pre_latent=None) -> tuple:
        """Fit one picture; write src.fitting.png, dst.fitting.png and dst.fitting.npy.

        Args:
            image: path of the picture; need_align finds the face in it.
            start_lr, final_lr, latent_level, mse_weight, pre_latent: as in fit_to_files.
            step: how many steps.
        Returns:
            (src picture, dst picture, w_plus `[L, D]`).
        """
        bundle = self.editor.bundle
        face = aligned_faces(bundle, image)[1][0] if need_align else whole_picture(bundle, image)
        made = fit_to_files(self.editor, face, self.output_path, steps=step, start_lr=start_lr,
                            final_lr=final_lr, latent_level=latent_level, mse_weight=mse_weight,
                            pre_latent=pre_latent)
        return made.src, made.dst, made.w_plus
