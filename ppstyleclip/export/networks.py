# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The networks of a bundle as parts that are exported: named inputs, one output, any batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
from paddle import nn

from ppstyleclip.errors import UserError
from ppstyleclip.models.forms import count_tensors, inference_of, prefix_drawing_of
from ppstyleclip.models.generator import SynthesisRequest
from ppstyleclip.zoo import Bundle, TrainedMapper

Inputs = dict  # {name: (shape, dtype)}, -1 for the batch

PARTS = ("mapping", "affine", "synthesis", "generator", "clip_image", "clip_text", "encoder", "mapper")


@dataclass(frozen=True, eq=False)
class ExportedPart:
    """One network, ready to be written.

    Attributes:
        name: one of PARTS.
        layer: its forward takes `{name: Tensor}` and returns one Tensor.
        inputs: `{name: (shape, dtype)}`, -1 for the batch.
        output: the name of what it returns.
        description: what goes in and what comes out, for people.
    """

    name: str
    layer: nn.Layer
    inputs: Inputs
    output: str
    description: str


def build_parts(
    bundle: Bundle,
    names: Sequence[str] | None = None,
    *,
    mapper: TrainedMapper | None = None,
    side: int | None = None,
) -> list[ExportedPart]:
    """Make the parts of a bundle.

    Args:
        bundle: the model.
        names: of PARTS; None is all that the bundle has, and the mapper where one is given.
        mapper: TrainedMapper for the part "mapper".
        side: pixels at which the synthesis stops, a size that the generator draws on its way; None for all.
    Raises:
        UserError: an unknown name, the bundle has no such part, or the generator draws no such size.
    """
    unknown = sorted(set(names or ()) - set(PARTS))
    if unknown:
        raise UserError(f"there is no part '{unknown[0]}' to export; known: {', '.join(PARTS)}")
    if side is not None:
        count_tensors(prefix_drawing_of(bundle.generator), side)
    made = []
    for name in PARTS if names is None else [name for name in PARTS if name in names]:
        if name == "mapper":
            part = _mapper(bundle, mapper)
        elif name in _OF_A_SIZE:
            part = _OF_A_SIZE[name](bundle, side)
        else:
            part = _BUILDERS[name](bundle)
        if part is not None:
            made.append(part)
        elif names is not None:
            cure = "give --mapper FILE" if name == "mapper" else "leave it out of --parts"
            raise UserError(f"'{bundle.name}' has no {name} to export; {cure}")
    return made


def _latent(bundle: Bundle) -> Inputs:
    generator = bundle.generator
    return {"w_plus": ([-1, generator.n_latent, generator.style_dim], "float32")}


def _images(side: int, channels: int = 3) -> Inputs:
    return {"images": ([-1, channels, side, side], "float32")}


# Each network is a Layer with a forward of its own: what Paddle traces must not be a lambda, whose calls it
# would take as they are, with batches of -1.


class _Mapping(nn.Layer):
    def __init__(self, generator: Any):
        super().__init__()
        self.generator = generator

    def forward(self, tensors):
        return self.generator.get_latent(tensors["z"])


def _mapping(bundle: Bundle) -> ExportedPart:
    return ExportedPart(
        "mapping",
        _Mapping(bundle.generator),
        {"z": ([-1, bundle.generator.style_dim], "float32")},
        "w",
        "normal numbers z [N, D] to w [N, D]; w_plus repeats it L times",
    )


class _Affine(nn.Layer):
    def __init__(self, generator: Any):
        super().__init__()
        self.generator, self.layout = generator, generator.layout

    def forward(self, tensors):
        return self.layout.flatten(self.generator.style_affine(tensors["w_plus"]))


def _affine(bundle: Bundle) -> ExportedPart:
    return ExportedPart(
        "affine",
        _Affine(bundle.generator),
        _latent(bundle),
        "s",
        "w_plus [N, L, D] to flat styles s [N, S], in the order of model.json's layout",
    )


class _Synthesis(nn.Layer):
    """Flat styles to images: all programs that the generator's family splits it into, in a row.

    The form is that of a GPU, which is right for any batch and any runtime.
    """

    def __init__(self, generator: Any, side: int | None):
        super().__init__()
        self.layout = generator.layout
        request = SynthesisRequest(side=side, on_gpu=True, legacy_ir=False)
        self.plans = inference_of(generator).parts(request)
        self.layers = nn.LayerList([plan.build() for plan in self.plans])

    def forward(self, tensors):
        styles, inputs = self.layout.unflatten(tensors["s"]), {}
        for index, (plan, layer) in enumerate(zip(self.plans, self.layers)):
            count = len(plan.widths)
            results = layer(styles[:count], **inputs)
            styles = styles[count:]
            if index + 1 < len(self.plans):
                inputs = dict(zip(plan.outputs, results))
        return results


def _synthesis(bundle: Bundle, side: int | None) -> ExportedPart:
    return ExportedPart(
        "synthesis",
        _Synthesis(bundle.generator, side),
        {"s": ([-1, bundle.layout.size], "float32")},
        "images",
        "flat styles s [N, S] to images [N, 3, H, W], about [-1, 1], RGB, with the generator's own noise",
    )


class _Generator(nn.Layer):
    def __init__(self, generator: Any, side: int | None):
        super().__init__()
        self.affine, self.synthesis = _Affine(generator), _Synthesis(generator, side)

    def forward(self, tensors):
        return self.synthesis({"s": self.affine(tensors)})


def _generator(bundle: Bundle, side: int | None) -> ExportedPart:
    return ExportedPart(
        "generator",
        _Generator(bundle.generator, side),
        _latent(bundle),
        "images",
        "w_plus [N, L, D] to images [N, 3, H, W], about [-1, 1], RGB: affine and synthesis in one",
    )


class _ClipImage(nn.Layer):
    def __init__(self, clip: Any):
        super().__init__()
        self.clip = clip

    def forward(self, tensors):
        return self.clip.encode_image(tensors["images"])


def _clip_image(bundle: Bundle, side: int | None) -> ExportedPart:
    return ExportedPart(
        "clip_image",
        _ClipImage(bundle.clip),
        _images(side or bundle.generator.size),
        "features",
        "images as the generator draws them to CLIP features [N, D], not normalised",
    )


class _ClipText(nn.Layer):
    def __init__(self, clip: Any):
        super().__init__()
        self.clip = clip

    def forward(self, tensors):
        return self.clip.encode_tokens(tensors["tokens"])


def _clip_text(bundle: Bundle) -> ExportedPart:
    return ExportedPart(
        "clip_text",
        _ClipText(bundle.clip),
        {"tokens": ([-1, bundle.clip.net.context_length], "int64")},
        "features",
        "byte-pair tokens [N, T], start and end token included, to CLIP features [N, D], not normalised",
    )


class _Encoder(nn.Layer):
    def __init__(self, encoder: Any):
        super().__init__()
        self.network, self.is_step = encoder.network, encoder.network.input_channels != 3
        mean = np.asarray(encoder.latent_avg, np.float32)
        mean = mean[:, None] if mean.ndim == 2 else mean  # [1, 1 or L, D]
        self.register_buffer("mean", paddle.to_tensor(mean))

    def forward(self, tensors):
        step = self.network(tensors["images"])
        return step if self.is_step else step + self.mean


def _encoder(bundle: Bundle) -> ExportedPart | None:
    if bundle.encoder is None:
        return None
    layer = _Encoder(bundle.encoder)
    channels, side = layer.network.input_channels, layer.network.input_size
    description = (
        f"a picture and its last result [N, {channels}, H, W] to the step from the last w_plus to the next"
        if layer.is_step
        else f"faces cut out as the model's own, {side} px, in [-1, 1], to w_plus [N, L, D]"
    )
    return ExportedPart("encoder", layer, _images(side, channels), "w_plus", description)


class _Mapper(nn.Layer):
    def __init__(self, mapper: TrainedMapper, names: tuple[str, ...]):
        super().__init__()
        self.network, self.scale, self.names = mapper.network, float(mapper.scale), names

    def forward(self, tensors):
        given = [tensors[name] for name in self.names]
        return given[0] + self.network(*given) * self.scale


def _mapper(bundle: Bundle, mapper: TrainedMapper | None) -> ExportedPart | None:
    if mapper is None:
        return None
    inputs = _latent(bundle) if mapper.space == "w_plus" else {"s": ([-1, bundle.layout.size], "float32")}
    [name] = inputs
    if mapper.takes_text:
        width = bundle.clip.dim if mapper.words is None else np.shape(mapper.words)[1]
        inputs["text"] = ([1, width], "float32")
    texts = ", ".join(mapper.texts) or "a text"
    return ExportedPart(
        "mapper",
        _Mapper(mapper, tuple(inputs)),
        inputs,
        f"edited_{name}",
        f"{name} to {name}, edited for: {texts}",
    )


_BUILDERS: dict[str, Callable[[Bundle], ExportedPart | None]] = {
    "mapping": _mapping,
    "affine": _affine,
    "clip_text": _clip_text,
    "encoder": _encoder,
}
_OF_A_SIZE: dict[str, Callable[[Bundle, Any], ExportedPart]] = {
    "synthesis": _synthesis,
    "generator": _generator,
    "clip_image": _clip_image,
}
