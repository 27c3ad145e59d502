# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Chinese-CLIPs with a vision transformer: OFA's checkpoints and Hugging Face's files of the same networks.

The words lie in a file of their own beside the weights, vocab.txt, so their number is all that is known here;
whoever reads the file adds `pieces` to the config (zoo.clips).
"""

from __future__ import annotations

import re

from ppstyleclip.convert.clips import hugging_face_vision, openai_vision
from ppstyleclip.convert.key_map import KeyMapping, map_state_dict, same, shape_of, transposed
from ppstyleclip.convert.networks import clip_parameters
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError
from ppstyleclip.models.configs import BERT
from ppstyleclip.wording import counted

CONTEXT = 52  # word pieces that every published one was trained to read
_HEAD = 64  # width of a head of attention, in all but ViT-H's eyes
_ODD_VISION_WIDTH = 1280  # ViT-H/14, whose heads are 80 wide
_TABLE = "embeddings.word_embeddings.weight"
_BLOCK = re.compile(r"encoder\.layer\.(\d+)\.output\.dense\.weight")
_LEFT_OUT = (
    (r".*\.position_ids", "counts up from 0"),
    (r"(bert|text_model)\.pooler\..*", "BERT's pooler, which no feature goes through"),
)
_OUTSIDE = {  # ours: BERT's, outside the layers
    "pieces.weight": _TABLE,
    "positions.weight": "embeddings.position_embeddings.weight",
    "kinds.weight": "embeddings.token_type_embeddings.weight",
    "norm.weight": "embeddings.LayerNorm.weight",
    "norm.bias": "embeddings.LayerNorm.bias",
}
_INSIDE = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.dense": "attention.output.dense",
    "attention.norm": "attention.output.LayerNorm",
    "rise": "intermediate.dense",
    "fall": "output.dense",
    "norm": "output.LayerNorm",
}


def recognise_chinese(content, container) -> Recognised | None:
    """OFA's clip_cn_*.pt (`{"state_dict": ...}`), or Hugging Face's chinese-clip-*."""
    if not isinstance(content, dict):
        return None
    inner = content.get("state_dict")
    state = inner if isinstance(inner, dict) else content
    for origin, prefix, vision in (
        ("OFA's", "bert.", openai_vision),
        ("Hugging Face's", "text_model.", hugging_face_vision),
    ):
        if prefix + _TABLE in state:
            return _recognised(origin, prefix, vision, state)
    return None


def _recognised(origin, prefix, vision, state) -> Recognised:
    if "visual.attnpool.positional_embedding" in state:
        raise UserError(
            "this is a Chinese-CLIP with a ResNet; those with a vision transformer can be converted"
        )
    eyes, name_of_eye = vision(state)
    config = _read_config(state, prefix, eyes)
    key_map = [_mapping(key, spec, prefix, name_of_eye) for key, spec in clip_parameters(config).items()]

    def convert() -> Converted:
        made, ignored = map_state_dict(key_map, state, _LEFT_OUT)
        return Converted("clip", made, config, ignored=ignored)

    description = (
        f"Chinese-CLIP ({origin} keys), {counted(config['vision_layers'], 'block')} of "
        f"{config['vision_width']}, patches of {config['vision_patch_size']} in {config['image_size']} px, "
        f"BERT with {counted(config['transformer_layers'], 'layer')} of {config['transformer_width']}, "
        f"features of {config['embed_dim']}"
    )
    return Recognised("clip", description, config, convert)


def _read_config(state, prefix, eyes) -> dict:
    """Arguments of build_clip but `pieces`, read off the shapes."""
    ranks = {prefix + _TABLE: 2, prefix + _OUTSIDE["positions.weight"]: 2}
    hidden = f"{prefix}encoder.layer.0.intermediate.dense.weight"
    shapes = {key: shape_of(state, key) for key in (*ranks, hidden)}
    odd = [key for key, shape in shapes.items() if len(shape) != 2 or 0 in shape]
    if odd:
        raise UserError(f"this Chinese-CLIP has no usable {odd[0]}; it is not whole")
    if eyes["vision_width"] == _ODD_VISION_WIDTH:
        raise UserError(
            "this is a Chinese-CLIP with ViT-H, whose heads are 80 wide; ViT-B and ViT-L can be converted"
        )
    pieces, width = shapes[prefix + _TABLE]
    positions = shapes[prefix + _OUTSIDE["positions.weight"]][0]
    layers = [key for key in state if key.startswith(prefix) and _BLOCK.fullmatch(key[len(prefix) :])]
    return {
        **eyes,
        "text": BERT,
        "context_length": min(CONTEXT, positions),
        "vocab_size": pieces,
        "positions": positions,
        "hidden": shapes[hidden][0],
        "transformer_width": width,
        "transformer_heads": max(1, width // _HEAD),
        "transformer_layers": len(layers),
    }


def _mapping(key, spec, prefix, name_of_eye) -> KeyMapping:
    if not key.startswith("bert."):
        return name_of_eye(key, spec)
    ours = key[len("bert.") :]
    if ours in _OUTSIDE:
        return KeyMapping(key, spec.shape, prefix + _OUTSIDE[ours])
    _, number, rest = ours.split(".", 2)
    part, _, last = rest.rpartition(".")
    theirs = f"{prefix}encoder.layer.{number}.{_INSIDE[part]}.{last}"
    return KeyMapping(key, spec.shape, theirs, transposed if spec.is_linear else same)
