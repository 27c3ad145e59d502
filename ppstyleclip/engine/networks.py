# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the product compiles: synthesis, CLIP's image side, both in a row, and losses with their gradients."""

from __future__ import annotations

from itertools import count

import numpy as np
import paddle

from ppstyleclip.engine.compiled import Compiled
from ppstyleclip.engine.program import ALL, Arrangement, check_precision, on_gpu
from ppstyleclip.engine.tracing import writes_old_programs
from ppstyleclip.files import fingerprint
from ppstyleclip.models.stylegan2_fixed import FixedSynthesis
from ppstyleclip.models.stylegan2_layers import output_side

# Reshapes are not oneDNN's, so as to be done in place; the passes left out take all weights for constants.
_SYNTHESIS = Arrangement(
    without=(
        "is_test_pass",
        "conv_elementwise_add_onednn_fuse_pass",
        "conv_elementwise_add_mkldnn_fuse_pass",
    ),
    onednn=(
        "conv2d",
        "conv2d_transpose",
        "depthwise_conv2d",
        "elementwise_mul",
        "elementwise_add",
        "leaky_relu",
        "matmul_v2",
        "batch_norm",
        "transpose2",
    ),
)
# One whose neighbours all stay fp32 stays so too: without the activation between them, the widest linear
# layers of CLIP would, and without the reordering those that follow attention.
_CLIP = Arrangement(
    bf16=("conv2d", "fused_conv2d", "fc", "matmul_v2", "fused_matmul", "swish", "transpose2", "reshape2")
)
EAGER_PIXELS = 2**18  # that a Painter draws before it compiles: 64 pictures of 64 px, none of 1024 px
SMALL_SIDE = 32  # up to here pictures are drawn together even if they end up large: weights are read once
AT_ONCE_PIXELS = 2**16  # of a batch: more at once is slower and takes memory; one picture of 256 px


class CompiledSynthesis:
    """Styles to images, compiled: see compile_synthesis.

    Attributes: `at_once`, how many pictures of a batch are drawn at a time.
    """

    def __init__(self, parts):
        self.parts, self.at_once = parts, parts[0].at_once

    def __call__(self, styles, **begin) -> np.ndarray:
        """Draw images `[N, 3, H, W]` float32, about [-1, 1].

        Args:
            styles: float32 arrays `[N, C_k]` of the style tensors from `start` on.
            begin: with `start` above 0 or where it is opened, arrays as `staged.Stage` and `Opened` begin.
        """
        self.compile()  # all before any runs, for a program that comes later has those loaded again
        for part in self.parts[:-1]:
            begin = dict(zip(("x", "image"), part(styles[: part.count], begin)))
            styles = styles[part.count :]
        return self.parts[-1](styles, begin)[0]

    def compile(self) -> bool:
        """Compile, if not done yet; whether it worked."""
        return all([part.compiled.compile() for part in self.parts])


class _Part:
    """Some neighbouring layers, compiled.

    Attributes: `span`, the first style tensor, the one before which to stop, and whether the first layer is
    opened; `count`, of its tensors; `at_once`, how many pictures of a batch are drawn at a time.
    """

    def __init__(self, compiled, span, count, at_once):
        self.compiled, self.span, self.count, self.at_once = compiled, span, count, at_once

    def __call__(self, styles, begin):
        arrays = {**begin, **{_style_name(self.span[0] + k): style for k, style in enumerate(styles)}}
        drawn = [
            self.compiled({name: array[start : start + self.at_once] for name, array in arrays.items()})
            for start in range(0, len(styles[0]), self.at_once)
        ]
        return drawn[0] if len(drawn) == 1 else [np.concatenate(results) for results in zip(*drawn)]


def compile_synthesis(
    generator,
    *,
    start=0,
    opened=False,
    side=None,
    noise="const",
    precision="fp32",
    mark=None,
    folder=None,
    like=None,
) -> CompiledSynthesis:
    """Make a generator's `synthesis_from_styles` a fast function of arrays, with any batch.

    Where pictures are so large that they are drawn one by one, the layers up to SMALL_SIDE are a program of
    their own, which draws many at once.

    Args:
        generator: StyleGANv2Generator in evaluation mode; its weights are copied.
        start: the first style tensor to draw; above 0 the call takes what was drawn before it.
        opened: its convolution is done, and the call takes that and what a channel changes (staged.Opened).
        side: stop at this resolution; None is the generator's own.
        noise: "const" or "none".
        precision: "fp32", "bf16" or "fp16".
        mark: the generator's fingerprint where it is known; None computes it.
        folder: where programs are kept; None is `engine` in the cache.
        like: a CompiledSynthesis of the same generator and settings, but for `start` and `opened`; what both
            would have in common is shared.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """
    side = side or generator.size
    mark = _weights_mark(generator) if mark is None else mark
    cut = next(k for k in count() if output_side(k) > SMALL_SIDE)
    whole = side <= SMALL_SIDE or side**2 < AT_ONCE_PIXELS or start >= cut
    spans = [(start, None, opened)] if whole else [(start, cut, opened), (cut, None, False)]
    shared = {part.span: part for part in (like.parts if like else ())}
    parts = [
        shared.get(span) or _part(generator, *span, side, noise, precision, mark, folder) for span in spans
    ]
    return CompiledSynthesis(parts)


def _part(generator, start, stop, opened, side, noise, precision, mark, folder):
    winograd, told = precision == "fp32" and not on_gpu(), writes_old_programs()
    at_once = max(1, AT_ONCE_PIXELS // (side if stop is None else SMALL_SIDE) ** 2)
    alone = stop is None and at_once == 1 and told
    layer = _NamedSynthesis(
        FixedSynthesis(
            generator,
            start=start,
            stop=stop,
            opened=opened,
            side=side,
            noise=noise,
            winograd=winograd,
            alone=alone,
        )
    )
    key = ["synthesis", mark, stop, opened, generator.size, start, side, noise, winograd, alone]
    compiled = Compiled(
        layer,
        layer.shapes(),
        key,
        precision=precision,
        folder=folder,
        arrangement=_SYNTHESIS if told else ALL,
    )
    return _Part(compiled, (start, stop, opened), len(layer.synthesis.widths), at_once)


class CompiledNetworks:
    """A generator and a CLIP, compiled to go from a half drawn picture to its CLIP features.

    Args:
        generator, clip: the networks.
        precision: one of PRECISIONS.
        mark: the generator's fingerprint where it is known.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    def __init__(self, generator, clip, *, precision="fp32", mark=None):
        check_precision(precision)
        self._generator, self._clip, self._precision = generator, clip, precision
        self._mark = _weights_mark(generator) if mark is None else mark
        self._drawing = self._encoding = (None, None)

    def features(self, prefix, images, styles, columns) -> np.ndarray:
        """CLIP features `[N, D]`.

        Args:
            prefix: methods.staged.Stage or Opened of some pictures, half drawn.
            images: `[N]` which of them each picture goes on from.
            styles: arrays `[N, C_k]` of the style tensors from prefix.k on, up to a ToRGB layer.
            columns: `[N]` the one channel in which an Opened's style and the first of these differ.
        """
        known, draw = self._drawing
        wanted = prefix.k, prefix.is_opened, prefix.k + len(styles)
        if known != wanted:  # one at a time: a program holds its weights
            start, opened, end = wanted
            draw = compile_synthesis(
                self._generator,
                start=start,
                opened=opened,
                side=output_side(end - 1),
                mark=self._mark,
                precision=self._precision,
                like=draw if known and known[-1] == end else None,
            )
            self._drawing = wanted, draw
        drawn = []
        for start in range(0, len(images), draw.at_once):  # what they go on from is large: a few at a time
            part = slice(start, start + draw.at_once)
            own = [style[part] for style in styles]
            drawn.append(draw(own, **prefix.begin(images[part], own[0], columns[part])))
        pictures = np.concatenate(drawn)
        if self._encoding[0] != pictures.shape[-1]:
            self._encoding = (
                pictures.shape[-1],
                compile_image_encoder(self._clip, pictures.shape[-1], precision=self._precision),
            )
        return self._encoding[1](pictures)


class Painter:
    """Draws pictures of one generator from styles: few small ones in eager mode, many or large ones compiled.

    Compiling takes a second or two, as long as EAGER_PIXELS do in eager mode. What has been drawn so far
    decides, never what is on disk: the same calls give the same pixels.
    """

    def __init__(self, generator, *, mark=None):
        self._generator, self._mark = generator, mark
        self._compiled, self._pixels = None, 0

    def __call__(self, styles) -> np.ndarray:
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


def compile_image_encoder(clip, side, *, precision="fp32", mark=None, folder=None):
    """Make a CLIP's `encode_image` a fast function: images `[N, 3, side, side]` to features `[N, D]`.

    Args and errors as in compile_synthesis; `side` is that of the pictures, which CLIP's resize begins with.
    """
    mark = _weights_mark(clip.net.visual) if mark is None else mark
    key = ["encode_image", clip.name, clip.image_size, mark, side]
    compiled = Compiled(
        _ImageEncoder(clip),
        {"images": [-1, 3, side, side]},
        key,
        precision=precision,
        folder=folder,
        arrangement=_CLIP,
    )
    return lambda images: compiled({"images": images})[0]


class _NamedSynthesis(paddle.nn.Layer):
    """FixedSynthesis with its styles as single, named inputs."""

    def __init__(self, synthesis):
        super().__init__()
        self.synthesis = synthesis

    def shapes(self):
        """`{name: shape}` of the inputs."""
        parts = self.synthesis
        shapes = {_style_name(parts.start + k): [-1, width] for k, width in enumerate(parts.widths)}
        return {**shapes, **{name: [-1, *shape] for name, shape in parts.begins.items()}}

    def forward(self, tensors):
        """Images of named styles."""
        first, widths = self.synthesis.start, self.synthesis.widths
        styles = [tensors[_style_name(first + k)] for k in range(len(widths))]
        return self.synthesis(styles, **{name: tensors[name] for name in self.synthesis.begins})


class _ImageEncoder(paddle.nn.Layer):
    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, tensors):
        """CLIP features of images."""
        return self.clip.encode_image(tensors["images"])


def _style_name(k):
    return f"style_{k:02d}"


def _weights_mark(layer):
    return fingerprint({key: value.numpy() for key, value in layer.state_dict().items()})
