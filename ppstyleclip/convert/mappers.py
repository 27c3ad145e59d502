# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent mappers of StyleCLIP's second method, under the official code's names (`course_mapping` is theirs).

official               SingleMapper, LevelsMapper, FullStyleSpaceMapper, WithoutToRGBStyleSpaceMapper
text2image_manipulation the official LevelsMapper, given a text's vector: cat, sum and multi
styleclip-gan3         a pickled LatentMapper for the 16 layers of StyleGAN3; nothing is scaled by 0.1
"""

from __future__ import annotations

import re

import numpy as np

from ppstyleclip.convert.encoders import split_parts
from ppstyleclip.convert.key_map import map_state_dict, torch_keys
from ppstyleclip.convert.networks import mapper_parameters, mapper_widths
from ppstyleclip.convert.stylegan2 import convert_state, generator_sample, read_config
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain, shown
from ppstyleclip.files import fingerprint
from ppstyleclip.wording import counted

_GROUPS = ("course", "medium", "fine")
_WEIGHT = re.compile(r"((?:\w+\.)?mapping)\.(\d{1,3})\.weight")
_SPLIT_2, _SPLIT_3 = (4, 8), (5, 8)  # where medium and fine begin, for StyleGAN2 and StyleGAN3
_LAYERS_3 = 16
_RESIDUAL = 0.1  # w + 0.1 * mapper(w)
_KEPT = ("description", "mapper_type", "data_mode", "text_embed_mode", "work_in_stylespace")
_WIDTH = 512
# The official network and those of text2image_manipulation: our word -> mapper_mode.
_MODES = {"plain": "Mapper", "sum": "Mapper_sum", "cat": "Mapper_cat", "multi": "Mapper_multi"}


def recognise_mapper(content, container) -> Recognised | None:
    """A mapper with its frozen generator, as the official code saves it: state_dict and opts."""
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        return None
    if not any(key.startswith("mapper.") for key in content["state_dict"]):
        return None
    unknown = sorted(key for key in content if key not in ("state_dict", "opts"))
    if unknown:
        raise UserError(f"a checkpoint with a mapper holds {named(unknown, 3)}, which is unknown")
    parts = split_parts(content["state_dict"], "mapper", "decoder")
    stated = content.get("opts")
    opts = stated if isinstance(stated, dict) else {}
    is_for_3 = any(key.startswith("synthesis.") for key in parts["decoder"])
    config = {
        **_read_config(parts["mapper"], is_for_3, parts["decoder"]),
        "scale": _RESIDUAL,
        **{key: opts[key] for key in _KEPT if isinstance(opts.get(key), (str, bool))},
    }
    left = {f"decoder.{key}": "the generator is a file of its own" for key in parts["decoder"]}

    def convert() -> Converted:
        made_for = {} if is_for_3 else _made_for(parts["decoder"])
        return _convert(parts["mapper"], {**config, **made_for}, left, opts)

    return Recognised("mapper", _description(config), config, convert)


def recognise_pickled_mapper(content, container) -> Recognised | None:
    """styleclip-gan3's LatentMapper, pickled whole."""
    if not str(getattr(content, "class_name", "")).endswith(".LatentMapper"):
        return None
    renamed = latent_mapper_keys(content.state())
    config = {**_read_config(renamed, True, {}), "scale": 1.0}
    return Recognised("mapper", _description(config), config, lambda: _convert(renamed, config, {}, {}))


def latent_mapper_keys(state: dict) -> dict:
    """Rename the keys of a LatentMapper, `coarse_mapper.mapper.1.weight`, to those of LevelsMapper.

    Raises:
        UserError: a key is none of its.
    """
    renamed = {}
    for key, value in state.items():
        group, middle, rest = (key.split(".", 2) + ["", ""])[:3]
        if middle != "mapper" or group not in ("coarse_mapper", "medium_mapper", "fine_mapper"):
            raise UserError(
                f"{plain(key)} is unknown; coarse_mapper, medium_mapper and fine_mapper were expected"
            )
        word = group.replace("coarse", "course").replace("_mapper", "")
        renamed[f"{word}_mapping.mapping.{rest}"] = value
    return renamed


def network_config(config: dict) -> dict:
    """The config of build_mapper for the network that a converted mapper's config describes.

    Raises:
        UserError: it has networks for some styles only.
    """
    if config["type"] == "styles":
        return _styles_config(config["widths"])
    form = {"mode": _MODES[config["form"]], "style_dim": _WIDTH, "text_dim": _WIDTH}
    if config["type"] == "single":
        return {"mapper_type": "SingleMapper", **form}
    groups = {word.replace("course", "coarse"): word in config["levels"] for word in _GROUPS}
    return {"mapper_type": "LevelsMapper", **form, **groups, "levels": config["split"]}


def _styles_config(widths) -> dict:
    """A style of ToRGB without a network leaves no trace; it is as wide as the one before."""
    found = {int(name[7:].partition(".")[0]): sizes[0] for name, sizes in widths.items()}
    last = max(found)
    count = last + 1 + (last % 3 != 1)
    to_rgb = range(1, count, 3)
    is_full = len(found) == count
    if not is_full and len(found) != count - len(to_rgb) or any(k in to_rgb for k in found) is not is_full:
        raise UserError(
            f"this mapper has networks for the styles {str(sorted(found))[:80]}; all, or all but those of "
            "ToRGB (1, 4, 7, ...) are known"
        )
    kind = "FullStyleSpaceMapper" if is_full else "WithoutToRGBStyleSpaceMapper"
    return {"mapper_type": kind, "style_dims": [found.get(k, found.get(k - 1)) for k in range(count)]}


def _read_config(mapper, is_for_3, decoder) -> dict:
    widths = _read_widths(mapper)
    if set(widths) == {"mapping.mapping"}:
        kind = "single"
    elif set(widths) <= {f"{word}_mapping.mapping" for word in _GROUPS}:
        kind = "levels"
    elif all(re.fullmatch(r"mapper_\d{1,3}\.mapping", name) for name in widths):
        return {
            "type": "styles",
            "form": "plain",
            "widths": widths,
            "styles": sorted(int(name[7:].partition(".")[0]) for name in widths),
        }
    else:
        raise UserError(
            f"this mapper has {named(sorted(widths), 3)}; a single, a levels or a style-space mapper is known"
        )
    layers = _LAYERS_3 if is_for_3 else _layers_of(decoder)
    config = {"type": kind, "form": _form(widths), "widths": widths, "layers": layers}
    if kind == "levels":
        begins = (0, *(_SPLIT_3 if is_for_3 else _SPLIT_2), layers)
        config["split"] = [end - begin for begin, end in zip(begins, begins[1:])]
        config["levels"] = {
            word: list(begins[index : index + 2])
            for index, word in enumerate(_GROUPS)
            if f"{word}_mapping.mapping" in widths
        }
    return config


def _read_widths(mapper) -> dict:
    """`{name of a stack: [in, ..., out]}`, read off the weights `[out, in]`."""
    found: dict[str, dict] = {}
    for key, value in mapper.items():
        match = _WEIGHT.fullmatch(key)
        if match and isinstance(value, np.ndarray) and value.ndim == 2:
            found.setdefault(match[1], {})[int(match[2])] = value.shape
    if not found:
        raise UserError("this mapper has no layers of the kind that is known (NAME.mapping.N.weight)")
    return {
        name: [shapes[min(shapes)][1]] + [shapes[index][0] for index in sorted(shapes)]
        for name, shapes in sorted(found.items())
    }


def _form(widths) -> str:
    """Which network of text2image_manipulation the stacks are: a key of _MODES."""
    for form, mode in _MODES.items():
        if all(own == mapper_widths(mode, _WIDTH) for own in widths.values()):
            return form
    one = next(iter(widths.values()))
    raise UserError(
        f"this mapper's layers are {shown(one)} wide; the official one and text2image_manipulation's "
        "(sum, cat, multi) are known"
    )


def _layers_of(decoder) -> int:
    return 2 * (read_config(decoder, True)["size"].bit_length() - 1) - 2 if decoder else 18


def _description(config) -> str:
    if config["type"] == "styles":
        return f"StyleCLIP mapper in style space, {len(config['styles'])} style layers"
    groups = f" ({', '.join(config['levels'])})" if config["type"] == "levels" else ""
    prompt = f", {shown(config['description'])}" if config.get("description") else ""
    return (
        f"StyleCLIP mapper, {config['type']}{groups}, {config['form']}, for "
        f"{counted(config['layers'], 'layer')} of "
        f"w_plus{prompt}"
    )


def _made_for(decoder) -> dict:
    """What tells the generator that a mapper was trained for: its fingerprint, as zoo takes it, and a sample.

    The sample is a few numbers that do not change where somebody rounds the weights, or draws other noise.
    """
    if not decoder:
        return {}
    return {
        "generator": fingerprint(convert_state(decoder, read_config(decoder, True), True)[0]),
        "generator_sample": generator_sample(decoder),
    }


def _convert(mapper, config, left, opts) -> Converted:
    state, ignored = map_state_dict(torch_keys(mapper_parameters(network_config(config))), mapper)
    return Converted("mapper", state, config, ignored={**left, **ignored}, opts=opts)
