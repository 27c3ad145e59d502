# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Make the embedded pack from trained networks: statistics, relevance, a few latents, all with fingerprints.

    python -m ppstyleclip.toonface.build_pack --generator toonface-generator/state.safetensors \\
        --clip toonface-clip/state.safetensors
    python -m ppstyleclip.toonface.build_pack --directions-only     (statistics and relevance alone)

Statistics and relevance are measured on the networks as the pack stores them (float16), so that anyone who
measures again gets what is shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

PACK = Path(__file__).parent / "pack"
DEFAULTS = {
    "alpha": 5.65,
    "beta": 0.15,
    "unit": "effect",
    "templates": "paddlegan",
    "pull": 0.5,
    "truncation": 1.0,
}
NUM_IMAGES = 100
LATENT_SEEDS = tuple(range(12))


def measure(generator, clip, *, num_samples=100_000, progress=print):
    """(StyleStats, s of the base images, Relevance) of a generator and a CLIP.

    Nothing is truncated: every z of this world is a good face.
    """
    from ppstyleclip.methods.global_directions import (
        RelevanceConfig,
        StatisticsConfig,
        collect_statistics,
        compute_relevance,
    )
    from ppstyleclip.progress import last

    config = StatisticsConfig(num_samples=num_samples, truncation=1.0, keep=NUM_IMAGES)
    record = last(collect_statistics(generator, config))
    progress(f"statistics of {record.done} samples")
    config = RelevanceConfig(batch_size=200)
    for step in compute_relevance(generator, clip, record.stats, config, s_base=record.s):
        if step.done % 40 < len(step.channels):
            progress(f"relevance {step.done}/{step.total}")
    return record.stats, record.s, step.relevance


def load_networks(generator_path, clip_path):
    """(generator, full CLIP) of two training checkpoints."""
    from ppstyleclip.toonface.train_clip import build_small, to_full
    from ppstyleclip.toonface.train_generator import load_average

    small = build_small()
    small.net.set_state_dict(_part(clip_path, "clip"))
    return load_average(generator_path), to_full(small)


def build(generator, clip, folder=PACK, progress=print):
    """Write the pack twice: the networks first, then, measured on what was stored, everything."""
    import paddle

    from ppstyleclip.stylespace import StyleStats
    from ppstyleclip.toonface.world import sample_z
    from ppstyleclip.zoo import EditDefaults, load_pack, save_pack

    layout = generator.layout
    zeros = np.zeros(layout.size, np.float32)
    blank = StyleStats(zeros, zeros + 1, 0)
    relevance = np.zeros((layout.num_editable, clip.dim), np.float32)
    parts = {"generator": generator, "clip": clip, "defaults": EditDefaults(**DEFAULTS), "half": True}
    save_pack(folder, stats=blank, relevance=relevance, **parts)
    stored = load_pack(folder)
    stats, s_base, found = measure(stored.generator, stored.clip, progress=progress)
    with paddle.no_grad():
        z = np.concatenate([sample_z(seed, 1) for seed in LATENT_SEEDS])
        latents = stored.generator.get_latents(paddle.to_tensor(z)).numpy()
    parts.update(generator=stored.generator, clip=stored.clip)
    return save_pack(
        folder,
        stats=stats,
        relevance=found,
        latents=latents,
        s_base=s_base,
        **parts,
    )


def set_defaults(folder=PACK, **defaults):
    """Change the pack's default alpha, beta, unit or templates and nothing else."""
    import json

    from ppstyleclip.files import read_safetensors, write_safetensors
    from ppstyleclip.schema import parse_json
    from ppstyleclip.zoo.pack import RELEVANCE

    tensors, metadata = read_safetensors(Path(folder) / RELEVANCE)
    metadata["defaults"] = json.dumps({**parse_json(metadata["defaults"]), **defaults})
    write_safetensors(Path(folder) / RELEVANCE, tensors, metadata)


def add_encoder(checkpoint, folder=PACK):
    """Put the encoder of a checkpoint of train_encoder into the pack, as float16."""
    from ppstyleclip.models.encoders import build_encoder
    from ppstyleclip.models.state import load_state
    from ppstyleclip.toonface.train_encoder import CONFIG
    from ppstyleclip.zoo import Encoder, load_pack, save_encoder
    from ppstyleclip.zoo.pack import ENCODER

    bundle = load_pack(folder)
    generator = bundle.generator
    network = build_encoder({**CONFIG, "num_styles": generator.n_latent, "style_dim": generator.style_dim})
    load_state(network, _part(checkpoint, "encoder"), "the encoder")
    encoder = Encoder(network, np.asarray(generator.mean_latent().numpy(), np.float32))
    save_encoder(Path(folder) / ENCODER, encoder, generator=bundle.fingerprints["generator"], half=True)


def add_identity(checkpoint, folder=PACK):
    """Put the identity network of a checkpoint of train_identity into the pack, as float16."""
    from ppstyleclip.models.arcface import IRSE50
    from ppstyleclip.models.state import load_state
    from ppstyleclip.toonface.train_identity import CONFIG
    from ppstyleclip.zoo import save_identity
    from ppstyleclip.zoo.pack import IDENTITY

    network = IRSE50(**CONFIG)
    load_state(network, _part(checkpoint, "identity"), "identity network")
    save_identity(Path(folder) / IDENTITY, network, half=True)


def _part(checkpoint, name):
    """One network's weights of a training checkpoint."""
    from ppstyleclip.files import read_safetensors

    arrays = read_safetensors(checkpoint)[0]
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(name + "/")}


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generator", help="checkpoint of train_generator")
    parser.add_argument("--clip", help="checkpoint of train_clip")
    parser.add_argument(
        "--directions-only", action="store_true", help="measure the pack's own networks again"
    )
    parser.add_argument("--encoder", help="checkpoint of train_encoder, which joins the pack as it is")
    parser.add_argument("--identity", help="checkpoint of train_identity, likewise")
    parser.add_argument("--output", default=str(PACK), help="the pack's folder")
    args = parser.parse_args(argv)
    joins = args.encoder or args.identity
    if not args.directions_only and not joins and not (args.generator and args.clip):
        parser.error("give --generator and --clip, or --directions-only, or --encoder or --identity")
    from ppstyleclip.threads import import_paddle

    import_paddle()
    if args.encoder:
        add_encoder(args.encoder, args.output)
    if args.identity:
        add_identity(args.identity, args.output)
    if joins:
        return
    from ppstyleclip.zoo import load_pack

    if args.directions_only:
        bundle = load_pack(args.output)
        generator, clip = bundle.generator, bundle.clip
    else:
        generator, clip = load_networks(args.generator, args.clip)
    print(build(generator, clip, args.output, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
