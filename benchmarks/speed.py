# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Time ours and the peers side by side, in turns, and print Markdown tables of ratios, times and memory.

    python benchmarks/speed.py --paddlegan ../PaddleGAN
    python benchmarks/speed.py --paddlegan ../PaddleGAN --rosinality ../stylegan2-pytorch \\
        --torch-python ../torch/bin/python --output speed.md
    python benchmarks/speed.py --stylegan3 ../stylegan3 --torch-python ../torch/bin/python \\
        --only stylegan3-r-1024 stylegan3-t-1024 --processor --threads 1 --rounds 1

Peers are checkouts of PaddlePaddle/PaddleGAN, rosinality/stylegan2-pytorch, NVlabs/stylegan3 and
orpatashnik/StyleCLIP. Each contestant is a process of its own. A peer runs without gradients where it needs
none, at the fastest of 1, 2, ... threads; ours has all cores. Weights are random, the same for all Paddle
contestants, and of a StyleGAN3 for both sides, whose pictures are then compared.
"""

from __future__ import annotations

import argparse
import platform
import shlex
import sys
import tempfile
from functools import partial
from pathlib import Path

from lanes.race import Case, Contestant, Group, Setting, compete
from lanes.tables import limit_lines, ratio_table, time_table

from ppstyleclip.threads import count_cores

NAMES = ("synthesis-1024", "synthesis-256", "upfirdn2d", "clip", "relevance", "gradient", "optimise",
         "identity", "pack", "limit",
         "stylegan3-t-256", "stylegan3-r-256", "stylegan3-t-1024", "stylegan3-r-1024")  # fmt: skip
PADDLEGAN, PYTORCH, PADDLECLIP = "PaddleGAN", "PyTorch", "paddleclip"
ARITHMETIC = {1024: 148.5, 256: 90.0}  # GFLOP of one picture
SHAPES = {  # of upfirdn2d's input
    "up-large": ("up", [1, 32, 512, 512]),
    "blur-large": ("blur", [1, 32, 1025, 1025]),
    "up-small": ("up", [1, 512, 8, 8]),
    "blur-small": ("blur", [1, 512, 9, 9]),
}
CONVOLUTIONS = {"conv-512": (512, 64), "conv-64": (64, 512)}  # channels, side
LAYERS, BLOCK_SIZE, PEER_CHANNELS, IMAGES = 4, 2, 1, 2  # of the relevance loops
# What our commands set for themselves, for --lend-settings.
LENT = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=2147483647",
        "MKL_DEBUG_CPU_TYPE": "5"}  # fmt: skip


def synthesis(size, args):
    """Batch 1 and 4 at one size."""
    options = {"size": size, "batches": [1, 4]}
    contestants = [
        Contestant(
            "ours, engine fp32", "ours", "synthesis_engine", {**options, "precision": "fp32"}, compiles=True
        ),
        Contestant(
            "ours, engine bf16", "ours", "synthesis_engine", {**options, "precision": "bf16"}, compiles=True
        ),
        Contestant("ours, eager", "ours", "synthesis_eager", options),
    ]
    if args.paddlegan:
        options = {"path": args.paddlegan, **options}
        contestants.append(Contestant(PADDLEGAN, "paddlegan", "synthesis", options))
    if args.rosinality:
        options = {**options, "path": args.rosinality}
        contestants.append(Contestant(PYTORCH, "rosinality", "synthesis", options))
    cases = (Case("1", synthesis_case(size, 1)), Case("4", synthesis_case(size, 4), 4, tried=False))
    return Group(f"synthesis-{size}", cases, tuple(contestants))


def synthesis_case(size, batch):
    return f"synthesis {size} px, batch {batch}" + (", an image" if batch > 1 else "")


def stylegan3(name, args):
    """One picture of StyleGAN3; `name` is that of the group, which says configuration and size."""
    _, configuration, size = name.split("-")
    options = {"size": int(size), "configuration": configuration.upper()}
    contestants = [Contestant("ours, engine", "ours", "stylegan3_engine", options, compiles=True)]
    if args.stylegan3:  # first, because it makes the weights
        contestants.insert(0, Contestant(PYTORCH, "nvidia", "synthesis", {"path": args.stylegan3, **options}))
    label = f"StyleGAN3-{configuration.upper()}, {size} px"
    return Group(name, (Case("1", label),), tuple(contestants), reference=PYTORCH)


def upfirdn2d(args):
    """Two large and two small sizes, forward and with the gradient."""
    words = {"up": "upsampling", "blur": "blurring"}
    labels = {name: f"{words[kind]} {shape}" for name, (kind, shape) in SHAPES.items()}
    cases = [Case(name, f"{label}, forward") for name, label in labels.items()]
    cases += [Case(f"{name}-gradient", f"{label}, with gradient") for name, label in labels.items()]
    contestants = [
        Contestant("ours, engine", "ours", "upfirdn2d_engine", {"shapes": SHAPES}),
        Contestant("ours, eager", "ours", "upfirdn2d_eager", {"shapes": SHAPES}),
    ]
    if args.paddlegan:
        options = {"path": args.paddlegan, "shapes": SHAPES}
        contestants.append(Contestant(PADDLEGAN, "paddlegan", "upfirdn2d", options))
    return Group("upfirdn2d", tuple(cases), tuple(contestants))


def clip(args):
    """The image side of CLIP."""
    contestants = (
        Contestant(
            "ours, engine fp32", "ours", "clip_engine", {"batch": 8, "precision": "fp32"}, compiles=True
        ),
        Contestant(
            "ours, engine bf16", "ours", "clip_engine", {"batch": 8, "precision": "bf16"}, compiles=True
        ),
        Contestant("ours, eager", "ours", "clip_eager", {"batch": 8}),
        Contestant(PADDLECLIP, "paddlegan", "clip", {"batch": 8}),
    )
    return Group("clip", (Case("encode", "CLIP ViT-B/32, batch 8, a picture", 8),), contestants)


def relevance(args):
    """Few channels and images, from which one of each is told."""
    label = f"relevance 256 px, a channel and image ({IMAGES} images)"
    options = {"layers": LAYERS, "block_size": BLOCK_SIZE, "images": IMAGES}
    units = LAYERS * BLOCK_SIZE * IMAGES
    contestants = [Contestant("ours, engine", "ours", "relevance", options, units, compiles=True)]
    if args.paddlegan:
        options = {"path": args.paddlegan, "channels": PEER_CHANNELS, "images": IMAGES}
        units = PEER_CHANNELS * IMAGES
        contestants.append(Contestant(PADDLEGAN, "paddlegan", "relevance", options, units))
    return Group("relevance", (Case("channels", label),), tuple(contestants))


def gradient(args):
    """Synthesis at 256 px, CLIP ViT-B/32, and the loss's gradient to the styles."""
    contestants = [
        Contestant("ours, engine", "ours", "gradient_engine", compiles=True),
        Contestant("ours, eager", "ours", "gradient_eager"),
    ]
    if args.rosinality:
        contestants.append(Contestant(PYTORCH, "rosinality", "gradient", {"path": args.rosinality}))
    return Group("gradient", (Case("step", "gradient step 256 px"),), tuple(contestants))


def optimise(args):
    """A step of latent optimisation at 256 px with the official loss, of 1 and of 4 faces."""
    cases = (Case("1", "optimisation step 256 px"),
             Case("4", "optimisation step 256 px, batch 4, a face", 4, tried=False))  # fmt: skip
    return Group("optimise", cases, _optimising(args, {"batches": [1, 4]}, {}))


def identity(args):
    """The same of one face with the identity loss."""
    peer = {"styleclip": args.styleclip} if args.styleclip else None
    cases = (Case("1", "optimisation step 256 px, with IR-SE50"),)
    return Group("identity", cases, _optimising(args, {"batches": [1], "identity": True}, peer))


def _optimising(args, options, peer):
    """Contestants of a step of optimisation; peer: more options of PyTorch's lane, None for no such lane."""
    contestants = [Contestant("ours, engine", "ours_optimise", "official", options, compiles=True)]
    if args.rosinality and peer is not None:
        options = {"path": args.rosinality, "batches": options["batches"], **peer}
        contestants.append(Contestant(PYTORCH, "rosinality", "optimisation", options))
    return tuple(contestants)


def pack(args):
    """A step in the embedded world, of 1 and of 4 faces."""
    cases = (Case("1", "optimisation step, embedded world"),
             Case("4", "optimisation step, embedded world, batch 4, a face", 4, tried=False))  # fmt: skip
    contestant = Contestant("ours, engine", "ours_optimise", "pack", {"batches": [1, 4]}, compiles=True)
    return Group("pack", cases, (contestant,))


def limit(args):
    """Two convolutions, which show how fast arithmetic is here."""
    options = {"shapes": CONVOLUTIONS}
    contestants = [Contestant("Paddle Inference, oneDNN", "ours", "convolutions_engine", options)]
    if args.torch_python:
        contestants.append(Contestant(PYTORCH, "rosinality", "convolutions", options))
    cases = tuple(Case(name, convolution_case(*shape)) for name, shape in CONVOLUTIONS.items())
    return Group("limit", cases, tuple(contestants))


def convolution_case(channels, side):
    return f"convolution 3x3, {channels} channels, {side} px"


def groups(args):
    """The groups that were asked for."""
    makers = {
        "synthesis-1024": lambda args: synthesis(1024, args),
        "synthesis-256": lambda args: synthesis(256, args),
        "upfirdn2d": upfirdn2d,
        "clip": clip,
        "relevance": relevance,
        "gradient": gradient,
        "optimise": optimise,
        "identity": identity,
        "pack": pack,
        "limit": limit,
    }
    makers |= {name: partial(stylegan3, name) for name in NAMES if name.startswith("stylegan3")}
    return [makers[name](args) for name in NAMES if name in args.only]


def report(outcomes, command):
    """The whole Markdown text."""
    results = [result for _, outcome in outcomes for result in outcome.results]
    work = {convolution_case(c, side): 18e-9 * c * c * side * side for c, side in CONVOLUTIONS.values()}
    amounts = {synthesis_case(size, 1): amount for size, amount in ARITHMETIC.items()}
    races = [result for result in results if result.case not in work]
    lines = ["## Ratios", "", *ratio_table(races), "", "## Times and memory", "", *time_table(races), ""]
    lines += ["## Arithmetic limit", "", *limit_lines(results, work, amounts), ""]
    lines += ["## How it was run", "", "```", command, "```", "", f"- {processor()}, {count_cores()} cores"]
    versions = {}
    for group, outcome in outcomes:
        versions.update(outcome.versions)
        lines += [f"- {note}" for note in outcome.notes]
        if outcome.others is not None:
            lines.append(f"- {group.name}: other processes took {outcome.others:.0%} of the machine")
    lines += [f"- {name} {version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n"


def processor():
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def thread_counts(cores):
    """1, 2, 4, ... and all cores."""
    return tuple(sorted({2**k for k in range(cores.bit_length())} | {cores}))


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--paddlegan", metavar="PATH", help="checkout of PaddleGAN")
    parser.add_argument("--rosinality", metavar="PATH", help="checkout of rosinality's stylegan2-pytorch")
    parser.add_argument("--stylegan3", metavar="PATH", help="checkout of NVIDIA's stylegan3")
    parser.add_argument("--styleclip", metavar="PATH", help="checkout of StyleCLIP, for its IR-SE50")
    parser.add_argument("--torch-python", metavar="PYTHON", help="Python that has PyTorch")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="what to time (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of each contestant, at most (default: 5)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        metavar="N",
        help="counts that peers try, the last of which is ours too (default: 1, 2, ... and all cores)",
    )
    parser.add_argument(
        "--processor",
        action="store_true",
        help="tell seconds of the processor, all threads together, where other work runs beside this",
    )
    parser.add_argument(
        "--lend-settings",
        action="store_true",
        help="give peers the allocator and MKL settings that our commands make for themselves",
    )
    parser.add_argument("--verbose", action="store_true", help="show what the contestants' libraries print")
    parser.add_argument("--output", metavar="FILE", help="write the Markdown there too")
    args = parser.parse_args(argv)
    if (args.rosinality or args.stylegan3) and not args.torch_python:
        parser.error("--rosinality and --stylegan3 need --torch-python, a Python that has PyTorch")
    for name in ("paddlegan", "rosinality", "stylegan3", "styleclip"):
        path = getattr(args, name)
        setattr(args, name, path and str(Path(path).resolve()))
    outcomes = []
    with tempfile.TemporaryDirectory() as scratch:
        setting = Setting(
            rounds=args.rounds,
            threads=tuple(args.threads or thread_counts(count_cores())),
            scratch=Path(scratch),
            lent=LENT if args.lend_settings else {},
            torch_python=args.torch_python,
            verbose=args.verbose,
            processor=args.processor,
        )
        for group in groups(args):
            outcomes.append((group, compete(group, setting, lambda said: print(said, file=sys.stderr))))
    text = report(outcomes, shlex.join(["python", "benchmarks/speed.py", *(argv or sys.argv[1:])]))
    print(text)
    if args.output:
        from ppstyleclip.files import write_atomic

        write_atomic(Path(args.output), text.encode())


if __name__ == "__main__":
    main()
