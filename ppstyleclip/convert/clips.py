# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIPs with a vision transformer: OpenAI's (also its TorchScript archives), Hugging Face's, paddleclip's."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

import numpy as np

from ppstyleclip.convert.key_map import (
    KeyMapping,
    map_state_dict,
    one_number,
    paddle_keys,
    same,
    shape_of,
    transposed,
)
from ppstyleclip.convert.networks import clip_parameters
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError
from ppstyleclip.wording import counted

_HEAD = 64  # width of an attention head in every published CLIP
_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.ln_1\.weight")
_JIT = (r"input_resolution|context_length|vocab_size|(.*\.)?attn_mask", "numbers of the archive, not weights")
_IDS = (r".*\.position_ids", "counts up from 0")
_HUGGING_FACE = {  # ours: theirs, outside the blocks
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.proj": "visual_projection.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "text_projection": "text_projection.weight",
    "logit_scale": "logit_scale",
}
_HUGGING_FACE_NORMS = {
    "visual.ln_pre": "vision_model.pre_layrnorm",  # so spelt there
    "visual.ln_post": "vision_model.post_layernorm",
    "ln_final": "text_model.final_layer_norm",
}
_HUGGING_FACE_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def recognise_openai(content, container) -> Recognised | None:
    """OpenAI's ViT-*.pt (a TorchScript archive), or such a network's state dict; paddleclip's likewise."""
    state = content.state() if hasattr(content, "state") else content
    if not isinstance(state, dict) or "visual.class_embedding" not in state:
        if isinstance(state, dict) and "visual.attnpool.positional_embedding" in state:
            raise UserError("this is a CLIP with a ResNet; those with a vision transformer can be converted")
        return None
    if "token_ids" in state:
        raise UserError("this is a CLIP of ours, with only the token rows that it needs; it is used as it is")
    is_ours = "transformer.resblocks.0.attn.q_proj.weight" in state
    config = _read_config(state)
    specs = clip_parameters(config)
    if is_ours:
        return _recognised("paddleclip's", config, paddle_keys(specs), state)
    return _recognised("OpenAI's", config, [_openai_key(key, spec) for key, spec in specs.items()], state)


def recognise_hugging_face(content, container) -> Recognised | None:
    """openai/clip-vit-* of Hugging Face: model.safetensors or pytorch_model.bin."""
    if not isinstance(content, dict) or "vision_model.embeddings.class_embedding" not in content:
        return None
    names = _hugging_face_names()
    config = _read_config(_hugging_face_shapes(content, names))
    key_map = [_hugging_face_key(key, spec, names) for key, spec in clip_parameters(config).items()]
    return _recognised("Hugging Face's", config, key_map, content)


def openai_vision(state) -> tuple[dict, Callable]:
    """The eyes of a CLIP under OpenAI's keys: their part of the config, and what maps their arrays."""
    return _read_eyes(state), _openai_key


def hugging_face_vision(state) -> tuple[dict, Callable]:
    """As openai_vision, under Hugging Face's keys."""
    names = _hugging_face_names()
    eyes = _read_eyes(_hugging_face_shapes(state, names))
    return eyes, partial(_hugging_face_key, names=names)


def _hugging_face_names() -> dict:
    """Ours: theirs, outside the blocks."""
    return {
        **_HUGGING_FACE,
        **{
            f"{ours}.{part}": f"{theirs}.{part}"
            for part in ("weight", "bias")
            for ours, theirs in _HUGGING_FACE_NORMS.items()
        },
    }


def _hugging_face_shapes(content, names) -> dict:
    """Arrays under OpenAI's keys, as far as a config is read off them."""
    outside = {ours: content[theirs] for ours, theirs in names.items() if theirs in content}
    for word in ("visual.proj", "text_projection"):
        if isinstance(outside.get(word), np.ndarray):
            outside[word] = outside[word].T
    return {**{_our_block(key): 0 for key in content if ".layers." in key}, **outside}


def _recognised(origin, config, key_map, state) -> Recognised:
    def convert() -> Converted:
        made, ignored = map_state_dict(key_map, state, [_JIT, _IDS])
        return Converted("clip", made, config, ignored=ignored)

    description = (
        f"CLIP ({origin} keys), {counted(config['vision_layers'], 'block')} of "
        f"{config['vision_width']}, patches of "
        f"{config['vision_patch_size']} in {config['image_size']} px, features of {config['embed_dim']}"
    )
    return Recognised("clip", description, config, convert)


def _read_config(state) -> dict:
    """The arguments of build_clip, read off the shapes under OpenAI's names."""
    eyes = _read_eyes(state)
    positions, table = _shapes(state, {"positional_embedding": 2, "token_embedding.weight": 2})
    width = state["text_projection"].shape[0]
    return {
        **eyes,
        "context_length": positions[0],
        "vocab_size": table[0],
        "transformer_width": width,
        "transformer_heads": max(1, width // _HEAD),
        "transformer_layers": _blocks(state).count(""),
    }


def _read_eyes(state) -> dict:
    """The part of the config that the eyes decide."""
    ranks = {"visual.conv1.weight": 4, "visual.positional_embedding": 2, "text_projection": 2}
    (wide, _, _, patch), places, (_, dim) = _shapes(state, ranks)
    return {
        "embed_dim": dim,
        "image_size": math.isqrt(places[0] - 1) * patch,
        "vision_layers": _blocks(state).count("visual."),
        "vision_width": wide,
        "vision_patch_size": patch,
    }


def _blocks(state) -> list[str]:
    """For each block "visual." or ""."""
    return [match[1] or "" for match in map(_BLOCK.fullmatch, state) if match]


def _shapes(state, ranks) -> list[tuple]:
    """Shapes of arrays that have to be there with these numbers of axes."""
    shapes = {key: shape_of(state, key) for key in ranks}
    odd = [key for key, rank in ranks.items() if len(shapes[key]) != rank or 0 in shapes[key]]
    if odd:
        raise UserError(f"this CLIP has no usable {odd[0]}; it is not whole")
    return list(shapes.values())


def third(index: int, transform):
    """Cut the joint projection of an attention into q, k or v (0, 1, 2), then transform it."""

    def take(array):
        return transform(np.split(array, 3)[index])

    return take


def _openai_key(key, spec) -> KeyMapping:
    match = re.fullmatch(r"(.*\.attn\.)([qkv])_proj\.(weight|bias)", key)
    transform = transposed if spec.is_linear else same
    if match:
        cut = third("qkv".index(match[2]), transform)
        return KeyMapping(key, spec.shape, f"{match[1]}in_proj_{match[3]}", cut)
    return KeyMapping(key, spec.shape, key, one_number if key == "logit_scale" else transform)


def _hugging_face_key(key, spec, names) -> KeyMapping:
    if key in names:
        turned = key in ("visual.proj", "text_projection")
        transform = transposed if turned else one_number if key == "logit_scale" else same
        return KeyMapping(key, spec.shape, names[key], transform)
    return KeyMapping(key, spec.shape, _their_block(key), transposed if spec.is_linear else same)


def _their_block(key) -> str:
    """`visual.transformer.resblocks.0.attn.q_proj.weight` as Hugging Face calls it."""
    match = re.fullmatch(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)", key)
    assert match  # a CLIP has no other keys
    side, number, part, last = match.groups()
    part = _HUGGING_FACE_PARTS.get(part, part.replace("attn.", "self_attn."))
    return f"{'vision' if side else 'text'}_model.encoder.layers.{number}.{part}.{last}"


def _our_block(key) -> str:
    """`vision_model.encoder.layers.0.layer_norm1.weight` as OpenAI calls it; only to count blocks."""
    return (
        key.replace("vision_model.", "visual.")
        .replace("text_model.", "")
        .replace("encoder.layers.", "transformer.resblocks.")
        .replace("layer_norm", "ln_")
    )
