# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIPs with a vision transformer: OpenAI's (also its TorchScript archives), Hugging Face's, paddleclip's."""

from __future__ import annotations

import math
import re

import numpy as np

from ppstyleclip.convert.kinds import Converted, Recognised
from ppstyleclip.convert.table import Row, Target, fill, one_number, paddle_rows, same, shape_of, transposed
from ppstyleclip.errors import UserError

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


def clip_targets(config: dict) -> dict:
    """Key and shape of everything in a ViT CLIP of paddleclip, `{key: Target}`; config as for build_clip."""
    width, wide, dim = config["transformer_width"], config["vision_width"], config["embed_dim"]
    patch = config["vision_patch_size"]
    patches = (config["image_size"] // patch) ** 2
    targets = {
        "positional_embedding": Target((config["context_length"], width)),
        "text_projection": Target((width, dim)),
        "logit_scale": Target((1,)),
        "visual.class_embedding": Target((wide,)),
        "visual.positional_embedding": Target((patches + 1, wide)),
        "visual.proj": Target((wide, dim)),
        "visual.conv1.weight": Target((wide, 3, patch, patch)),
        **_norm("visual.ln_pre", wide),
    }
    for n in range(config["vision_layers"]):
        targets.update(_block(f"visual.transformer.resblocks.{n}", wide))
    targets.update(_norm("visual.ln_post", wide))
    for n in range(config["transformer_layers"]):
        targets.update(_block(f"transformer.resblocks.{n}", width))
    targets["token_embedding.weight"] = Target((config["vocab_size"], width))
    return {**targets, **_norm("ln_final", width)}


def _block(name, width) -> dict:
    targets = {}
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        targets.update(_linear(f"{name}.attn.{part}", width, width))
    return {
        **targets,
        **_norm(f"{name}.ln_1", width),
        **_linear(f"{name}.mlp.c_fc", width, 4 * width),
        **_linear(f"{name}.mlp.c_proj", 4 * width, width),
        **_norm(f"{name}.ln_2", width),
    }


def _linear(name, before, after) -> dict:
    return {f"{name}.weight": Target((before, after), is_linear=True), f"{name}.bias": Target((after,))}


def _norm(name, width) -> dict:
    return {f"{name}.weight": Target((width,)), f"{name}.bias": Target((width,))}


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
    targets = clip_targets(config)
    rows = paddle_rows(targets) if is_ours else [_openai_row(key, target) for key, target in targets.items()]
    return _recognised("paddleclip's" if is_ours else "OpenAI's", config, rows, state)


def recognise_hugging_face(content, container) -> Recognised | None:
    """openai/clip-vit-* of Hugging Face: model.safetensors or pytorch_model.bin."""
    if not isinstance(content, dict) or "vision_model.embeddings.class_embedding" not in content:
        return None
    names = {
        **_HUGGING_FACE,
        **{
            f"{ours}.{part}": f"{theirs}.{part}"
            for part in ("weight", "bias")
            for ours, theirs in _HUGGING_FACE_NORMS.items()
        },
    }
    outside = {ours: content[theirs] for ours, theirs in names.items() if theirs in content}
    for word in ("visual.proj", "text_projection"):
        if isinstance(outside.get(word), np.ndarray):
            outside[word] = outside[word].T
    blocks = {_our_block(key): 0 for key in content if ".layers." in key}
    config = _read_config({**blocks, **outside})
    rows = [_hugging_face_row(key, target, names) for key, target in clip_targets(config).items()]
    return _recognised("Hugging Face's", config, rows, content)


def _recognised(origin, config, rows, state) -> Recognised:
    def convert() -> Converted:
        made, ignored = fill(rows, state, [_JIT, _IDS])
        return Converted("clip", made, config, ignored=ignored)

    says = (
        f"CLIP ({origin} keys), {config['vision_layers']} blocks of {config['vision_width']}, patches of "
        f"{config['vision_patch_size']} in {config['image_size']} px, features of {config['embed_dim']}"
    )
    return Recognised("clip", says, config, convert)


def _read_config(state) -> dict:
    """The arguments of build_clip, read off the shapes under OpenAI's names."""
    ranks = {
        "visual.conv1.weight": 4,
        "visual.positional_embedding": 2,
        "text_projection": 2,
        "positional_embedding": 2,
        "token_embedding.weight": 2,
    }
    shapes = {key: shape_of(state, key) for key in ranks}
    odd = [key for key, rank in ranks.items() if len(shapes[key]) != rank or 0 in shapes[key]]
    if odd:
        raise UserError(f"this CLIP has no usable {odd[0]}; it is not whole")
    wide, _, _, patch = shapes["visual.conv1.weight"]
    width, dim = shapes["text_projection"]
    blocks = [match[1] or "" for match in map(_BLOCK.fullmatch, state) if match]
    side = math.isqrt(shapes["visual.positional_embedding"][0] - 1)
    return {
        "embed_dim": dim,
        "image_size": side * patch,
        "vision_layers": blocks.count("visual."),
        "vision_width": wide,
        "vision_patch_size": patch,
        "context_length": shapes["positional_embedding"][0],
        "vocab_size": shapes["token_embedding.weight"][0],
        "transformer_width": width,
        "transformer_heads": max(1, width // _HEAD),
        "transformer_layers": blocks.count(""),
    }


def third(index: int, transform):
    """Cut the joint projection of an attention into q, k or v (0, 1, 2), then transform it."""

    def take(array):
        return transform(np.split(array, 3)[index])

    return take


def _openai_row(key, target) -> Row:
    match = re.fullmatch(r"(.*\.attn\.)([qkv])_proj\.(weight|bias)", key)
    transform = transposed if target.is_linear else same
    if match:
        cut = third("qkv".index(match[2]), transform)
        return Row(key, target.shape, f"{match[1]}in_proj_{match[3]}", cut)
    return Row(key, target.shape, key, one_number if key == "logit_scale" else transform)


def _hugging_face_row(key, target, names) -> Row:
    if key in names:
        turned = key in ("visual.proj", "text_projection")
        transform = transposed if turned else one_number if key == "logit_scale" else same
        return Row(key, target.shape, names[key], transform)
    return Row(key, target.shape, _their_block(key), transposed if target.is_linear else same)


def _their_block(key) -> str:
    """`visual.transformer.resblocks.0.attn.q_proj.weight` as Hugging Face calls it."""
    side, number, part, last = re.fullmatch(
        r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)\.(weight|bias)", key
    ).groups()
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
