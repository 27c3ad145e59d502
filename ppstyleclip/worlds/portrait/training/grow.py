# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pack for a generator that was fitted further, by measuring anew what has changed.

    python -m ppstyleclip.worlds.portrait.training.grow --pack pack --generator new.safetensors --output new

A larger one, of a fit with `--set frozen=128`, has the blocks up to 128 px as they were, so statistics,
relevance, encoder, mappers, directions and latents stay right for them. Relevance is then as `--stop_at 128`
measures it: the channels of the first blocks on the 128 px picture, the new ones on the whole one. Where a
layer needs a w of its own, the new ones take the last one's.

One of the same size has all of its relevance measured anew, as the pack's was. Where a fit with
`--set w_rate=0` left the mapping network as it was, directions and latents stay right, and encoders and
mappers still step in the same w, but have learnt from the pictures of before: judge them. Else all of these
are left out, to be made anew.

The population is measured by `training.population` afterwards.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.engine import CompiledNetworks
from ppstyleclip.errors import UserError
from ppstyleclip.files import (
    all_or_nothing,
    atomic_path,
    check_writable,
    fingerprint,
    read_safetensors,
    write_safetensors,
)
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
from ppstyleclip.zoo.generators import generator_fingerprint, load_generator
from ppstyleclip.zoo.load import load_pack
from ppstyleclip.zoo.pack import ENCODER, GENERATOR, LATENTS, RELEVANCE, STATISTICS, STYLES, save_latents
from ppstyleclip.zoo.stored_directions import DIRECTIONS

PRESENT = 1e-6  # largest difference of the first blocks' styles


def grow(pack, generator_path, output) -> Path:
    """Write the pack at `output`; returns its path.

    It is built in a temporary folder, so `output`, which may be `pack`, is as it was until all is done.

    Args:
        pack: folder of the generator as it was.
        generator_path: exported file of the one that was fitted further.
        output: folder; made if need be, files in it are replaced.
    Raises:
        UserError: it is another generator than the pack's own, or the output lies in the pack.
        CannotWrite: the output cannot be written.
    """
    pack, output = Path(pack), check_writable(output)
    if pack.resolve() in output.resolve().parents:
        raise UserError(f"the output {output} lies inside the pack {pack}; choose another folder")
    with tempfile.TemporaryDirectory() as aside:
        build(pack, generator_path, built := Path(aside))
        left_out = {path.name for path in pack.iterdir()} - {path.name for path in built.iterdir()}
        with all_or_nothing():
            for path in sorted(path for path in built.rglob("*") if path.is_file()):
                with atomic_path(output / path.relative_to(built)) as draft:
                    shutil.copyfile(path, draft)
        for name in left_out:
            (output / name).unlink(missing_ok=True)
    return output


def build(pack, generator_path, output) -> None:
    """Write the pack into the empty folder `output`."""
    bundle = load_pack(pack)
    generator, stated = load_generator(generator_path)
    mark = stated.get("fingerprint") or generator_fingerprint(generator)
    known = known_channels(bundle.generator, generator)
    shutil.copytree(pack, output, dirs_exist_ok=True)
    shutil.copyfile(generator_path, output / GENERATOR)

    made_with = read_safetensors(pack / STATISTICS)[1]["made_with"]
    found = last(collect_statistics(generator, StatisticsConfig(**parse_json(made_with))))
    assert found.s is not None
    s_base = found.s[: len(bundle.s_base)]
    layout = json.dumps(generator.layout.to_config())
    described = {"layout": layout, "name": bundle.name, "made_with": made_with}
    save_stats(output / STATISTICS, found.stats, generator=mark, **described)
    save_styles(output / STYLES, s_base, generator=mark, **described)
    relevance = grown_relevance(bundle, known, generator, found.stats, s_base, mark)
    save_relevance(output / RELEVANCE, relevance, defaults=bundle.defaults, half=True)
    layers = generator.n_latent
    encoders = [*output.glob(ENCODER), *bundle_encoders(output).values()]
    mappers = sorted(output.glob("mapper_*.safetensors"))
    if first_change(bundle.generator, generator, "style.") is not None:  # w is another one
        for path in (*encoders, *mappers, output / LATENTS, output / DIRECTIONS):
            path.unlink(missing_ok=True)
        return
    if bundle.latents is not None:
        latents = repeat_last(bundle.latents, layers, axis=1)
        save_latents(output / LATENTS, latents, generator=mark, half=True)
    for path in encoders:
        grow_encoder(path, layers, mark)
    for path in mappers:
        grow_mapper(path, layers, mark)
    if bundle.directions is not None:
        restate(output / DIRECTIONS, generator=mark)


def known_channels(own, fitted) -> int:
    """How many channels of the fitted generator do what they did in the pack's own; refuse another one."""
    changed = first_change(own, fitted, "")
    if fitted.size > own.size and changed is None:
        return own.layout.num_editable
    if fitted.size == own.size and fitted.layout == own.layout:
        return 0
    what = f"its size, {fitted.size} px" if fitted.size < own.size else changed
    raise UserError(
        f"the generator does not go on from the pack's own ({what}); fit a larger one with --set frozen= of "
        "the pack's side"
    )


def first_change(own, fitted, part) -> str | None:
    """The first parameter, of those whose names begin with `part`, that the fitted generator has not kept."""
    states = dict(own.state_dict()), dict(fitted.state_dict())
    keys = (key for key in states[0] if key.startswith(part))
    return next((key for key in keys if not _same(key, *states)), None)


def _same(key, first, second) -> bool:
    values = [state[key].numpy() if key in state else np.zeros(0) for state in (first, second)]
    return values[0].shape == values[1].shape and np.abs(values[0] - values[1]).max(initial=0) <= PRESENT


def grown_relevance(bundle, known, generator, statistics, s_base, mark) -> Relevance:
    """The pack's relevance, whose first `known` rows stay, with all others measured."""
    own = bundle.relevance
    channels = tuple(range(known, generator.layout.num_editable))
    count = int(own.made_with.get("num_images", len(s_base)))
    side = bundle.generator.size if known else own.made_with.get("stop_at")
    config = RelevanceConfig(alpha=own.alpha, channels=channels, stop_at=side)
    networks = CompiledNetworks(generator, bundle.clip, precision="fp32", mark=mark)
    records = compute_relevance(
        generator, bundle.clip, statistics, config, s_base=s_base[:count], compiled=networks
    )
    new = last(records).relevance
    assert new is not None and new.effect_norm is not None and own.effect_norm is not None
    rows, norms = new.rows.copy(), new.effect_norm.copy()
    rows[:known], norms[:known] = own.rows[:known], own.effect_norm[:known]
    described = {
        **own.made_with,
        "stop_at": side,
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
    parser = documented_parser(__doc__)
    parser.add_argument("--pack", required=True, help="folder of the generator as it was")
    parser.add_argument("--generator", required=True, help="exported file of the one fitted further")
    parser.add_argument("--output", required=True, help="folder of the new pack")
    args = parser.parse_args(argv)
    folder = grow(args.pack, args.generator, args.output)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
