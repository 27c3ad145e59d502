# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's synthesis for exported programs, and which programs draw what.

The mathematics is that of `StyleGANv2Generator.synthesis_from_styles`, from any style tensor on, and a test
holds the two equal. Where pictures are so large that they are drawn one by one, the layers up to SMALL_SIDE
are a program of their own, which draws many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Any

import paddle
import paddle.nn as nn
from paddle import Tensor

from ..generator import InferencePart, SynthesisRequest, mask_name
from .backward import SynthesisBackward
from .inference_layers import BatchOneConv, CachedConv, InferenceConv, InferenceToRGB, register_constant
from .layout import is_to_rgb, last_to_rgb, output_side
from .region import draw_in_region, layer_sides

if TYPE_CHECKING:
    from .generator import StyleGANv2Generator

SMALL_SIDE = 32  # up to here pictures are drawn together even if they end up large: weights are read once
AT_ONCE_PIXELS = 2**16  # of a batch: more at once is slower and takes memory; one picture of 256 px
# Reshape is not among oneDNN's operators here, so that it runs in place. The passes that are left out assume
# that every weight is a constant, but a program for one picture makes weights from the styles.
ONEDNN_OPERATORS = (
    "conv2d",
    "conv2d_transpose",
    "depthwise_conv2d",
    "elementwise_mul",
    "elementwise_add",
    "leaky_relu",
    "matmul_v2",
    "batch_norm",
    "transpose2",
)
SKIPPED_PASSES = (
    "is_test_pass",
    "conv_elementwise_add_onednn_fuse_pass",
    "conv_elementwise_add_mkldnn_fuse_pass",
)
# The energy of a demodulation: squared styles overflow fp16 from 256 on, and 1e-8 is nothing in it.
# matmul is the name in Paddle's new IR. No other product of matrices is in a program for a GPU.
DEMODULATION_OPERATORS = (
    *("elementwise_pow", "matmul_v2", "scale", "pow"),
    *("pd_op.elementwise_pow", "matmul", "pd_op.matmul", "pd_op.scale", "pd_op.pow"),
)


@dataclass(frozen=True)
class SynthesisForm:
    """Which layers a program draws, and how.

    Attributes:
        start: the first style tensor that is used, 0 to K - 1; what was drawn before it is an input.
        stop: the one before which to stop, 2 or more and not that of a ToRGB layer; None draws to the end.
        side: stop at the resolution of this many pixels; None is the generator's own.
        noise: "const" or "none".
        cached_convolution: the convolution of tensor `start` is done, and one channel of it is changed.
        winograd: whether wide 3x3 convolutions take Winograd's form, which is faster under oneDNN; in bf16
            its rounding error is too large.
        batch_one: for a batch of one, drawn to the end.
    """

    start: int = 0
    stop: int | None = None
    side: int | None = None
    noise: str = "const"
    cached_convolution: bool = False
    winograd: bool = False
    batch_one: bool = False


class StyleGAN2Inference:
    """The forms of a StyleGANv2Generator's synthesis for exported programs; see generator.Inference."""

    def __init__(self, generator: StyleGANv2Generator):
        self.generator = generator

    def parts(self, request: SynthesisRequest) -> list[InferencePart]:
        """Split what is requested into programs."""
        side = request.side or self.generator.size
        form = SynthesisForm(
            start=request.start,
            side=side,
            noise=request.noise,
            cached_convolution=request.cached_convolution,
            winograd=request.precision == "fp32" and not request.on_gpu,
        )
        cut = next(k for k in range(2, 99) if output_side(k) > SMALL_SIDE)
        if side <= SMALL_SIDE or side**2 < AT_ONCE_PIXELS or request.start >= cut:
            return [self._last_part(form, side, request.legacy_ir)]
        last = replace(form, start=cut, cached_convolution=False)
        return [
            self._part(replace(form, stop=cut), _at_once(SMALL_SIDE), ("x", "image"), request.legacy_ir),
            self._last_part(last, side, request.legacy_ir),
        ]

    def region_part(self, request: SynthesisRequest) -> InferencePart:
        """The program of an edit that stays in its region, see RegionSynthesis.

        Its styles are those before the edit, without the last resolution's, and those after it, `[*styles,
        *edited]`; beside them it takes the mask at each of `layer_sides`.
        """
        generator = self.generator
        at_once = _at_once(generator.size)
        form = SynthesisForm(
            side=generator.size,
            noise=request.noise,
            winograd=request.precision == "fp32" and not request.on_gpu,
            batch_one=at_once == 1 and request.legacy_ir,
        )
        widths = style_widths(generator, form)
        return InferencePart(
            key=("stylegan2 region", *astuple(form)),
            first=0,
            widths=widths[: _blended(generator)] + widths,
            inputs={mask_name(side): (1, side, side) for side in layer_sides(generator.size)},
            outputs=("images",),
            at_once=at_once,
            build=lambda: RegionSynthesis(generator, form),
            onednn_operators=ONEDNN_OPERATORS if request.legacy_ir else None,
            skipped_passes=SKIPPED_PASSES if request.legacy_ir else (),
            fp32_operators=DEMODULATION_OPERATORS,
        )

    def differentiable(self) -> InferenceSynthesis:
        """Build the whole synthesis with constant noise; it has a backward of its own."""
        return InferenceSynthesis(self.generator)

    def _last_part(self, form, side, legacy_ir):
        at_once = _at_once(side)
        form = replace(form, batch_one=at_once == 1 and legacy_ir)
        return self._part(form, at_once, ("images",), legacy_ir)

    def _part(self, form, at_once, outputs, legacy_ir):
        generator, kind = self.generator, InferenceSynthesis if form.stop is None else FirstLayers
        return InferencePart(
            key=("stylegan2", *astuple(form)),
            first=form.start,
            widths=style_widths(generator, form),
            inputs=initial_inputs(generator, form),
            outputs=outputs,
            at_once=at_once,
            build=lambda: kind(generator, form),
            onednn_operators=ONEDNN_OPERATORS if legacy_ir else None,
            skipped_passes=SKIPPED_PASSES if legacy_ir else (),
            fp32_operators=DEMODULATION_OPERATORS,
        )


def _at_once(side: int) -> int:
    return max(1, AT_ONCE_PIXELS // side**2)


class InferenceSynthesis(nn.Layer):
    """Styles to images from style tensor `form.start` on, with constant noise or none.

    Args:
        generator: StyleGANv2Generator; its weights are copied.
        form: which layers, and how; `form.stop` is None.

    Attributes: `widths`, the C_k of the styles that it takes.
    """

    def __init__(self, generator: StyleGANv2Generator, form: SynthesisForm | None = None):
        super().__init__()
        form = SynthesisForm() if form is None else form
        self.widths = style_widths(generator, form)
        self.layers = inference_layers(generator, form)
        if not initial_inputs(generator, form):
            register_constant(self, "input", generator.input.input.numpy())
        self.backward_layer: SynthesisBackward | None = None

    def forward(self, styles, x=None, image=None, **change):
        """Draw images `[N, 3, side, side]`.

        Args:
            styles: list of the styles `[N, C_k]` of tensors start, start + 1, ...
            x: `[N, C, H, W]` activations before tensor `start`, or its convolution; None with neither.
            image: `[N, 3, h, w]` sum of the ToRGB layers so far; None where there was none.
            change: plane and kernel of a CachedConvolution.
        """
        return run_layers(self.layers, styles, self.input if x is None else x, image, change)[1]

    @paddle.jit.not_to_static  # nothing in it depends on values, and the tracer's rewriting takes seconds
    def record(self, styles: Sequence[Tensor]) -> tuple[Any, list[Any]]:
        """Draw images from all styles, and keep the activations that the backward needs.

        Returns:
            (images, list of what each layer leaves: of a convolution its input, energy, result before
            demodulation and result; of ToRGB its input).
        """
        x, image, recorded = self.input, None, []
        for layer, style in zip(self.layers, styles):
            if layer.is_to_rgb:
                recorded.append((x,))
                image = layer(x, style, image)
            else:
                recorded.append((x, *layer.steps(x, style)))
                x = recorded[-1][-1]
        return image, recorded

    def build_backward(self, *, on_gpu: bool) -> SynthesisBackward:
        """Build the way from the gradient in the images to those in the styles, once; see HasBackward."""
        if self.backward_layer is None:
            self.backward_layer = SynthesisBackward(list(self.layers), winograd=not on_gpu)
        return self.backward_layer


class FirstLayers(nn.Layer):
    """Styles to what a synthesis from `form.stop` on goes on with; args as for InferenceSynthesis."""

    def __init__(self, generator: StyleGANv2Generator, form: SynthesisForm):
        super().__init__()
        self.layers = inference_layers(generator, form)
        if not initial_inputs(generator, form):
            register_constant(self, "input", generator.input.input.numpy())

    def forward(self, styles, x=None, image=None, **change):
        """Return [x, image] before tensor `form.stop`; args as for InferenceSynthesis."""
        return list(run_layers(self.layers, styles, self.input if x is None else x, image, change))


class RegionSynthesis(nn.Layer):
    """An edit blended into its region, with constant noise or none; see region.draw_in_region.

    Args:
        generator: StyleGANv2Generator; its weights are copied.
        form: which layers, and how: all of them.
    """

    def __init__(self, generator: StyleGANv2Generator, form: SynthesisForm):
        super().__init__()
        self.layers, self.sides = inference_layers(generator, form), layer_sides(generator.size)
        self.blended = _blended(generator)
        register_constant(self, "input", generator.input.input.numpy())

    def forward(self, styles, **masks):
        """Draw images of `[*styles, *edited]` and the mask at each side."""
        before, edited = styles[: self.blended], styles[self.blended :]
        by_side = {side: masks[mask_name(side)] for side in self.sides}
        return draw_in_region(self.layers, self.input, before, edited, by_side)


def inference_layers(generator: StyleGANv2Generator, form: SynthesisForm) -> nn.LayerList:
    """The layers of a form, their weights copied from the generator.

    Raises:
        ValueError: a noise or a start that cannot be drawn.
    """
    if form.noise not in ("const", "none"):
        raise ValueError(f"inference has noise 'const' or 'none', got {form.noise!r}")
    layers = [
        pair
        for k, pair in enumerate(generator.synthesis_layers())
        if output_side(k) <= _side(generator, form)
    ]
    if not 0 <= form.start < len(layers):
        raise ValueError(f"start must be 0 to {len(layers) - 1}, got {form.start}")
    made = nn.LayerList()
    for k, (layer, noise) in enumerate(layers[form.start : form.stop], form.start):
        if is_to_rgb(k):
            made.append(InferenceToRGB(layer, output_side(k), form.batch_one))
            continue
        noise = noise if form.noise == "const" else None
        is_cached = form.cached_convolution and k == form.start
        kind = CachedConv if is_cached else BatchOneConv if form.batch_one else InferenceConv
        made.append(kind(layer, noise, output_side(k)))
        if form.winograd:
            made[-1].use_winograd()
    return made


def run_layers(layers, styles, x, image, change):
    """Draw with neighbouring layers, the first of which may take `change`; (x, image) after them."""
    for layer, style in zip(layers, styles):
        if layer.is_to_rgb:
            image = layer(x, style, image)
        else:
            x, change = layer(x, style, **change), {}
    return x, image


def style_widths(generator: StyleGANv2Generator, form: SynthesisForm) -> tuple[int, ...]:
    """C_k of the styles that a form takes."""
    side, widths = _side(generator, form), generator.layout.channels
    widths = tuple(width for k, width in enumerate(widths) if output_side(k) <= side)
    return widths[form.start : form.stop]


def initial_inputs(generator: StyleGANv2Generator, form: SynthesisForm) -> dict[str, tuple[int, ...]]:
    """What a form starts from beside the styles, `{name: shape}` without the batch."""
    start, widths, inputs = form.start, generator.layout.channels, {}
    if start > 1:
        inputs["image"] = (3, *[output_side(last_to_rgb(start))] * 2)
    before, after = output_side(start - 1), output_side(start)
    if form.cached_convolution:
        out = widths[start + 1]
        return {**inputs, "x": (out, after, after), "plane": (1, before, before), "kernel": (out, 9)}
    return {**inputs, "x": (widths[start], before, before)} if start else inputs


def _blended(generator: StyleGANv2Generator) -> int:
    """How many style tensors of an original chain its region takes: those below the last resolution."""
    return sum(output_side(k) < generator.size for k in range(len(generator.layout.channels)))


def _side(generator, form):
    return generator.size if form.side is None else form.side
