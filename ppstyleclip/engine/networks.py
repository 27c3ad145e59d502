# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the product compiles: synthesis, CLIP's image side, both in a row, and losses with their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine.compiled_layer import Compiled
from ppstyleclip.engine.exporter import writes_legacy_ir
from ppstyleclip.engine.keys import weights_fingerprint
from ppstyleclip.engine.predictor import PassConfig, check_precision, on_gpu
from ppstyleclip.models.forms import inference_of, prefix_drawing_of, side_of_tensors
from ppstyleclip.models.generator import (
    Generator,
    InferencePart,
    Prefix,
    SynthesisRequest,
    mask_name,
    style_name,
)
from ppstyleclip.models.region import blends_layers, check_pairs, layer_masks, region_part, repeated
from ppstyleclip.pictures import to_pixels
from ppstyleclip.worker import on_worker

# One whose neighbours all stay fp32 stays so too: without the activation between them, the widest linear
# layers of CLIP would, and without the reordering those that follow attention.
_CLIP = PassConfig(
    bf16=("conv2d", "fused_conv2d", "fc", "matmul_v2", "fused_matmul", "swish", "transpose2", "reshape2")
)
EAGER_PIXELS = 2**18  # that a Renderer draws before it compiles: 64 pictures of 64 px, none of 1024 px


class CompiledSynthesis:
    """Styles to images, compiled: see compile_synthesis.

    Attributes: `at_once`, how many pictures of a batch are drawn at a time.
    """

    def __init__(self, parts: list[_CompiledPart]):
        self.parts, self.at_once = parts, parts[0].plan.at_once

    @on_worker
    def __call__(self, styles: Sequence[np.ndarray], **inputs: np.ndarray) -> np.ndarray:
        """Draw images `[N, 3, H, W]` float32, about [-1, 1].

        Args:
            styles: float32 arrays `[N, C_k]` of the style tensors from `start` on.
            inputs: with `start` above 0 or a cached convolution, what Prefix.initial_inputs gives.
        """
        self.compile()  # all before any runs, for a program that comes later has those loaded again
        for part in self.parts[:-1]:
            count = len(part.plan.widths)
            inputs = dict(zip(part.plan.outputs, part(styles[:count], inputs)))
            styles = styles[count:]
        return self.parts[-1](styles, inputs)[0]

    @on_worker
    def compile(self) -> bool:
        """Compile, if not done yet; whether it worked."""
        return all([part.compiled.compile() for part in self.parts])


class _CompiledPart:
    """Some neighbouring layers of a synthesis, `plan`, compiled."""

    def __init__(self, plan: InferencePart, compiled: Compiled):
        self.plan, self.compiled = plan, compiled

    def __call__(self, styles, inputs) -> list[np.ndarray]:
        at_once = self.plan.at_once
        arrays = {**inputs, **dict(zip(_style_names(self.plan), styles))}
        drawn = [
            self.compiled({name: array[start : start + at_once] for name, array in arrays.items()})
            for start in range(0, len(styles[0]), at_once)
        ]
        return drawn[0] if len(drawn) == 1 else [np.concatenate(results) for results in zip(*drawn)]


@on_worker
def compile_synthesis(
    generator: Generator,
    *,
    start: int = 0,
    cached_convolution: bool = False,
    side: int | None = None,
    noise: str = "const",
    precision: str = "fp32",
    mark: str | None = None,
    folder: Any = None,
    like: CompiledSynthesis | None = None,
) -> CompiledSynthesis:
    """Make a generator's `synthesis_from_styles` a fast function of arrays, with any batch.

    Args:
        generator: in evaluation mode; its weights are copied.
        start: the first style tensor to draw; above 0 the call takes what was drawn before it.
        cached_convolution: the convolution of tensor `start` is done, and the call takes that and what a
            channel changes.
        side: stop at this resolution; None is the generator's own.
        noise: "const" or "none".
        precision: "fp32", "bf16" or "fp16".
        mark: the generator's fingerprint where it is known; None computes it.
        folder: where programs are kept; None is `engine` in the cache.
        like: a CompiledSynthesis of the same generator; programs that both would have in common are shared.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """
    mark = weights_fingerprint(generator) if mark is None else mark
    request = SynthesisRequest(
        start=start,
        cached_convolution=cached_convolution,
        side=side,
        noise=noise,
        precision=precision,
        on_gpu=on_gpu(),
        legacy_ir=writes_legacy_ir(),
    )
    shared = {part.plan.key: part.compiled for part in (like.parts if like else ())}
    return CompiledSynthesis(
        [
            _CompiledPart(
                plan, shared.get(plan.key) or _compile_part(plan, generator, mark, precision, folder)
            )
            for plan in inference_of(generator).parts(request)
        ]
    )


@on_worker
def compile_region_synthesis(
    generator: Any, *, precision: str = "fp32", mark: str | None = None, folder: Any = None
) -> CompiledSynthesis:
    """Make a generator's `synthesis_in_region` a fast function of arrays, with any batch.

    It is called with the styles before the edit, as many as its part takes, and those after it, one behind
    the other, and with the mask at each layer's side by its mask_name. Arguments as in compile_synthesis.

    Raises:
        ValueError: the generator's family does not blend layers.
        UserError: as compile_synthesis.
    """
    mark = weights_fingerprint(generator) if mark is None else mark
    request = SynthesisRequest(precision=precision, on_gpu=on_gpu(), legacy_ir=writes_legacy_ir())
    plan = region_part(generator, request)
    if plan is None:
        raise ValueError(f"a '{generator.family}' generator has no program that blends layers")
    return CompiledSynthesis([_CompiledPart(plan, _compile_part(plan, generator, mark, precision, folder))])


def _compile_part(plan, generator, mark, precision, folder) -> Compiled:
    passes = PassConfig(
        without=plan.skipped_passes, onednn=plan.onednn_operators, fp32_on_gpu=plan.fp32_operators
    )
    return Compiled(
        _NamedInputs(plan),
        _shapes(plan),
        ["synthesis", mark, generator.config(), *plan.key],
        precision=precision,
        folder=folder,
        passes=passes,
    )


def _style_names(plan):
    return [style_name(plan.first + k) for k in range(len(plan.widths))]


def _shapes(plan):
    """`{name: shape}` of the inputs."""
    styles = {name: [-1, width] for name, width in zip(_style_names(plan), plan.widths)}
    return {**styles, **{name: [-1, *shape] for name, shape in plan.inputs.items()}}


class CompiledNetworks:
    """A generator and a CLIP, compiled to go from a half drawn picture to its CLIP features.

    Args:
        generator, clip: the networks.
        precision: one of PRECISIONS.
        mark: the generator's fingerprint where it is known.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    @on_worker
    def __init__(self, generator: Generator, clip: Any, *, precision: str = "fp32", mark: str | None = None):
        check_precision(precision)
        self._generator, self._clip, self._precision = generator, clip, precision
        self._mark = weights_fingerprint(generator) if mark is None else mark
        self._drawing: Any = (None, None)  # what is drawn, and the CompiledSynthesis that draws it
        self._encoding: Any = (None, None)  # the side of the pictures, and the encoder

    @on_worker
    def features(
        self, prefix: Prefix, images: np.ndarray, styles: Sequence[np.ndarray], columns: np.ndarray
    ) -> np.ndarray:
        """CLIP features `[N, D]`.

        Args:
            prefix: PrefixState or CachedConvolution of some pictures, half drawn.
            images: `[N]` which of them each picture goes on from.
            styles: arrays `[N, C_k]` of the style tensors from prefix.k on, up to where drawing may stop.
            columns: `[N]` the one channel in which a cached convolution's style and the first of these
                differ.
        """
        draw, drawn = self._synthesis_from(prefix, prefix.k + len(styles)), []
        for start in range(0, len(images), draw.at_once):  # what they go on from is large: a few at a time
            part = slice(start, start + draw.at_once)
            own = [style[part] for style in styles]
            drawn.append(draw(own, **prefix.initial_inputs(images[part], own[0], columns[part])))
        pictures = np.concatenate(drawn)
        if self._encoding[0] != pictures.shape[-1]:
            self._encoding = (
                pictures.shape[-1],
                compile_image_encoder(self._clip, pictures.shape[-1], precision=self._precision),
            )
        return self._encoding[1](pictures)

    def _synthesis_from(self, prefix, end) -> CompiledSynthesis:
        """The synthesis that goes on from a prefix up to tensor `end`."""
        known, draw = self._drawing
        wanted = prefix.k, prefix.is_cached, end
        if known != wanted:  # one at a time: a program holds its weights
            draw = compile_synthesis(
                self._generator,
                start=prefix.k,
                cached_convolution=prefix.is_cached,
                side=side_of_tensors(prefix_drawing_of(self._generator), end),
                mark=self._mark,
                precision=self._precision,
                like=draw,
            )
            self._drawing = wanted, draw
        return draw


class Renderer:
    """Draws pictures of one generator from styles: few small ones in eager mode, many or large ones compiled.

    Compiling takes a second or two, as long as EAGER_PIXELS do in eager mode. What has been drawn so far
    decides, never what is on disk: the same calls give the same pixels.
    """

    def __init__(self, generator: Generator, *, mark: str | None = None):
        self._generator, self._mark = generator, mark
        self._compiled: CompiledSynthesis | None = None
        self._region: CompiledSynthesis | None = None
        self._pixels = 0

    @property
    def is_compiled(self) -> bool:
        """Whether pictures, whole or of a region, are drawn by compiled programs by now."""
        return self._compiled is not None or self._region is not None

    def compile_next(self) -> None:
        """Have the next pictures drawn by compiled programs, whatever was drawn so far."""
        self._pixels = EAGER_PIXELS

    @on_worker
    def synthesize(self, styles: Sequence[Any]) -> np.ndarray:
        """Images `[N, 3, size, size]` float32, about [-1, 1], of K styles `[N, C_k]` (tensors or arrays).

        The noise is the generator's own.
        """
        self._pixels += styles[0].shape[0] * self._generator.size**2
        if self._compiled is None and self._pixels > EAGER_PIXELS:
            self._compiled = compile_synthesis(self._generator, mark=self._mark)
        if self._compiled is None:
            with paddle.no_grad():
                tensors = [style if paddle.is_tensor(style) else paddle.to_tensor(style) for style in styles]
                return self._generator.synthesis_from_styles(tensors, noise="const").numpy()
        return self._compiled([np.asarray(style) for style in styles])

    def render(self, styles: Sequence[Any]) -> np.ndarray:
        """Pixels `[N, size, size, 3]` uint8 of K styles; see synthesize."""
        return to_pixels(self.synthesize(styles))

    @on_worker
    def synthesize_in_region(
        self, styles: Sequence[Any], edited: Sequence[Any], masks: np.ndarray
    ) -> np.ndarray:
        """Images of edited styles that follow the mask at each layer; see models.region.

        A family that does not blend layers draws the edited styles alone. Nothing is pasted here.

        Args:
            styles, edited: K styles `[N, C_k]` each, before and after the edit.
            masks: `[N or 1, size, size]` float32, 0 to 1.
        """
        check_pairs(styles, edited, masks)
        if not blends_layers(self._generator):
            return self.synthesize(edited)
        self._pixels += 2 * styles[0].shape[0] * self._generator.size**2
        by_side = layer_masks(self._generator, np.asarray(masks, np.float32))
        if self._region is None and self._pixels > EAGER_PIXELS:
            self._region = compile_region_synthesis(self._generator, mark=self._mark)
        if self._region is None:
            with paddle.no_grad():
                before, after = ([paddle.to_tensor(np.asarray(s)) for s in part] for part in (styles, edited))
                tensors = {side: paddle.to_tensor(mask) for side, mask in by_side.items()}
                generator: Any = self._generator
                return generator.synthesis_in_region(before, after, tensors).numpy()
        inputs = {mask_name(side): repeated(mask, styles[0].shape[0]) for side, mask in by_side.items()}
        lower = styles[: len(self._region.parts[0].plan.widths) - len(edited)]
        return self._region([np.asarray(style) for style in (*lower, *edited)], **inputs)


@on_worker
def compile_image_encoder(clip, side, *, precision="fp32", mark=None, folder=None):
    """Make a CLIP's `encode_image` a fast function: images `[N, 3, side, side]` to features `[N, D]`.

    Args and errors as in compile_synthesis; `side` is that of the pictures, which CLIP's resize begins with.
    """
    mark = weights_fingerprint(clip.net.visual) if mark is None else mark
    key = ["encode_image", clip.name, clip.image_size, mark, side]
    compiled = Compiled(
        _ImageEncoder(clip),
        {"images": [-1, 3, side, side]},
        key,
        precision=precision,
        folder=folder,
        passes=_CLIP,
    )
    return lambda images: compiled({"images": images})[0]


class _NamedInputs(paddle.nn.Layer):
    """The network of a part of a synthesis, with its styles as single, named inputs."""

    def __init__(self, plan: InferencePart):
        super().__init__()
        self.synthesis, self.styles, self.inputs = plan.build(), _style_names(plan), list(plan.inputs)

    def forward(self, tensors):
        """What the part gives of named tensors."""
        styles = [tensors[name] for name in self.styles]
        return self.synthesis(styles, **{name: tensors[name] for name in self.inputs})


class _ImageEncoder(paddle.nn.Layer):
    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, tensors):
        """CLIP features of images."""
        return self.clip.encode_image(tensors["images"])
