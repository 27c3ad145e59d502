# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How closely a StyleGAN3's pictures follow their canvas: EQ-T, EQ-T of fractional shifts and EQ-R, in dB.

    python benchmarks/equivariance.py --weight_path stylegan3-r-ffhq-1024x1024.pkl --pictures 100
    python benchmarks/equivariance.py --model_type portrait-sg3 --pictures 20 --sheet moved.png

They are the paper's (Karras et al., 2021, appendix E). Each picture is moved by at most an eighth of its
side, and turned by any angle. The sheet has, for a few pictures: still, moved, the difference to the still
one moved (times 4, grey is none), turned, the difference to the still one turned.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number

SHIFT, ANGLE = (0.0815, -0.0571), 35.0  # of the sheet


def sheet(generator, w_plus):
    """Pixels `[H, W, 3]`: a row for each of the latents `[N, L, D]`, see above."""
    import paddle

    from ppstyleclip.models.stylegan3 import canvas_transform
    from ppstyleclip.models.stylegan3.equivariance import moved, turned
    from ppstyleclip.pictures import grid, to_pixels

    def draw(*place):
        with paddle.no_grad():
            styles = generator.style_affine(paddle.to_tensor(w_plus))
            transform = paddle.to_tensor(canvas_transform(*place))
            return generator.synthesis_from_styles(styles, transform=transform).numpy()

    still = draw()
    columns = [still]
    for place, (wanted, valid) in (
        ((SHIFT, 0.0), moved(still, SHIFT)),
        (((0, 0), ANGLE), turned(still, ANGLE)),
    ):
        drawn = draw(*place)
        columns += [drawn, np.where(valid, 4 * (drawn - wanted), -1)]
    return grid(to_pixels(np.concatenate(np.stack(columns, 1))), len(columns), gap=0)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model_type", metavar="NAME", help="a known model, such as portrait-sg3")
    parser.add_argument("--bundle", metavar="FOLDER", help="a bundle with a StyleGAN3 generator")
    parser.add_argument("--weight_path", metavar="FILE", help="weights of a StyleGAN3 generator")
    parser.add_argument("--pictures", type=int, default=50, help="default: 50")
    parser.add_argument("--seed", type=int, default=0, help="of the first picture, and of all moves")
    parser.add_argument("--truncation", type=finite_number, default=1.0, help="default: 1, which is none")
    parser.add_argument("--sheet", metavar="PNG", help="write some pictures and what is wrong with them")
    args = parser.parse_args(argv)
    if sum(given is not None for given in (args.model_type, args.bundle, args.weight_path)) != 1:
        parser.error("give one of --model_type, --bundle and --weight_path")
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip import Editor
    from ppstyleclip.errors import UserError
    from ppstyleclip.files import save_png
    from ppstyleclip.models.stylegan3.equivariance import measure_equivariance
    from ppstyleclip.zoo import load_bundle

    try:
        editor = Editor(load_bundle(args.model_type, bundle=args.bundle, weight_path=args.weight_path))
    except UserError as error:
        parser.error(str(error))
    generator = editor.bundle.generator
    if generator.family != "stylegan3":
        parser.error(f"the canvas of a '{generator.family}' generator cannot be moved; give a StyleGAN3")
    seeds = list(range(args.seed, args.seed + args.pictures))
    w_plus = editor.sample(seeds, truncation=args.truncation).numpy()
    for record in measure_equivariance(generator, w_plus, seed=args.seed):
        print(f"\r{record.done} of {record.total}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print("| metric | dB |", "|---|---|", sep="\n")
    print("\n".join(f"| {metric} | {value:.2f} |" for metric, value in record.decibels.items()))
    if args.sheet:
        save_png(Path(args.sheet), sheet(generator, w_plus[:4]))


if __name__ == "__main__":
    main()
