# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What PaddleGAN's module of StyleGANv2ClipPredictor has beside the class: same names, same arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_signed
from ppstyleclip.methods.global_directions import largest_beta, style_direction
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.text import text_direction
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import read_stats
from ppstyleclip.zoo.registry import fetch_published, model_entry, pack_of

Styles = Sequence[paddle.Tensor]  # K tensors `[N, C_k]`


class Manipulator:
    """Moves styles and draws them, as PaddleGAN's class of this name; nothing is written into an argument.

    Args:
        generator: of StyleGAN2.
        model_type: whose statistics are taken where there is no stat_path; None is the embedded one.
        stat_path: statistics of the styles, as `ppstyleclip statistics` or PaddleGAN writes them.
        stats: StyleStats, in place of both.

    Attributes:
        generator: the same.
        S_mean, S_std: K tensors `[C_k]`.
    Raises:
        UserError: there are no statistics, or they are another generator's.
    """

    def __init__(
        self,
        generator: Any,
        model_type: str | None = "ffhq-config-f",
        stat_path: str | Path | None = None,
        *,
        stats: StyleStats | None = None,
    ):
        self.generator = generator
        if stats is None:
            path = _stats_of(model_type) if stat_path is None else stat_path
            stats = read_stats(path, generator.layout, name=model_type or "this model")
        self.S_mean, self.S_std = (self._tensors(values) for values in (stats.mean, stats.std))

    def _tensors(self, values: np.ndarray) -> list[paddle.Tensor]:
        parts = self.generator.layout.unflatten(np.asarray(values, np.float32))
        return [paddle.to_tensor(part) for part in parts]

    @on_worker
    @paddle.no_grad()
    def manipulate(
        self, styles: Styles, delta_s: Styles, lst_alpha: Sequence[float]
    ) -> list[list[paddle.Tensor]]:
        """Move styles along a direction of K tensors `[C_k]`; K moved styles for each of A strengths."""
        check_signed("alpha", *lst_alpha)
        return [[style + float(alpha) * step for style, step in zip(styles, delta_s)] for alpha in lst_alpha]

    @on_worker
    @paddle.no_grad()
    def manipulate_one_channel(
        self,
        styles: Styles,
        layer_ind: int,
        channel_ind: int,
        lst_alpha: Sequence[float] = (0,),
        num_images: int = 100,
    ) -> list[list[paddle.Tensor]]:
        """Set one channel to its mean and move it from there.

        Args:
            styles: K tensors `[N, C_k]`.
            layer_ind, channel_ind: the style tensor and the channel in it.
            lst_alpha: A strengths, in deviations.
            num_images: how many faces, from the first on; the others stay as they are.
        Returns:
            A lists of K tensors `[N, C_k]`.
        Raises:
            UserError: there is no such layer or channel.
        """
        check_signed("alpha", *lst_alpha)
        widths = self.generator.channels_lst
        if not (0 <= layer_ind < len(widths) and 0 <= channel_ind < widths[layer_ind]):
            raise UserError(
                f"there is no channel {channel_ind} in layer {layer_ind}; this generator's layers, counted "
                f"from 0, have {', '.join(map(str, widths))} channels"
            )
        mean, std = (float(part[layer_ind][channel_ind]) for part in (self.S_mean, self.S_std))
        found = []
        for alpha in lst_alpha:
            changed = styles[layer_ind].numpy().copy()
            changed[:num_images, channel_ind] = mean + float(alpha) * std
            moved = list(styles)
            moved[layer_ind] = paddle.to_tensor(changed)
            found.append(moved)
        return found

    @on_worker
    @paddle.no_grad()
    def synthesis_from_styles(
        self, styles: Sequence[Styles], slice: Sequence[int] | None = None, randomize_noise: bool = False
    ) -> list[paddle.Tensor]:
        """Draw A lists of K styles; A tensors `[N, 3, H, W]`, about [-1, 1].

        Args:
            styles: as manipulate returns them.
            slice: (first, end) of the faces that are drawn; None for all.
            randomize_noise: draw the noise anew for each, as PaddleGAN does unless it is told not to. Then
                pictures differ by more than what moved, so it is off here.
        """
        part = np.s_[:] if slice is None else np.s_[slice[0] : slice[1]]
        noise = "random" if randomize_noise else "const"
        return [
            self.generator.synthesis_from_styles([style[part] for style in one], noise=noise)
            for one in styles
        ]


def _stats_of(model_type: str | None) -> Path:
    embedded = pack_of(model_type)
    if embedded is not None:
        from ppstyleclip.zoo.pack import STATISTICS

        return embedded / STATISTICS
    entry = model_entry(str(model_type))
    if "stats" not in entry:
        raise UserError(
            f"there are no published statistics of '{model_type}'; make them with `ppstyleclip statistics` "
            "and give the file (stat_path)"
        )
    return fetch_published(entry["stats"])


def get_delta_t(
    neutral: str, target: str, model: Any, templates: str | Sequence[str] = "paddlegan"
) -> paddle.Tensor:
    """Return the text direction `[D]` from one text to another; `model` is a predictor's clip_model."""
    return paddle.to_tensor(text_direction(model, neutral, target, templates=templates))


@on_worker
def get_ds_from_dt(
    global_style_direction: Any,
    delta_t: Any,
    generator: Any,
    beta_threshold: float,
    relative: bool = False,
    soft_threshold: float = 0.0,
) -> tuple[list[paddle.Tensor], int]:
    """Turn a text direction into a style direction, in PaddleGAN's raw units.

    Args:
        global_style_direction: relevance `[E, D]`, such as a predictor's `fs3`.
        delta_t: `[D]`.
        generator: of StyleGAN2.
        beta_threshold: channels below it are left alone; with `relative` a share of the largest usable one.
        relative: see beta_threshold.
        soft_threshold: share of its movement that a channel below the threshold keeps.
    Returns:
        (K tensors `[C_k]`, how many channels move).
    Raises:
        UserError: no channel passes; the message has the largest usable threshold.
    """
    relevance, dt = np.asarray(global_style_direction, np.float32), np.asarray(delta_t, np.float32)
    layout = generator.layout
    none = StyleStats(np.zeros(layout.size, np.float32), np.ones(layout.size, np.float32), 0)  # raw units
    beta = float(beta_threshold) * (largest_beta(relevance, dt) if relative else 1.0)
    found = style_direction(relevance, dt, layout, none, beta=beta, unit="style", soft=float(soft_threshold))
    return layout.unflatten(paddle.to_tensor(found.ds)), found.num_channels
