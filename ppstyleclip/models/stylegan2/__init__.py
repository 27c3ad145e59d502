# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2 (Karras et al., 2020) under PaddleGAN's names: one network, drawn in the form that fits best.

Read from the top down: `generator` is the network and its own synthesis, made of `layers`; `layout` says
which style tensor scales which layer, `channels` how wide layers usually are, `state` loads weights.
Everything else is the same synthesis in other forms; tests hold each of them equal to the first:

| form (module) | draws when | why |
|---|---|---|
| eager (generator) | little is drawn, weights are trained, noise is random | nothing to compile |
| inference (inference) | many or large pictures are drawn | constant weights, oneDNN, Winograd's form |
| first layers (inference) | from 256 px on: layers up to 32 px | small layers draw many pictures at once |
| batch one (inference_layers) | from 256 px on: layers above 32 px | the weights are scaled, not x |
| region (region) | an edit stays in a part of the picture | two chains, blended at each layer |
| backward (backward) | a loss needs gradients in the styles | forward operators run under oneDNN |
| prefix (prefix) | relevance: pictures differ from some layer on | the layers before are drawn once |
| cached convolution (prefix, inference_layers) | relevance: one channel changes | so is the rest |

`StyleGAN2Inference.parts` in `inference` makes these choices for programs; `engine` runs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channels import channel_table
    from .generator import StyleGANv2Generator, build_generator
    from .layout import layout_from_channels
    from .state import load_generator_state

__all__ = [
    "StyleGANv2Generator",
    "build_generator",
    "channel_table",
    "layout_from_channels",
    "load_generator_state",
]
_HOMES = {
    "channel_table": "channels",
    "layout_from_channels": "layout",
    "load_generator_state": "state",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: `channels` is read without Paddle."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'generator')}"), name)
