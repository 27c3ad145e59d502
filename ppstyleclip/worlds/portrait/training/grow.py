# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pack for a larger generator whose first blocks are the pack's own, by measuring the new channels only.

    python -m ppstyleclip.worlds.portrait.training.grow --pack pack --generator large.safetensors --output new

A fit with `--set frozen=128` leaves the blocks up to 128 px as they were, so statistics, relevance, encoder,
mappers, directions and latents stay right for them. Relevance is then as `--stop_at 128` measures it: the
channels of the first blocks on the 128 px picture, the new ones on the whole one. Where a layer needs a w of
its own, the new ones take the last one's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

from ppstyleclip.engine import CompiledNetworks
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, read_safetensors, write_safetensors
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.progress import last
from ppstyleclip.schema import parse_json
from ppstyleclip.stylespace import Relevance
from ppstyleclip.zoo.directions import save_relevance, save_stats, save_styles
from ppstyleclip.zoo.encoders import bundle_encoders
from ppstyleclip.zoo.generators import load_generator
from ppstyleclip.zoo.load import load_pack
from ppstyleclip.zoo.pack import ENCODER, GENERATOR, LATENTS, RELEVANCE, STATISTICS, STYLES, save_latents
from ppstyleclip.zoo.stored_directions import DIRECTIONS

PRESENT = 1e-6  # largest difference of the first blocks' styles


def grow(pack, generator_path, output) -> Path:
    """Write the pack at `output`; returns its path.

    Args:
        pack: folder of the smaller generator.
        generator_path: exported file of the larger one.
        output: folder; made if need be, files in it are replaced.
    Raises:
        UserError: the larger generator's first blocks are not the smaller one's.
    """
    pack, output = Path(pack), Path(output)
    bundle = load_pack(pack)
    generator, stated = load_generator(generator_path)
    mark = stated["fingerprint"]
    check_prefix(bundle.generator, generator)
    if output.resolve() != pack.resolve():
        shutil.copytree(pack, output, dirs_exist_ok=True)
    shutil.copyfile(generator_path, output / GENERATOR)

    made_with = read_safetensors(pack / STATISTICS)[1]["made_with"]
    config = StatisticsConfig(**parse_json(made_with), keep=len(bundle.s_base))
    found = last(collect_statistics(generator, config))
    layout = json.dumps(generator.layout.to_config())
    described = {"layout": layout, "name": bundle.name, "made_with": made_with}
    save_stats(output / STATISTICS, found.stats, generator=mark, **described)
    save_styles(output / STYLES, found.s, generator=mark, **described)
    relevance = grown_relevance(bundle, generator, found.stats, found.s, mark)
    save_relevance(output / RELEVANCE, relevance, defaults=bundle.defaults, half=True)
    layers = generator.n_latent
    if bundle.latents is not None:
        latents = repeat_last(bundle.latents, layers, axis=1)
        save_latents(output / LATENTS, latents, generator=mark, half=True)
    for path in [*output.glob(ENCODER), *bundle_encoders(output).values()]:
        grow_encoder(path, layers, mark)
    for path in sorted(output.glob("mapper_*.safetensors")):
        grow_mapper(path, layers, mark)
    if bundle.directions is not None:
        restate(output / DIRECTIONS, generator=mark)
    return output


def check_prefix(small, large) -> None:
    """Refuse a generator whose first blocks are not those of the smaller one."""
    own, wider = (dict(g.state_dict()) for g in (small, large))
    changed = [
        key
        for key, value in own.items()
        if key not in wider
        or value.shape != wider[key].shape
        or np.abs(value.numpy() - wider[key].numpy()).max() > PRESENT
    ]
    if changed or large.size <= small.size:
        what = changed[0] if changed else f"its size, {large.size} px"
        raise UserError(
            f"the generator does not go on from the pack's own ({what}); fit it with --set frozen="
        )


def grown_relevance(bundle, generator, statistics, s_base, mark) -> Relevance:
    """The pack's relevance with the rows of the larger generator's new channels measured."""
    own = bundle.relevance
    channels = tuple(range(len(own.rows), generator.layout.num_editable))
    count = int(own.made_with.get("num_images", len(s_base)))
    config = RelevanceConfig(alpha=own.alpha, channels=channels, stop_at=bundle.generator.size)
    networks = CompiledNetworks(generator, bundle.clip, precision="fp32", mark=mark)
    records = compute_relevance(
        generator, bundle.clip, statistics, config, s_base=s_base[:count], compiled=networks
    )
    new = last(records).relevance
    assert new is not None and new.effect_norm is not None and own.effect_norm is not None
    rows, norms = new.rows.copy(), new.effect_norm.copy()
    rows[: len(own.rows)], norms[: len(own.rows)] = own.rows, own.effect_norm
    described = {
        **own.made_with,
        "stop_at": bundle.generator.size,
        "statistics": fingerprint({"mean": statistics.mean, "std": statistics.std}),
        "styles": fingerprint({"s": s_base[:count]}),
    }
    return dataclasses.replace(
        own,
        rows=rows,
        effect_norm=norms,
        measured=np.ones(len(rows), bool),
        layout=generator.layout,
        fingerprints={**own.fingerprints, "generator": mark},
        made_with=described,
        regression=None,  # of a population: training.population measures it anew
    )


def repeat_last(array, count, axis) -> np.ndarray:
    """`array` with its last entry along `axis` repeated until there are `count`."""
    lacking = count - array.shape[axis]
    return np.concatenate([array, np.repeat(np.take(array, [-1], axis), lacking, axis)], axis)


def grow_encoder(path, layers, mark) -> None:
    """Let an encoder into w_plus give `layers` codes; new layers take the last one's."""
    state, about = read_safetensors(path)
    config = parse_json(about["config"])
    shape = (config["num_styles"], config["style_dim"])
    last = f"styles.{shape[0] - 1}."  # the last head, of an encoder that has heads
    for key in [key for key in state if key.startswith(last)]:
        state.update({f"styles.{k}.{key[len(last) :]}": state[key] for k in range(shape[0], layers)})
    for key in {"linear.weight", "linear.bias"} & set(state):
        array = np.asarray(state[key])
        # paddle's EqualLinear divides by sqrt(in), which stays
        wide = repeat_last(array.reshape(*array.shape[:-1], *shape), layers, array.ndim - 1)
        state[key] = wide.reshape(*array.shape[:-1], -1)
    about = {**about, "config": json.dumps({**config, "num_styles": layers}), "generator": mark}
    about["fingerprint"] = fingerprint({key: np.asarray(value, np.float32) for key, value in state.items()})
    write_safetensors(path, state, about)


def grow_mapper(path, layers, mark) -> None:
    """Let a mapper's fine level, or what it does for the last layer, move the new layers too."""
    state, about = read_safetensors(path)
    config, stated = parse_json(about["config"]), parse_json(about["mapper"])
    if "levels" in config:
        coarse, medium, _ = config["levels"]
        config["levels"] = [coarse, medium, layers - coarse - medium]
    if config["mapper_type"] == "ConditionedMapper":
        before, idle = config["layers"], config.get("idle") or []
        if before - 1 in idle:
            config["idle"] = [*idle, *range(before, layers)]
        config["layers"], state["place"] = layers, repeat_last(np.asarray(state["place"]), layers, 0)
    stated["made_for"]["generator"] = mark
    about["fingerprint"] = fingerprint({key: np.asarray(value, np.float32) for key, value in state.items()})
    write_safetensors(path, state, {**about, "config": json.dumps(config), "mapper": json.dumps(stated)})


def restate(path, **words) -> None:
    """Change what a file of ours says about itself."""
    state, about = read_safetensors(path)
    write_safetensors(path, state, {**about, **words})


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pack", required=True, help="folder of the smaller generator")
    parser.add_argument("--generator", required=True, help="exported file of the larger one")
    parser.add_argument("--output", required=True, help="folder of the new pack")
    args = parser.parse_args(argv)
    folder = grow(args.pack, args.generator, args.output)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
