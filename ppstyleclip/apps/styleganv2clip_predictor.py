# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2ClipPredictor: text-driven editing with the arguments and files of PaddleGAN's class.

As a script it has the run types of PaddleGAN's:

    python ppstyleclip/apps/styleganv2clip_predictor.py extract
    python ppstyleclip/apps/styleganv2clip_predictor.py generate --neutral face --target "happy face"
    python ppstyleclip/apps/styleganv2clip_predictor.py test
"""

from __future__ import annotations

if __name__ == "__main__":  # as a script: before the imports below bring Paddle in, on one core
    from ppstyleclip.threads import import_paddle

    import_paddle()

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.apps.manipulator import Manipulator, get_delta_t, get_ds_from_dt
from ppstyleclip.apps.styleganv2_predictor import StyleGANv2Predictor
from ppstyleclip.cli.parser import CommandParser
from ppstyleclip.cli.run import run_cli
from ppstyleclip.cli.saving import save_labelled, save_text_edit
from ppstyleclip.editor import Edit, Face
from ppstyleclip.files import check_writable
from ppstyleclip.finite import finite_number
from ppstyleclip.methods.checks import check_signed
from ppstyleclip.methods.global_directions import largest_beta
from ppstyleclip.pictures import enlarged, grid, to_pixels
from ppstyleclip.pipelines.editing import edit_face
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.text import text_direction
from ppstyleclip.worker import on_worker

__all__ = ["Manipulator", "StyleGANv2ClipPredictor", "get_delta_t", "get_ds_from_dt"]
TEST_IMAGES, TEST_LAYER, TEST_CHANNEL, TEST_ALPHAS = 2, 6, 501, (-5, 0, 5)  # of PaddleGAN's run type `test`


class StyleGANv2ClipPredictor(StyleGANv2Predictor):
    """Edits faces by text and writes the result, as PaddleGAN's class of this name.

    Args:
        model_type: a known model; None is the embedded face world.
        direction_path, stat_path: relevance and statistics instead of the model's own.
        seed: the face that is edited when `run` gets no latent.
        options: output_path, weight_path, bundle and sizes, as StyleGANv2Predictor's.
    Raises:
        UserError: unknown model, unreadable file, or parts that do not fit together.
    """

    def __init__(
        self,
        model_type: str | None = None,
        direction_path: str | Path | None = None,
        stat_path: str | Path | None = None,
        *,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(
            model_type=model_type,
            seed=DEFAULT_SEED if seed is None else seed,
            direction_path=direction_path,
            stat_path=stat_path,
            **options,
        )

    @property
    def fs3(self) -> paddle.Tensor:
        """Relevance `[E, D]`."""
        return paddle.to_tensor(self.editor.bundle.relevance.rows)

    @property
    def clip_model(self) -> Any:
        """The model's CLIP, a ClipModel."""
        return self.editor.bundle.clip

    @cached_property
    def manipulator(self) -> Manipulator:
        """A Manipulator of the generator and its statistics."""
        return Manipulator(self.generator, stats=self.editor.bundle.stats)

    @on_worker
    def get_delta_s(
        self,
        neutral: str,
        target: str,
        beta_threshold: float | None = None,
        relative: bool = False,
        soft_threshold: float = 0.0,
    ) -> list[paddle.Tensor]:
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

    @on_worker
    @paddle.no_grad()
    def generate(
        self, latent: Face, delta_s: Sequence[paddle.Tensor], lst_alpha: Sequence[float]
    ) -> tuple[list[paddle.Tensor], list[list[paddle.Tensor]]]:
        """Draw a latent at several strengths of a direction.

        Args:
            latent: w_plus `[N, L, D]`.
            delta_s: K tensors `[C_k]`, as get_delta_s returns them.
            lst_alpha: A strengths.
        Returns:
            (A images `[N, 3, H, W]`, about [-1, 1]; A lists of K styles `[N, C_k]`).
        """
        check_signed("alpha", *lst_alpha)
        layout, s = self.editor.bundle.layout, self.editor.styles(latent)
        ds = layout.flatten(delta_s)
        edited = [s + float(alpha) * ds for alpha in lst_alpha]
        images = [paddle.to_tensor(self.editor.synthesize(one)) for one in edited]
        return images, [layout.unflatten(one) for one in edited]

    gengrate = generate  # the name that PaddleGAN's class has for it

    @on_worker
    def run(  # type: ignore[override]  # as PaddleGAN's
        self,
        latent: str | Path | None = None,
        neutral: str = "face",
        target: str | None = None,
        offset: float | None = None,
        beta_threshold: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray, list[paddle.Tensor]]:
        """Edit one face and write src.editing.png, dst.editing.png and dst.editing.pd.

        Args:
            latent: path of a latent file; None samples a face from the seed.
            neutral, target: the texts.
            offset: strength; None is the bundle's default.
            beta_threshold: None is the bundle's default.
        Returns:
            (src picture, dst picture, list of K style tensors of dst).
        """
        edit = Edit(neutral, target, alpha=offset, beta=beta_threshold)  # type: ignore[arg-type]
        face = self.editor.sample(self.seed or 0) if latent is None else load_face(self.editor, latent)
        folder = check_writable(self.output_path)
        made = result_of(edit_face(self.editor, face, edit))
        save_text_edit(folder, made)
        return made.before, made.after, made.styles


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the arguments of `generate`; they are those of PaddleGAN's script."""
    parser = CommandParser(description="Edit a face by text; ppstyleclip edit can do more.")
    parser.add_argument("--latent", help="latent of the face (default: a sampled face)")
    parser.add_argument("--neutral", default="face", help="what the picture shows (default: face)")
    parser.add_argument("--target", required=True, help="what it should show, such as 'happy face'")
    parser.add_argument("--direction_path", help="relevance, in place of the model's own")
    parser.add_argument("--direction_offset", type=finite_number, help="strength (default: the model's own)")
    parser.add_argument("--beta_threshold", type=finite_number, help="threshold (default: the model's own)")
    _add_model(parser)
    return parser.parse_args(argv)


def _add_model(parser: CommandParser) -> None:
    parser.add_argument("--stat_path", help="statistics of the styles, in place of the model's own")
    parser.add_argument("--dataset_name", "--model_type", help="known model (default: the embedded one)")
    parser.add_argument("--output_path", default="output_dir", help="folder (default: %(default)s)")


def run_generate(argv: list[str]) -> None:
    """Edit and write, and say where."""
    args = parse_args(argv)
    predictor = StyleGANv2ClipPredictor(
        args.dataset_name, args.direction_path, args.stat_path, output_path=args.output_path
    )
    predictor.run(args.latent, args.neutral, args.target, args.direction_offset, args.beta_threshold)
    print(f"wrote src.editing.png, dst.editing.png and dst.editing.pd in {args.output_path}")


def run_test(argv: list[str]) -> None:
    """Move one channel of some sampled faces and write sample.png: a row for each strength.

    PaddleGAN's own run type of this name stops with an error, for it names no styles.
    """
    parser = CommandParser(description="Move one style channel, in deviations from its mean: sample.png.")
    parser.add_argument("--layer", type=int, help=f"style tensor (default: {TEST_LAYER})")
    parser.add_argument("--channel", type=int, help=f"channel of it (default: {TEST_CHANNEL}, or the last)")
    _add_model(parser)
    parser.set_defaults(output_path=".")
    args = parser.parse_args(argv)
    folder = check_writable(args.output_path)
    predictor = StyleGANv2ClipPredictor(args.dataset_name, stat_path=args.stat_path)
    layer = TEST_LAYER if args.layer is None else args.layer
    channel = args.channel
    if channel is None:
        widths = predictor.generator.channels_lst
        channel = min(TEST_CHANNEL, widths[layer] - 1) if 0 <= layer < len(widths) else TEST_CHANNEL
    faces = predictor.editor.sample([DEFAULT_SEED + k for k in range(TEST_IMAGES)])
    styles = predictor.editor.bundle.layout.unflatten(predictor.editor.styles(faces))
    manipulator = predictor.manipulator
    rows = manipulator.manipulate_one_channel(styles, layer, channel, TEST_ALPHAS, TEST_IMAGES)
    pixels = np.concatenate([to_pixels(images) for images in manipulator.synthesis_from_styles(rows)])
    save_labelled(folder / "sample.png", grid(enlarged(pixels), TEST_IMAGES))
    print(f"layer {layer}, channel {channel} by {', '.join(map(str, TEST_ALPHAS))} deviations")
    print(f"wrote {folder / 'sample.png'}")


def main(argv: list[str] | None = None) -> int:
    """Run `generate` or `test` here, or hand `extract` on to what `ppstyleclip relevance` runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_type", choices=("extract", "generate", "test"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the run type (--help lists them)")
    args = parser.parse_args(argv)
    if args.run_type != "extract":
        return run_cli(run_test if args.run_type == "test" else run_generate, args.arguments)
    from ppstyleclip.cli.main import run_command

    return run_command("relevance", args.arguments)


if __name__ == "__main__":
    raise SystemExit(main())
