# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2EditingPredictor: edits by stored directions in w_plus, as PaddleGAN's class of this name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.apps.faces import load_face, save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.interpolate import move
from ppstyleclip.pictures import offset_labels, strip
from ppstyleclip.zoo import choose_direction, open_directions


def move_to_files(editor: Editor, face, direction, offsets, output_path) -> tuple:
    """Edit one face by a direction; write src.editing.png, dst.editing.png, dst.editing.npy.

    Args:
        editor: the editor.
        face: w_plus `[1, L, D]`.
        direction: `[L, D]`, `[1, D]` or `[D]`.
        offsets: strengths, at least one. The last one is dst; several also give strip.png, a labelled row.
        output_path: folder, made if need be.
    Returns:
        (src picture, dst picture: `[H, W, 3]` uint8; w_plus of dst `[L, D]`; paths of the files).
    Raises:
        UserError: as methods.interpolate.move; or the folder cannot be written.
    """
    folder = check_writable(output_path)
    w_plus = np.concatenate([move(face, direction, offset) for offset in (0, *offsets)])
    pictures = editor.render(w_plus)
    paths = [folder / name for name in ("src.editing.png", "dst.editing.png", "dst.editing.npy")]
    save_png(paths[0], pictures[0])
    save_png(paths[1], pictures[-1])
    save_latent(paths[2], w_plus[-1])
    if len(offsets) > 1:
        paths.append(folder / "strip.png")
        save_png(paths[3], strip(pictures[1:], offset_labels(offsets)))
    return pictures[0], pictures[-1], w_plus[-1], paths


class StyleGANv2EditingPredictor:
    """Edits faces by stored directions and writes the result, as PaddleGAN's class of this name.

    Args:
        model_type: a known model; None is the embedded face world.
        direction_path: file of directions instead of the model's own.
        output_path: folder of the pictures.
        weight_path: weights of the generator instead of the model's own.
        seed: not used, for nothing is drawn; PaddleGAN's class has it.
        bundle: folder of a model of one's own, in place of model_type.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
    Raises:
        UserError: unknown model, one without directions, an unreadable file, or a size that contradicts it.
    """

    def __init__(
        self,
        model_type=None,
        direction_path=None,
        output_path="output_dir",
        weight_path=None,
        seed=None,
        size=None,
        style_dim=None,
        n_mlp=None,
        channel_multiplier=None,
        bundle=None,
    ):
        self.output_path = Path(output_path)
        self.directions = open_directions(model_type, direction_path)
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

    def run(self, latent, direction, offset=0.0) -> tuple:
        """Write src.editing.png, dst.editing.png and dst.editing.npy.

        Args:
            latent: path of a latent file.
            direction: name of a direction; None where there is only one.
            offset: strength; 0 changes nothing.
        Returns:
            (src picture, dst picture, w_plus of dst `[L, D]`).
        """
        step = choose_direction(self.directions, direction)
        face = load_face(self.editor, latent)
        return move_to_files(self.editor, face, step, [offset], self.output_path)[:3]
