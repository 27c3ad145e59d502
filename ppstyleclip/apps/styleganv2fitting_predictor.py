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
from ppstyleclip.apps.optimize import mean_start
from ppstyleclip.apps.photo import LAST_RATE, START_RATE, aligned_faces, find_latents, whole_picture
from ppstyleclip.apps.quality import LARGE, in_words, load_measures, measure
from ppstyleclip.editor import Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.descent import geometric

FILES = ("src.fitting.png", "dst.fitting.png", "dst.fitting.npy")


@dataclass(frozen=True)
class Recipe:
    """How a latent is fitted.

    Attributes:
        step: how many, of Adam.
        start_lr, final_lr: its learning rates, in equal ratios from the one to the other.
        moving: how many layers of w_plus move, the first ones; None for all.
        compared: by "lpips" or "vgg", from LARGE pixels on.
        mse_weight: of the squared differences beside it, of pictures in [-1, 1].
        from_mean: begin with the mean latent even where there is an encoder.
    """

    step: int
    start_lr: float
    final_lr: float
    moving: int | None
    compared: str
    mse_weight: float
    from_mean: bool


RECIPES = {
    "paddlegan": Recipe(100, START_RATE, LAST_RATE, 12, "lpips", 1.0, from_mean=False),
    # As seed 001 has it, which takes pictures in [0, 1], where squared differences are a quarter.
    "image2stylegan": Recipe(1500, 0.02, 0.02, None, "vgg", 0.25, from_mean=True),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fitting made.

    Attributes:
        src, dst: the picture and what is drawn of it, `[S, S, 3]` uint8.
        w_plus: `[L, D]`.
        steps: how many it took.
        distance: "lpips", "vgg" or "plain".
        words: how near it came, from where, and in how many seconds.
    """

    src: np.ndarray
    dst: np.ndarray
    w_plus: np.ndarray
    steps: int
    distance: str
    words: str


def fit_to_files(
    editor: Editor,
    face,
    output_path,
    *,
    recipe="paddlegan",
    steps=None,
    start_lr=None,
    final_lr=None,
    latent_level=None,
    mse_weight=None,
    pre_latent=None,
    identity_path=None,
) -> Fitted:
    """Fit the latent of one face and write FILES.

    Args:
        editor: the editor.
        face: photo.AlignedFace.
        output_path: folder, made if need be.
        recipe: a name in RECIPES; what is None below is the recipe's.
        steps, start_lr, final_lr, mse_weight: as in Recipe.
        latent_level: layers of w_plus that move.
        pre_latent: path of a latent to begin with; None asks the encoder, or takes the mean latent.
        identity_path: as in quality.load_measures.
    Raises:
        UserError: bad numbers, a latent of another generator, or the folder cannot be written.
    """
    if recipe not in RECIPES:
        raise UserError(f"unknown recipe '{recipe}', known: {', '.join(RECIPES)}")
    chosen = RECIPES[recipe]
    steps, start_lr, final_lr, mse_weight = (
        usual if given is None else given
        for given, usual in (
            (steps, chosen.step),
            (start_lr, chosen.start_lr),
            (final_lr, chosen.final_lr),
            (mse_weight, chosen.mse_weight),
        )
    )
    if steps < 1 or not (start_lr > 0 and final_lr > 0):
        raise UserError(
            f"fitting needs at least one step and learning rates above 0, got {steps} steps, "
            f"{start_lr:g} and {final_lr:g}"
        )
    folder, distance = check_writable(output_path), _distance(editor.bundle.generator.size, chosen.compared)
    measures = load_measures(editor.bundle, identity_path, lpips=distance)
    start = _start(editor, face, chosen, pre_latent)
    levels = _levels(editor, chosen) if latent_level is None else latent_level
    begin = time.time()
    found = find_latents(
        editor,
        face.crop[None],
        start=start,
        steps=steps,
        distance=distance,
        levels=levels,
        mse_weight=mse_weight,
        rates=geometric(start_lr, final_lr, steps),
    )
    for w_plus in tqdm(found, total=steps + 1, desc="fitting"):
        last = w_plus
    seconds = time.time() - begin
    drawn = editor.render(np.concatenate([start, last]))
    save_png(folder / FILES[0], face.crop)
    save_png(folder / FILES[1], drawn[1])
    save_latent(folder / FILES[2], last[0])
    (words,) = in_words(measures, *(measure(measures, face.crop[None], part[None]) for part in drawn))
    return Fitted(
        face.crop,
        drawn[1],
        last[0],
        steps,
        "plain" if distance is None else distance.name,
        f"{words}, {seconds:.1f} s",
    )


def _start(editor, face, recipe, pre_latent) -> np.ndarray:
    if pre_latent is not None:
        return load_face(editor, pre_latent)
    return mean_start(editor, "w_plus") if recipe.from_mean else editor.invert(face.crop[None])


def _levels(editor, recipe) -> list:
    layers = editor.bundle.generator.n_latent
    return list(range(layers if recipe.moving is None else min(recipe.moving, layers)))


def _distance(size, kind):
    """LPIPS or VGG for large pictures, where its weights are to be had; else None, and a warning says so."""
    if size < LARGE:
        return None
    from ppstyleclip.methods.fitting import LpipsDistance, VggDistance
    from ppstyleclip.zoo import load_lpips, load_vgg

    try:
        return LpipsDistance(load_lpips()) if kind == "lpips" else VggDistance(load_vgg())
    except MissingFile as error:
        warnings.warn(
            f"no {kind.upper()}, so pictures are compared by plain differences at several scales: {error}",
            stacklevel=2,
        )
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

    def __init__(
        self,
        output_path="output_dir",
        weight_path=None,
        model_type=None,
        seed=None,
        size=None,
        style_dim=None,
        n_mlp=None,
        channel_multiplier=None,
        bundle=None,
    ):
        self.output_path = Path(output_path)
        self.editor = Editor.from_pretrained(
            model_type,
            bundle=bundle,
            weight_path=weight_path,
            size=size,
            style_dim=style_dim,
            n_mlp=n_mlp,
            channel_multiplier=channel_multiplier,
        )
        self.generator = self.editor.bundle.generator

    def run(
        self,
        image,
        need_align=False,
        start_lr=None,
        final_lr=None,
        latent_level=None,
        step=None,
        mse_weight=None,
        pre_latent=None,
        recipe="paddlegan",
    ) -> tuple:
        """Fit one picture; write src.fitting.png, dst.fitting.png and dst.fitting.npy.

        Args:
            image: path of the picture; need_align finds the face in it.
            start_lr, final_lr, latent_level, mse_weight, pre_latent, recipe: as in fit_to_files.
            step: how many steps.
        Returns:
            (src picture, dst picture, w_plus `[L, D]`).
        """
        bundle = self.editor.bundle
        face = aligned_faces(bundle, image)[1][0] if need_align else whole_picture(bundle, image)
        made = fit_to_files(
            self.editor,
            face,
            self.output_path,
            recipe=recipe,
            steps=step,
            start_lr=start_lr,
            final_lr=final_lr,
            latent_level=latent_level,
            mse_weight=mse_weight,
            pre_latent=pre_latent,
        )
        return made.src, made.dst, made.w_plus
