# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent mappers (StyleCLIP, section 5): from a latent to the step that edits it.

w_plus + MAPPER_STEP * mapper(w_plus), and the same in style space. Keys are the published ones of StyleCLIP
(Patashnik et al. 2021) and of text2image_manipulation (seed 000), behind the prefix "mapper."; weights are
`[in, out]`, torch's are `[out, in]`: `state.from_torch_state` turns them.
"""

from __future__ import annotations

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ppstyleclip.errors import UserError, named, shown
from ppstyleclip.schema import from_value

from .configs import MapperNetworkConfig
from .stylegan2.layers import EqualLinear, PixelNorm

__all__ = [
    "MAPPER_MODES",
    "MAPPER_STEP",
    "MAPPER_TYPES",
    "ConditionedMapper",
    "LevelsMapper",
    "Mapper",
    "SingleMapper",
    "StyleSpaceMapper",
    "WITHOUT_TO_RGB",
    "build_mapper",
    "usual_idle",
]

MAPPER_STEP = 0.1  # of StyleCLIP's, seed 000's and stylegan3-editing's mappers; seed 004 adds the whole step
WITHOUT_TO_RGB = "WithoutToRGBStyleSpaceMapper"
MAPPER_TYPES = (
    "SingleMapper",
    "LevelsMapper",
    "FullStyleSpaceMapper",
    WITHOUT_TO_RGB,
    "ConditionedMapper",
)
MAPPER_MODES = ("Mapper", "Mapper_cat", "Mapper_sum", "Mapper_multi")
LEVELS_18, LEVELS_16 = (4, 4, 10), (5, 3, 8)  # coarse, medium, fine: StyleGAN2 at 1024 px; StyleGAN3
_GROUPS = ("course_mapping", "medium_mapping", "fine_mapping")  # Parity: "course", because so are the keys
_LR_MUL = 0.01


class Mapper(nn.Layer):
    """Normalisation and a few leaky linear layers.

    Args:
        widths: input, hidden and output widths; `len(widths) - 1` layers.
    """

    def __init__(self, widths):
        super().__init__()
        pairs = zip(widths, widths[1:])
        layers = [EqualLinear(before, after, lr_mul=_LR_MUL, activate=True) for before, after in pairs]
        # Parity: PixelNorm divides by the mean square over axis 1. For [N, C] these are the features, but for
        # [N, L, D] the layers of the group. All published W+ mappers were trained so.
        self.mapping = nn.Sequential(PixelNorm(), *layers)

    def forward(self, x):
        """Map `[N, C]`, or `[N, L, D]` with each layer's D on its own but for the normalisation."""
        return self.mapping(x)


def mode_widths(mode, style_dim, text_dim):
    """Widths of the network of a mode: "Mapper" StyleCLIP's, the others seed 000's."""
    if mode == "Mapper_cat":
        return [style_dim + text_dim] * 8 + [style_dim]
    if mode == "Mapper_multi":
        return [style_dim] + [2 * style_dim] * 9 + [style_dim]
    return [style_dim] * (5 if mode == "Mapper" else 9)


def with_text(w_plus, text, mode):
    """Put a text vector into every layer of w_plus, as `mode` wants it.

    Args:
        w_plus: `[N, L, D]`.
        text: `[N or 1, T]`: an embedding row, for "Mapper_multi" the sum of several, or CLIP's text feature;
            None for "Mapper" without a text.
    Returns:
        `[N, L, T + D]` for "Mapper_cat", text first; otherwise the sum `[N, L, D]`, for which T is D.
    Raises:
        ValueError: the text is missing or of another shape.
    """
    count, layers, dim = w_plus.shape
    if text is None:
        if mode == "Mapper":
            return w_plus
        raise ValueError(f"{mode} needs a text vector beside the latent")
    wanted = text.shape[-1] if mode == "Mapper_cat" else dim
    if text.ndim != 2 or text.shape[0] not in (1, count) or text.shape[1] != wanted:
        raise ValueError(f"text has shape {list(text.shape)}, expected [{count} or 1, {wanted}]")
    text = text.unsqueeze(1)  # [N or 1, 1, T]
    if mode != "Mapper_cat":
        return w_plus + text
    return paddle.concat([text.expand([count, layers, text.shape[2]]), w_plus], axis=2)


class SingleMapper(nn.Layer):
    """One network for all layers of w_plus.

    Args:
        style_dim, text_dim: D and T; T matters for "Mapper_cat" only.
        mode: one of MAPPER_MODES. Seed 000's SingleMapper is "Mapper" whatever its mapper_mode says.
    """

    def __init__(self, style_dim=512, *, mode="Mapper", text_dim=512):
        super().__init__()
        self.mode = mode
        self.mapping = Mapper(mode_widths(mode, style_dim, text_dim))

    def forward(self, w_plus, text=None):
        """Return the step `[N, L, D]` for w_plus `[N, L, D]`; `text` as in `with_text`."""
        return self.mapping(with_text(w_plus, text, self.mode))


class LevelsMapper(nn.Layer):
    """A network each for the coarse, medium and fine layers of w_plus.

    Args:
        style_dim, text_dim, mode: as for SingleMapper.
        levels: layers of the three groups.
        coarse, medium, fine: False leaves the group alone (--no_coarse_mapper and so on): its step is zero
            and there is no network for it.
    """

    def __init__(
        self,
        style_dim=512,
        *,
        mode="Mapper",
        text_dim=512,
        levels=LEVELS_18,
        coarse=True,
        medium=True,
        fine=True,
    ):
        super().__init__()
        self.mode, self.levels = mode, tuple(levels)
        for name, wanted in zip(_GROUPS, (coarse, medium, fine)):
            if wanted:
                self.add_sublayer(name, Mapper(mode_widths(mode, style_dim, text_dim)))

    def forward(self, w_plus, text=None):
        """Return the step `[N, L, D]` for w_plus `[N, L, D]`; `text` as in `with_text`."""
        if w_plus.shape[1] != sum(self.levels):
            raise ValueError(f"w_plus has {w_plus.shape[1]} layers, this mapper {sum(self.levels)}")
        groups = with_text(w_plus, text, self.mode).split(list(self.levels), axis=1)
        idle = w_plus.split(list(self.levels), axis=1)
        networks = [getattr(self, name, None) for name in _GROUPS]
        steps = [
            paddle.zeros_like(w) if network is None else network(group)
            for network, group, w in zip(networks, groups, idle)
        ]
        return paddle.concat(steps, axis=1)


class StyleSpaceMapper(nn.Layer):
    """A network for each style of the generator; FullStyleSpaceMapper and WithoutToRGBStyleSpaceMapper.

    Args:
        style_dims: number of channels of each style, in the generator's order.
        idle: indices of the styles that stay as they are: ToRGB's, or none.
    """

    def __init__(self, style_dims, idle=()):
        super().__init__()
        self.style_dims, self.idle = list(style_dims), frozenset(idle)
        for index, dim in enumerate(self.style_dims):
            if index not in self.idle:
                self.add_sublayer(f"mapper_{index}", Mapper([dim] * 5))

    def forward(self, s):
        """Return the step `[N, S]` for flat styles s `[N, S]`."""
        if s.ndim != 2 or s.shape[1] != sum(self.style_dims):
            raise ValueError(f"s has shape {list(s.shape)}, this mapper takes [N, {sum(self.style_dims)}]")
        parts = s.split(self.style_dims, axis=1)
        steps = [
            paddle.zeros_like(part) if index in self.idle else getattr(self, f"mapper_{index}")(part)
            for index, part in enumerate(parts)
        ]
        return paddle.concat(steps, axis=1)


class ConditionedMapper(nn.Layer):
    """One network for many texts, ours: the text sets how the latent is read, in every block.

    Each layer of w_plus goes through the same residual blocks, beside a vector that says which layer it is.
    A block's scale and shift of its input come from the text (FiLM, Perez et al. 2018). The step begins at 0.

    Args:
        style_dim, text_dim: D and T.
        layers: L of w_plus.
        width, depth: of the blocks.
        idle: indices of the layers that stay as they are, or none.
    """

    def __init__(self, style_dim=512, *, text_dim=512, layers=18, width=256, depth=4, idle=()):
        super().__init__()
        self.levels = (layers,)
        self.moved = [0.0 if layer in idle else 1.0 for layer in range(layers)]
        self.read = nn.Linear(style_dim, width)
        self.place = self.create_parameter([layers, width], default_initializer=nn.initializer.Normal(0, 1))
        self.blocks = nn.LayerList([_TextBlock(width, text_dim) for _ in range(depth)])
        zero = nn.initializer.Constant(0.0)
        self.write = nn.Linear(
            width, style_dim, paddle.ParamAttr(initializer=zero), paddle.ParamAttr(initializer=zero)
        )

    def forward(self, w_plus, text):
        """Return the step `[N, L, D]` for w_plus `[N, L, D]` and text vectors `[N or 1, T]` of any length."""
        wide = self.blocks[0].film.weight.shape[0]
        if w_plus.shape[1] != self.levels[0] or text.ndim != 2 or text.shape[1] != wide:
            raise ValueError(
                f"w_plus has {w_plus.shape[1]} layers and text shape {list(text.shape)}, this "
                f"mapper takes {self.levels[0]} and [N, {wide}]"
            )
        text = F.normalize(text, axis=1).unsqueeze(1) * wide**0.5  # each number about 1
        x = self.read(w_plus) + self.place
        for block in self.blocks:
            x = block(x, text)
        return self.write(_even(x)) * paddle.to_tensor(self.moved).unsqueeze(1)


class _TextBlock(nn.Layer):
    """x + mlp(scale(text) * x + shift(text)), for x `[N, L, W]` and text `[N or 1, 1, T]`."""

    def __init__(self, width, text_dim):
        super().__init__()
        self.film = nn.Linear(text_dim, 2 * width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x, text):
        scale, shift = self.film(text).split(2, axis=2)
        hidden = F.leaky_relu(self.inner(_even(x) * (1.0 + scale) + shift), 0.2)
        return x + self.outer(hidden)


def _even(x):
    """x `[N, L, W]` with a mean square of 1 over W."""
    return x * (x.square().mean(axis=2, keepdim=True) + 1e-8) ** -0.5


def build_mapper(config):
    """Make a mapper with random weights.

    Args:
        config: dict of
            mapper_type: one of MAPPER_TYPES.
            mode: one of MAPPER_MODES; "Mapper". style_dim, text_dim: 512.
            levels: for LevelsMapper, layers of the three groups; (4, 4, 10).
            layers, width, depth: for ConditionedMapper, which knows no mode; 18, 256, 4.
            coarse, medium, fine: for LevelsMapper, whether the group has a network; True.
            style_dims: for the two of style space, channels of each style.
            idle: for WithoutToRGBStyleSpaceMapper, the styles that it leaves alone; usual_idle's. For
                ConditionedMapper, the layers; none.
    Returns:
        The mapper, in training mode.
    Raises:
        UserError: an unknown name or key, or a number that cannot be built.
    """
    from_value(MapperNetworkConfig, config, "this mapper", field="config")
    config = dict(config)
    kind, mode = config.pop("mapper_type", None), config.get("mode", "Mapper")
    if kind not in MAPPER_TYPES:
        raise UserError(f"unknown mapper_type {shown(kind)}; known: {', '.join(MAPPER_TYPES)}")
    if mode not in MAPPER_MODES:
        raise UserError(f"unknown mapper mode {shown(mode)}; known: {', '.join(MAPPER_MODES)}")
    known = {
        "SingleMapper": {"mode", "style_dim", "text_dim"},
        "LevelsMapper": {"mode", "style_dim", "text_dim", "levels", "coarse", "medium", "fine"},
        "ConditionedMapper": {"style_dim", "text_dim", "layers", "width", "depth", "idle"},
    }
    of_styles = {"style_dims", "idle"} if kind == WITHOUT_TO_RGB else {"style_dims"}
    unknown = sorted(set(config) - known.get(kind, of_styles))
    if unknown:
        raise UserError(f"{kind} does not know {named(unknown)}")
    if kind in ("SingleMapper", "ConditionedMapper"):
        return (SingleMapper if kind == "SingleMapper" else ConditionedMapper)(**config)
    if kind == "LevelsMapper":
        return LevelsMapper(**config)
    dims = config.get("style_dims") or []
    if not dims:
        raise UserError(f"{kind} needs style_dims, the channels of each style; got none")
    if kind != WITHOUT_TO_RGB:
        return StyleSpaceMapper(dims)
    idle = config.get("idle")
    return StyleSpaceMapper(dims, usual_idle(len(dims)) if idle is None else idle)


def usual_idle(count: int) -> list[int]:
    """The ToRGB layers among `count` styles of a StyleGAN2."""
    return list(range(1, count, 3))
