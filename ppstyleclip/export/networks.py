# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The networks of a bundle as parts that are exported: named inputs, one output, any batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle
from paddle import Tensor, nn

from ppstyleclip.errors import UserError
from ppstyleclip.models.forms import inference_of
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
    bundle: Bundle, names: Sequence[str] | None = None, *, mapper: TrainedMapper | None = None
) -> list[ExportedPart]:
    """Make the parts of a bundle.

    Args:
        bundle: the model.
        names: of PARTS; None is all that the bundle has, and the mapper where one is given.
        mapper: TrainedMapper for the part "mapper".
    Raises:
        UserError: an unknown name, or the bundle has no such part.
    """
    unknown = sorted(set(names or ()) - set(PARTS))
    if unknown:
        raise UserError(f"there is no part '{unknown[0]}' to export; known: {', '.join(PARTS)}")
    made = []
    for name in PARTS if names is None else [name for name in PARTS if name in names]:
        part = _mapper(bundle, mapper) if name == "mapper" else _BUILDERS[name](bundle)
        if part is not None:
            made.append(part)
        elif names is not None:
            cure = "give --mapper FILE" if name == "mapper" else "leave it out of --parts"
            raise UserError(f"'{bundle.name}' has no {name} to export; {cure}")
    return made


class _Function(nn.Layer):
    """A function of named tensors, and the networks that it uses."""

    def __init__(self, function: Callable[[dict[str, Tensor]], Tensor], *networks: nn.Layer):
        super().__init__()
        self.function, self.networks = function, nn.LayerList(networks)

    def forward(self, tensors):
        """What the function returns."""
        return self.function(tensors)


def _latent(bundle: Bundle) -> Inputs:
    generator = bundle.generator
    return {"w_plus": ([-1, generator.n_latent, generator.style_dim], "float32")}


def _images(bundle: Bundle, side: int, channels: int = 3) -> Inputs:
    return {"images": ([-1, channels, side, side], "float32")}


def _mapping(bundle: Bundle) -> ExportedPart:
    generator: Any = bundle.generator
    return ExportedPart(
        "mapping",
        _Function(lambda tensors: generator.get_latent(tensors["z"]), generator),
        {"z": ([-1, generator.style_dim], "float32")},
        "w",
        "normal numbers z [N, D] to w [N, D]; w_plus repeats it L times",
    )


def _affine(bundle: Bundle) -> ExportedPart:
    generator: Any = bundle.generator
    return ExportedPart(
        "affine",
        _Function(lambda tensors: _flat_styles(bundle, tensors["w_plus"]), generator),
        _latent(bundle),
        "s",
        "w_plus [N, L, D] to flat styles s [N, S], in the order of layout.json",
    )


def _flat_styles(bundle: Bundle, w_plus: Tensor) -> Tensor:
    return bundle.layout.flatten(bundle.generator.style_affine(w_plus))


def _synthesis(bundle: Bundle) -> ExportedPart:
    return ExportedPart(
        "synthesis",
        _Synthesis(bundle),
        {"s": ([-1, bundle.layout.size], "float32")},
        "images",
        "flat styles s [N, S] to images [N, 3, H, W], about [-1, 1], RGB, with the generator's own noise",
    )


def _generator(bundle: Bundle) -> ExportedPart:
    synthesis = _Synthesis(bundle)
    generator: Any = bundle.generator
    return ExportedPart(
        "generator",
        _Function(
            lambda tensors: synthesis({"s": _flat_styles(bundle, tensors["w_plus"])}), synthesis, generator
        ),
        _latent(bundle),
        "images",
        "w_plus [N, L, D] to images [N, 3, H, W], about [-1, 1], RGB: affine and synthesis in one",
    )


class _Synthesis(nn.Layer):
    """Flat styles to images: all programs that the generator's family splits it into, in a row.

    The form is that of a GPU, which is right for any batch and any runtime.
    """

    def __init__(self, bundle: Bundle):
        super().__init__()
        self.layout = bundle.layout
        request = SynthesisRequest(on_gpu=True, legacy_ir=False)
        self.plans = inference_of(bundle.generator).parts(request)
        self.layers = nn.LayerList([plan.build() for plan in self.plans])

    def forward(self, tensors):
        """Images of `s`."""
        styles = self.layout.unflatten(tensors["s"])
        inputs: dict[str, Tensor] = {}
        results: Any = None
        for plan, layer in zip(self.plans, self.layers):
            count = len(plan.widths)
            results = layer(styles[:count], **inputs)
            styles = styles[count:]
            if layer is not self.layers[-1]:
                inputs = dict(zip(plan.outputs, results))
        return results


def _clip_image(bundle: Bundle) -> ExportedPart:
    clip = bundle.clip
    return ExportedPart(
        "clip_image",
        _Function(lambda tensors: clip.encode_image(tensors["images"]), clip),
        _images(bundle, bundle.generator.size),
        "features",
        "images as the generator draws them to CLIP features [N, D], not normalised",
    )


def _clip_text(bundle: Bundle) -> ExportedPart:
    clip = bundle.clip
    return ExportedPart(
        "clip_text",
        _Function(lambda tensors: clip.encode_tokens(tensors["tokens"]), clip),
        {"tokens": ([-1, clip.net.context_length], "int64")},
        "features",
        "byte-pair tokens [N, T], start and end token included, to CLIP features [N, D], not normalised",
    )


def _encoder(bundle: Bundle) -> ExportedPart | None:
    if bundle.encoder is None:
        return None
    network, mean = bundle.encoder.network, _Constant(bundle.encoder.latent_avg)
    channels, side = network.input_channels, network.input_size
    is_step = channels != 3
    what = (
        f"a picture and its last result [N, {channels}, H, W] to the step from the last latent to the next"
        if is_step
        else f"faces cut out as the model's own, {side} px, in [-1, 1], to w_plus [N, L, D]"
    )

    def encode(tensors):
        step = network(tensors["images"])
        return step if is_step else step + mean.value

    return ExportedPart(
        "encoder", _Function(encode, network, mean), _images(bundle, side, channels), "w_plus", what
    )


class _Constant(nn.Layer):
    def __init__(self, array: np.ndarray):
        super().__init__()
        array = np.asarray(array, np.float32)
        array = array[:, None] if array.ndim == 2 else array  # [1, 1 or L, D]
        self.register_buffer("value", paddle.to_tensor(array))


def _mapper(bundle: Bundle, mapper: TrainedMapper | None) -> ExportedPart | None:
    if mapper is None:
        return None
    network, scale = mapper.network, float(mapper.scale)
    is_flat = mapper.space != "w_plus"
    latent = {"s": ([-1, bundle.layout.size], "float32")} if is_flat else _latent(bundle)
    [name] = latent
    inputs: Inputs = dict(latent)
    if mapper.embed != "none":
        width = bundle.clip.dim if mapper.words is None else np.shape(mapper.words)[1]
        inputs["text"] = ([1, width], "float32")

    def edit(tensors):
        given = [tensors[key] for key in inputs]
        return given[0] + network(*given) * scale

    texts = ", ".join(mapper.texts) or "a text"
    return ExportedPart(
        "mapper",
        _Function(edit, network),
        inputs,
        f"edited_{name}",
        f"{name} to {name}, edited for: {texts}",
    )


_BUILDERS: dict[str, Callable[[Bundle], ExportedPart | None]] = {
    "mapping": _mapping,
    "affine": _affine,
    "synthesis": _synthesis,
    "generator": _generator,
    "clip_image": _clip_image,
    "clip_text": _clip_text,
    "encoder": _encoder,
}
