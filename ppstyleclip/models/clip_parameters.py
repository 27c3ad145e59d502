# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What paddleclip's network holds, by its config; the class is another package's, so this is written down.

A CLIP has half a gigabyte of weights, and paddleclip's constructor fills some of them itself, so it is not
built to be asked. A test compares this with what it builds.
"""

from __future__ import annotations

from typing import Any

from .configs import BERT
from .parameters import ParameterSpec

Shapes = dict[str, ParameterSpec]
_EXPANSION = 4  # of a ResNet's bottleneck, and of a transformer's hidden layer


def clip_parameters(config: dict[str, Any]) -> Shapes:
    """Describe the state dict of a CLIP's `net`.

    Args:
        config: complete config of build_clip: with a ViT, or with a ResNet (four numbers of vision_layers).
    """
    width, dim = config["transformer_width"], config["embed_dim"]
    is_vit = isinstance(config["vision_layers"], int)
    if config.get("text") == BERT:
        ends = {**_array("text_projection", width, dim), **_array("logit_scale", 1)}
        return {**ends, **(_vision_transformer(config) if is_vit else _resnet(config)), **_bert(config)}
    specs = {
        **_array("positional_embedding", config["context_length"], width),
        **_array("text_projection", width, dim),
        **_array("logit_scale", 1),
        **(_vision_transformer(config) if is_vit else _resnet(config)),
    }
    for n in range(config["transformer_layers"]):
        specs.update(_block(f"transformer.resblocks.{n}", width))
    return {
        **specs,
        **_array("token_embedding.weight", config["vocab_size"], width),
        **_norm("ln_final", width),
    }


def _bert(config) -> Shapes:
    width, hidden, name = config["transformer_width"], config["hidden"], "bert"
    specs = {
        **_array(f"{name}.pieces.weight", config["vocab_size"], width),
        **_array(f"{name}.positions.weight", config["positions"], width),
        **_array(f"{name}.kinds.weight", 2, width),
        **_norm(f"{name}.norm", width),
    }
    for n in range(config["transformer_layers"]):
        layer = f"{name}.layers.{n}"
        for part in ("query", "key", "value", "dense"):
            specs.update(_linear(f"{layer}.attention.{part}", width, width))
        specs.update(_norm(f"{layer}.attention.norm", width))
        specs.update(_linear(f"{layer}.rise", width, hidden))
        specs.update(_linear(f"{layer}.fall", hidden, width))
        specs.update(_norm(f"{layer}.norm", width))
    return specs


def _vision_transformer(config) -> Shapes:
    width, patch = config["vision_width"], config["vision_patch_size"]
    patches = (config["image_size"] // patch) ** 2
    specs = {
        **_array("visual.class_embedding", width),
        **_array("visual.positional_embedding", patches + 1, width),
        **_array("visual.proj", width, config["embed_dim"]),
        **_array("visual.conv1.weight", width, 3, patch, patch),
        **_norm("visual.ln_pre", width),
    }
    for n in range(config["vision_layers"]):
        specs.update(_block(f"visual.transformer.resblocks.{n}", width))
    return {**specs, **_norm("visual.ln_post", width)}


def _resnet(config) -> Shapes:
    width, half = config["vision_width"], config["vision_width"] // 2
    specs = {}
    for n, (before, after) in enumerate(((3, half), (half, half), (half, width)), 1):
        specs.update(_array(f"visual.conv{n}.weight", after, before, 3, 3))
        specs.update(_batch_norm(f"visual.bn{n}", after))
    before = width
    for stage, depth in enumerate(config["vision_layers"]):
        planes = width * 2**stage
        for n in range(depth):
            specs.update(_bottleneck(f"visual.layer{stage + 1}.{n}", before, planes, stage > 0 and n == 0))
            before = planes * _EXPANSION
    rows = (config["image_size"] // 32) ** 2 + 1
    specs.update(_array("visual.attnpool.positional_embedding", rows, before))
    for part in ("q_proj", "k_proj", "v_proj"):
        specs.update(_linear(f"visual.attnpool.attn.{part}", before, before))
    return {**specs, **_linear("visual.attnpool.attn.out_proj", before, config["embed_dim"])}


def _bottleneck(name, before, planes, is_strided) -> Shapes:
    after = planes * _EXPANSION
    specs = {
        **_array(f"{name}.conv1.weight", planes, before, 1, 1),
        **_batch_norm(f"{name}.bn1", planes),
        **_array(f"{name}.conv2.weight", planes, planes, 3, 3),
        **_batch_norm(f"{name}.bn2", planes),
        **_array(f"{name}.conv3.weight", after, planes, 1, 1),
        **_batch_norm(f"{name}.bn3", after),
    }
    if is_strided or before != after:
        specs.update(_array(f"{name}.downsample.0.weight", after, before, 1, 1))
        specs.update(_batch_norm(f"{name}.downsample.1", after))
    return specs


def _block(name, width) -> Shapes:
    specs = {}
    for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
        specs.update(_linear(f"{name}.attn.{part}", width, width))
    return {
        **specs,
        **_norm(f"{name}.ln_1", width),
        **_linear(f"{name}.mlp.c_fc", width, _EXPANSION * width),
        **_linear(f"{name}.mlp.c_proj", _EXPANSION * width, width),
        **_norm(f"{name}.ln_2", width),
    }


def _array(key, *shape, torch_key=None, is_linear=False) -> Shapes:
    return {key: ParameterSpec(shape, torch_key or key, is_linear)}


def _linear(name, before, after) -> Shapes:
    return {**_array(f"{name}.weight", before, after, is_linear=True), **_array(f"{name}.bias", after)}


def _norm(name, width) -> Shapes:
    return {**_array(f"{name}.weight", width), **_array(f"{name}.bias", width)}


def _batch_norm(name, width) -> Shapes:
    return {
        **_norm(name, width),
        **_array(f"{name}._mean", width, torch_key=f"{name}.running_mean"),
        **_array(f"{name}._variance", width, torch_key=f"{name}.running_var"),
    }
