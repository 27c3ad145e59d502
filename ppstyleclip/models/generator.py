# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a generator family is: all that anything outside the family's own folder knows of it.

A family must bring what `Generator` lists. With that alone its pictures can be sampled, measured, edited,
drawn by compiled programs and judged by CLIP. For speed it may also bring two methods without arguments

    inference()        its synthesis as it is best exported, an Inference
    prefix_drawing()   its synthesis layer by layer, for relevance, a PrefixDrawing

and, for edits that stay in a region, `layer_sides` and `synthesis_in_region`, see models/region.py; where its
pictures can be moved and turned, `move_canvas`, see models/canvas.py; and `levels`, so many layers of w_plus
that are coarse, medium and fine, where mappers are published for others than 4, 4 and the rest.

`forms.inference_of` and `forms.prefix_drawing_of` give them, or plain ones in their place; and
`families.register_family` makes a family known by its name. models/stylegan2 is the example of a family that
brings everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol, runtime_checkable

import numpy as np
import paddle
from paddle import Tensor

from .layout import StyleLayout

NOISES = ("const", "random", "none")


class Generator(Protocol):
    """A Paddle Layer that draws pictures in four steps: z -> w or w_plus -> styles -> images.

    Attributes:
        family: the name under which it is registered.
        size: side of its pictures in pixels.
        n_latent: L, the layers of w_plus.
        style_dim: D, the length of z and w.
    """

    family: str
    size: int
    n_latent: int
    style_dim: int

    @property
    def layout(self) -> StyleLayout:
        """Names and widths of its K style tensors."""

    def config(self) -> dict[str, Any]:
        """What families.build_generator builds it from again; JSON can hold it, and `family` is in it."""

    def get_latent(self, z: Tensor) -> Tensor:
        """Map z `[N, D]` to w `[N, D]`."""

    def get_latents(
        self,
        z: Tensor,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        truncation_latent: Tensor | None = None,
    ) -> Tensor:
        """Map z `[N, D]` to w_plus `[N, L, D]`, its first layers pulled towards the mean."""

    def mean_latent(self, n_latent: int = 4096, seed: int = 0) -> Tensor:
        """Return the mean w `[1, D]` of samples."""

    def style_affine(self, latent: Tensor) -> list[Tensor]:
        """Turn w `[N, D]` or w_plus `[N, L, D]` into K styles `[N, C_k]`."""

    def synthesis_from_styles(
        self, styles: Sequence[Tensor], *, noise: str = "const", seed: int | None = None
    ) -> Tensor:
        """Draw images `[N, 3, size, size]`, about [-1, 1]; `noise` is one of NOISES."""

    # What every Paddle Layer has:

    def state_dict(self) -> Mapping[str, Tensor]:
        """Weights and buffers."""

    def parameters(self) -> list[Tensor]:
        """Weights."""

    def eval(self) -> Any:
        """Set the network to evaluation."""


# ---- For exported programs ----


def style_name(k: int) -> str:
    """The name of style tensor k as a program's input."""
    return f"style_{k:02d}"


def mask_name(side: int) -> str:
    """The name of a region's mask for the layers of `side` pixels as a program's input."""
    return f"mask_{side:04d}"


@dataclass(frozen=True)
class SynthesisRequest:
    """What is to be drawn by programs, and what these can do.

    Attributes:
        start: the first style tensor that is drawn; above 0 the call takes what a PrefixState holds.
        cached_convolution: the convolution of tensor `start` is done; the call takes what a CachedConvolution
            holds.
        side: stop at this resolution, one of PrefixDrawing.stops; None is the generator's own.
        noise: "const" or "none".
        precision: "fp32", "bf16" or "fp16".
        on_gpu: whether the program will run on a GPU.
        legacy_ir: whether programs are written in Paddle's legacy IR, where each kind of operator can be
            told to run under oneDNN.
    """

    start: int = 0
    cached_convolution: bool = False
    side: int | None = None
    noise: str = "const"
    precision: str = "fp32"
    on_gpu: bool = False
    legacy_ir: bool = True


@dataclass(frozen=True, eq=False)
class InferencePart:
    """Neighbouring layers of a synthesis that become one program.

    Attributes:
        key: what tells it from other parts of the same generator; values that JSON can hold.
        first: the first style tensor that it takes.
        widths: C_k of the style tensors that it takes.
        inputs: `{name: shape}` of what it takes beside them, without the batch.
        outputs: names of what it gives, which are inputs of the part after it; of the last part "images".
        at_once: how many pictures of a batch it should draw at a time.
        build: makes its Layer, which is called with the list of styles and the inputs by name.
        onednn_operators: kinds of operators that run under oneDNN; None for all that can.
        skipped_passes: names of Paddle's graph passes that must not run.
        fp32_operators: kinds of operators that stay fp32 on a GPU under any precision, by the names of both
            of Paddle's IRs.
    """

    key: tuple
    first: int
    widths: tuple[int, ...]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    at_once: int
    build: Callable[[], paddle.nn.Layer]
    onednn_operators: tuple[str, ...] | None = None
    skipped_passes: tuple[str, ...] = ()
    fp32_operators: tuple[str, ...] = ()


class Inference(Protocol):
    """A generator's synthesis with frozen weights."""

    def parts(self, request: SynthesisRequest) -> list[InferencePart]:
        """Split what is requested into programs, which run one after the other.

        Raises:
            ValueError: the generator cannot draw that.
        """

    def differentiable(self) -> paddle.nn.Layer:
        """Build a Layer that draws images from a list of styles, with constant noise, as part of a loss.

        It may be a HasBackward.
        """


@runtime_checkable
class HasBackward(Protocol):
    """A Layer (styles to images) whose gradients the engine takes from the family and not from Paddle."""

    def record(self, styles: Sequence[Tensor]) -> tuple[Tensor, list]:
        """Draw images, and return with them the activations that the backward Layer needs."""

    def build_backward(self, *, on_gpu: bool) -> Callable[[Sequence[Tensor], list, Tensor], list[Tensor]]:
        """Build, once, the Layer that turns (styles, recorded activations, gradient in the images) into the
        gradients in the styles. It is built before anything is recorded."""


# ---- Layer by layer, for relevance ----


class Prefix(Protocol):
    """What pictures go on from that differ from style tensor k on: a PrefixState or a CachedConvolution."""

    @property
    def k(self) -> int:
        """The style tensor that comes next."""

    @property
    def is_cached(self) -> bool:
        """Whether the convolution of tensor k is done."""

    def initial_inputs(
        self, images: np.ndarray, style: np.ndarray, columns: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What a program takes beside styles, `{name: array}`, for pictures that go on from `images` `[P]`.

        Of a cached convolution, their `style` `[P, C_k]` differs in the channels `columns` `[P]` alone.
        """


@dataclass(frozen=True, eq=False)
class PrefixState:
    """A batch of pictures half drawn: what style tensor k starts from.

    Attributes:
        k: the style tensor that comes next, 0 to K.
        tensors: `{name: [N, ...]}`, what the family keeps of the layers before.
    """

    k: int
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    is_cached = False

    def index_select(self, rows: Tensor) -> PrefixState:
        """The pictures `rows` (int64, repeats allowed) as a new batch."""
        picked = {name: paddle.index_select(tensor, rows) for name, tensor in self.tensors.items()}
        return PrefixState(self.k, picked)

    def initial_inputs(self, images, style, columns) -> dict[str, np.ndarray]:
        """See Prefix."""
        picked = self.index_select(paddle.to_tensor(images)).tensors
        return {name: tensor.numpy() for name, tensor in picked.items()}

    @staticmethod
    def concat(states: Sequence[PrefixState]) -> PrefixState:
        """Batches that are equally far as one."""
        names = states[0].tensors
        return PrefixState(
            states[0].k, {name: paddle.concat([state.tensors[name] for state in states]) for name in names}
        )


@dataclass(frozen=True, eq=False)
class CachedConvolution:
    """A batch of which the convolution of layer k is done, to have single channels of style k changed.

    With s' differing from the style s in channel c alone, the convolution is linear in what c brings:

        conv(x * s') = conv(x * s) + (s'_c - s_c) * (x_c convolved with c's kernels)

    Attributes, of arrays:
        k: the style tensor, a convolution's.
        x: `[N, I, h, w]` what the convolution is of.
        style: `[N, I]` under which it was done.
        y: `[N, O, H, W]` its result, all constant factors included.
        kernels: `[I, O, taps]` what each input channel adds to the result, the same factors included.
        passing: `{name: [N, ...]}`, what passes this layer by, such as the picture so far.
    """

    k: int
    x: np.ndarray
    style: np.ndarray
    y: np.ndarray
    kernels: np.ndarray
    passing: Mapping[str, np.ndarray] = field(default_factory=dict)
    is_cached = True

    def initial_inputs(self, images, style, columns) -> dict[str, np.ndarray]:
        """See Prefix.

        The names are x, the convolution so far; plane `[P, 1, h, w]`, the channel that changes; kernel
        `[P, O, taps]`, what is to be added of it; and those of `passing`.
        """
        pairs = np.arange(len(images))
        change = style[pairs, columns] - self.style[images, columns]
        return {
            "x": _rows(self.y, images),
            "plane": self.x[images, columns][:, None],
            "kernel": self.kernels[columns] * change[:, None, None],
            **{name: _rows(array, images) for name, array in self.passing.items()},
        }

    @staticmethod
    def concat(parts: Sequence[CachedConvolution]) -> CachedConvolution:
        """Batches of which the same convolution is done as one."""
        first = parts[0]
        x, style, y = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "style", "y")
        )
        passing = {name: np.concatenate([part.passing[name] for part in parts]) for name in first.passing}
        return CachedConvolution(first.k, x, style, y, first.kernels, passing)


def _rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`array[rows]`, of a single row without a copy."""
    return array[rows] if len(rows) > 1 else array[rows[0] : rows[0] + 1]


class PrefixDrawing(Protocol):
    """A generator's synthesis layer by layer, so that pictures that differ from some layer on share the rest.

    Drawn to the end, it gives what synthesis_from_styles gives with constant noise.
    """

    @property
    def stops(self) -> Mapping[int, int]:
        """`{side: tensors}`, ascending: the pictures at which drawing may stop, and how many style tensors
        draw each. The last is the whole picture, with K."""

    @property
    def cacheable(self) -> tuple[int, ...]:
        """The style tensors whose convolution can be cached."""

    def initial_state(self, count: int) -> PrefixState:
        """`count` pictures of which nothing is drawn yet."""

    def run_layer(self, state: PrefixState, style: Tensor) -> PrefixState:
        """Draw one layer under its style `[N, C_k]`."""

    def run_remaining(self, state: PrefixState, styles: Sequence[Tensor]) -> Tensor:
        """Draw the layers from state.k up to one of `stops`, a style each; `[N, 3, side, side]`."""

    def cache_convolution(self, state: PrefixState, style: Tensor) -> CachedConvolution:
        """Do the convolution of tensor state.k, which is one of `cacheable`."""

    def state_bytes(self, k: int) -> int:
        """Memory of one picture's PrefixState before tensor k."""

    def cached_bytes(self, k: int) -> int:
        """Memory of one picture's CachedConvolution of tensor k, beside the kernels."""

    def activation_bytes(self) -> int:
        """Memory of the largest activation of one picture."""

    def work(self, k: int, end: int | None = None) -> float:
        """Multiplications that the layers from k up to `end` (None: the last) need for one picture."""
