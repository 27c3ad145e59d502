# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2ClipPredictor: text-driven editing with the arguments and files of PaddleGAN's class.

As a script it has the two run types of PaddleGAN's tutorial:

    python ppstyleclip/apps/styleganv2clip_predictor.py extract
    python ppstyleclip/apps/styleganv2clip_predictor.py generate --neutral face --target "happy face"
"""

from __future__ import annotations

if __name__ == "__main__":  # as a script: before the imports below bring Paddle in, on one core
    from ppstyleclip.threads import import_paddle

    import_paddle()

import argparse
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import paddle

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.apps.faces import load_face
from ppstyleclip.cli.run import run_cli
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.files import check_writable, save_png, write_atomic
from ppstyleclip.methods.global_direction import StyleDirection, largest_beta
from ppstyleclip.pictures import offset_labels, strip
from ppstyleclip.text import text_direction


@dataclass(frozen=True, eq=False)
class EditedFace:
    """What an edit command made.

    Attributes:
        src, dst: the pictures before and after, `[H, W, 3]` uint8; dst is of the last offset.
        dst_styles: list of K style tensors `[1, C_k]` behind dst.
        edit: the edit with every default filled in; its alpha is the last offset.
        direction: its style direction; `direction.num_channels` is how many channels moved.
        written: the files, in the order they were written.
    """

    src: np.ndarray
    dst: np.ndarray
    dst_styles: list
    edit: Edit
    direction: StyleDirection
    written: tuple


def edit_to_files(editor: Editor, face, edit: Edit, offsets, output_path) -> EditedFace:
    """Edit one face and write src.editing.png, dst.editing.png, dst.editing.pd; nothing if the edit fails.

    Args:
        editor: the editor.
        face: w_plus `[1, L, D]` or s `[1, S]`.
        edit: the edit; `offsets` take the place of its alpha.
        offsets: strengths, at least one. The last one is dst; several also give strip.png, a labelled row.
        output_path: folder, made if need be.
    Raises:
        UserError: see Editor.direction and Editor.styles; or the folder cannot be written.
    """
    folder, offsets = check_writable(output_path), [float(offset) for offset in offsets]
    s = editor.apply(face, edit, [0.0, *offsets])
    pixels = editor.render(s)
    dst_styles = editor.bundle.layout.unflatten(s[-1:])
    save_png(folder / "src.editing.png", pixels[0])
    save_png(folder / "dst.editing.png", pixels[-1])
    write_atomic(folder / "dst.editing.pd", _saved(dst_styles))
    written = ["src.editing.png", "dst.editing.png", "dst.editing.pd"]
    if len(offsets) > 1:
        save_png(folder / "strip.png", strip(pixels[1:], offset_labels(offsets)))
        written.append("strip.png")
    edit = replace(editor.resolve(edit), alpha=offsets[-1])
    return EditedFace(
        pixels[0],
        pixels[-1],
        dst_styles,
        edit,
        editor.direction(edit),
        tuple(folder / name for name in written),
    )


class StyleGANv2ClipPredictor:
    """Edits faces by text and writes the result, as PaddleGAN's class of this name.

    Args:
        model_type: a known model; None is the embedded face world.
        direction_path, stat_path: relevance and statistics instead of the model's own.
        output_path: folder of the results.
        weight_path: weights of the generator instead of the model's own.
        bundle: folder of a model of one's own, in place of model_type.
        seed: the face that is edited when `run` gets no latent.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
    Raises:
        UserError: unknown model, unreadable file, or parts that do not fit together.
    """

    def __init__(
        self,
        model_type=None,
        direction_path=None,
        stat_path=None,
        *,
        output_path="output_dir",
        weight_path=None,
        bundle=None,
        seed=None,
        size=None,
        style_dim=None,
        n_mlp=None,
        channel_multiplier=None,
    ):
        self.output_path, self.seed = Path(output_path), DEFAULT_SEED if seed is None else seed
        self.editor = Editor.from_pretrained(
            model_type,
            bundle=bundle,
            weight_path=weight_path,
            direction_path=direction_path,
            stat_path=stat_path,
            size=size,
            style_dim=style_dim,
            n_mlp=n_mlp,
            channel_multiplier=channel_multiplier,
        )
        self.generator = self.editor.bundle.generator

    def get_delta_s(self, neutral, target, beta_threshold=None, relative=False, soft_threshold=0.0) -> list:
        """Return the style direction of two texts as a list of K tensors `[C_k]`.

        Args:
            neutral, target: the texts.
            beta_threshold: None is the bundle's default; with `relative`, a share of the largest usable one.
            relative: see beta_threshold.
            soft_threshold: share of its movement that a channel below the threshold keeps.
        """
        edit = self.editor.resolve(Edit(neutral, target, beta=beta_threshold, soft=float(soft_threshold)))
        if relative:
            bundle = self.editor.bundle
            dt = text_direction(bundle.clip, neutral, target, templates=edit.templates)
            edit = replace(edit, beta=edit.beta * largest_beta(bundle.relevance, dt))
        return self.editor.bundle.layout.unflatten(paddle.to_tensor(self.editor.direction(edit).ds))

    @paddle.no_grad()
    def generate(self, latent, delta_s, lst_alpha) -> tuple[list, list]:
        """Draw a latent at several strengths of a direction.

        Args:
            latent: w_plus `[N, L, D]`.
            delta_s: K tensors `[C_k]`, as get_delta_s returns them.
            lst_alpha: A strengths.
        Returns:
            (A images `[N, 3, H, W]`, about [-1, 1]; A lists of K styles `[N, C_k]`).
        """
        layout, s = self.editor.bundle.layout, self.editor.styles(latent)
        ds = layout.flatten(delta_s)
        styles = [layout.unflatten(s + float(alpha) * ds) for alpha in lst_alpha]
        return [paddle.to_tensor(self.editor.paint(one)) for one in styles], styles

    gengrate = generate  # the name that PaddleGAN's class has for it

    def run(self, latent=None, neutral="face", target=None, offset=None, beta_threshold=None) -> tuple:
        """Edit one face and write src.editing.png, dst.editing.png and dst.editing.pd.

        Args:
            latent: path of a latent file; None samples a face from the seed.
            neutral, target: the texts.
            offset: strength; None is the bundle's default.
            beta_threshold: None is the bundle's default.
        Returns:
            (src picture, dst picture, list of K style tensors of dst).
        """
        edit = self.editor.resolve(Edit(neutral, target, alpha=offset, beta=beta_threshold))
        face = self.editor.sample(self.seed) if latent is None else load_face(self.editor, latent)
        edited = edit_to_files(self.editor, face, edit, [edit.alpha], self.output_path)
        return edited.src, edited.dst, edited.dst_styles


def _saved(styles) -> bytes:
    """The bytes that `paddle.save` makes of a list of tensors."""
    memory = io.BytesIO()
    paddle.save(list(styles), memory)
    return memory.getvalue()


def parse_args(argv=None) -> argparse.Namespace:
    """Read the arguments of `generate`; they are those of PaddleGAN's script."""
    parser = argparse.ArgumentParser(description="Edit a face by text; tools/styleganv2clip.py can do more.")
    parser.add_argument("--latent", help="latent of the face (default: a sampled face)")
    parser.add_argument("--neutral", default="face", help="what the picture shows (default: face)")
    parser.add_argument("--target", required=True, help="what it should show, such as 'happy face'")
    parser.add_argument("--direction_path", help="relevance, in place of the model's own")
    parser.add_argument("--stat_path", help="statistics of the styles, in place of the model's own")
    parser.add_argument("--direction_offset", type=float, help="strength (default: the model's own)")
    parser.add_argument("--beta_threshold", type=float, help="threshold (default: the model's own)")
    parser.add_argument("--dataset_name", "--model_type", help="known model (default: the embedded one)")
    parser.add_argument("--output_path", default="output_dir", help="folder (default: output_dir)")
    return parser.parse_args(argv)


def run_generate(argv) -> None:
    """Edit and write, and say where."""
    args = parse_args(argv)
    predictor = StyleGANv2ClipPredictor(
        args.dataset_name, args.direction_path, args.stat_path, output_path=args.output_path
    )
    predictor.run(args.latent, args.neutral, args.target, args.direction_offset, args.beta_threshold)
    print(f"wrote src.editing.png, dst.editing.png and dst.editing.pd in {args.output_path}")


def main(argv=None) -> int:
    """Run `generate` here, or hand `extract` on to what tools/styleclip_extract.py runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_type", choices=("extract", "generate"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the run type (--help lists them)")
    args = parser.parse_args(argv)
    if args.run_type == "generate":
        return run_cli(run_generate, args.arguments)
    from ppstyleclip.apps.extract import run_extract

    return run_cli(run_extract, args.arguments)


if __name__ == "__main__":
    raise SystemExit(main())
