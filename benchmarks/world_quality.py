# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge the portrait world itself: does the generator draw every factor, does CLIP know every word?

    python benchmarks/world_quality.py --output world-quality/
    python benchmarks/world_quality.py --model_type portrait-sg3 --faces 200

The generator, on held-out z at full size: correlation of the judges' readings with the true factors on
generated pictures, as a share of the same correlation on rendered ones; PSNR over the picture and over the
face; each Laplacian band's energy, as a share of the renderer's, and its correlation with it. CLIP, for every
attribute in both languages: how often the right one of two prompts is nearer on a rendered picture, in up to
six wordings of each side. A sheet of renderer above generator is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

FACE = ("skin", "nose", "mouth", "eyes", "brows", "beard", "glasses")
BANDS = 4
SHARE, PSNR, FACE_PSNR, BAND, WORDS = 0.97, 30.0, 29.0, 0.8, 0.97


def draw(generator, z, batch_size=50):
    """Generated images `[N, 3, H, W]` ndarray at 8-bit levels."""
    import paddle

    from ppstyleclip.engine import Renderer
    from ppstyleclip.pictures import to_images

    renderer = Renderer(generator)
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(paddle.to_tensor(z)))
    parts = [[style[i : i + batch_size] for style in styles] for i in range(0, len(z), batch_size)]
    return to_images(np.concatenate([renderer.render(part) for part in parts]))


def first_blocks(generator, size):
    """The generator of `size` px that the first blocks of a StyleGAN2 are; itself at its own size."""
    from ppstyleclip.models.families import family_of

    config = {**generator.config(), "size": size}
    first, state = family_of(config).build(config), generator.state_dict()
    first.set_state_dict({key: state[key] for key in first.state_dict()})
    first.eval()
    return first


def correlations(judges, images, factors):
    """`[J, F]` correlations of readings with the true factors."""
    from judging import readings

    return np.array(
        [
            [np.corrcoef(r[:, k], factors[:, k])[0, 1] for k in range(factors.shape[1])]
            for r in readings(judges, images)
        ]
    )


def bands(images, levels=BANDS):
    """Laplacian bands of images `[N, 3, S, S]`, fine first."""
    import cv2

    found = []
    for _ in range(levels):
        side = images.shape[-1]
        small = images.reshape(*images.shape[:2], side // 2, 2, side // 2, 2).mean((3, 5))
        wide = np.stack(
            [cv2.resize(one.transpose(1, 2, 0), (side, side)).transpose(2, 0, 1) for one in small]
        )
        found.append(images - wide)
        images = small
    return [*found, images]


def picture_figures(rendered, generated, factors):
    """(PSNR of the picture, of the face, energies and correlations of the bands)."""
    from ppstyleclip.worlds.portrait.render import regions

    size, error = rendered.shape[-1], ((rendered - generated) ** 2).mean(1)
    masks = (regions(row, size) for row in factors)
    face = np.stack([sum(mask[name] for name in FACE) for mask in masks])
    pairs = list(zip(bands(generated), bands(rendered)))
    energies = [float(np.linalg.norm(a) / np.linalg.norm(b)) for a, b in pairs]
    together = [float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in pairs]
    return psnr(error.mean()), psnr((error * face).sum() / face.sum()), energies, together


def psnr(error):
    return float(10 * np.log10(4 / error))


def word_shares(clip, images, factors):
    """`{language: {attribute: share}}`: how often the right one of two prompts is nearer."""
    from ppstyleclip.engine import compile_image_encoder
    from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
    from ppstyleclip.worlds.portrait.captions.questions import (
        LANGUAGES,
        opposite_of,
        prompts_for,
        share_of_wins,
    )
    from ppstyleclip.worlds.portrait.captions.truth import PLAIN, truth_table

    encode = compile_image_encoder(clip, images.shape[-1])
    seen = np.concatenate([encode(images[i : i + 100]) for i in range(0, len(images), 100)])
    table, found = truth_table(factors), {}
    for language in LANGUAGES:
        found[language] = {}
        for index, attribute in enumerate(ATTRIBUTES):
            other, degree = opposite_of(index)
            sides = prompts_for(language, index, PLAIN), prompts_for(language, other, degree)
            features = [clip.encode_text(list(side)).numpy() for side in sides]
            features = [f / np.linalg.norm(f, axis=1, keepdims=True) for f in features]
            truth = table[:, index, PLAIN] > 0, table[:, other, degree] > 0
            found[language][attribute.name] = share_of_wins(seen, *features, *truth)
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=555000)
    parser.add_argument(
        "--model_type", metavar="NAME", help="a model of the portrait world (default: portrait)"
    )
    parser.add_argument("--bundle", help="folder of another bundle of the portrait world")
    first = "a StyleGAN2's first blocks alone, which draw pictures of this size"
    parser.add_argument("--size", type=int, choices=(64, 128, 256), help=first)
    parser.add_argument("--output", default="world-quality")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from judging import load_judges

    from ppstyleclip.files import write_atomic
    from ppstyleclip.pictures import to_images, to_pixels
    from ppstyleclip.worlds.portrait.factors import FACTORS, factors_from_z, sample_z
    from ppstyleclip.worlds.portrait.render import render_batch
    from ppstyleclip.worlds.portrait.training.sheet import save_sheet
    from ppstyleclip.zoo import load_bundle

    bundle, output = load_bundle(args.model_type, bundle=args.bundle), Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    z = sample_z(args.seed, args.faces)
    factors = factors_from_z(z)
    generator = bundle.generator if args.size is None else first_blocks(bundle.generator, args.size)
    rendered, generated = to_images(render_batch(factors, generator.size)), draw(generator, z)
    judges = load_judges()
    true, got = (correlations(judges, images, factors) for images in (rendered, generated))
    share = (got / true).min(0)
    lines = ["| factor | renderer | generator | share |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {true[:, k].min():.3f} | {got[:, k].min():.3f} | {share[k]:.3f} |"
        for k, name in enumerate(FACTORS)
    ]
    whole, face, energies, together = picture_figures(rendered, generated, factors)
    lines.append(
        f"\nshare: mean {share.mean():.3f}, least {share.min():.3f}; renderer's least {true.min():.3f}\n"
        f"PSNR {whole:.2f} dB, over the face {face:.2f} dB\n"
        f"bands, fine first: energy {', '.join(f'{v:.3f}' for v in energies)}; "
        f"correlation {', '.join(f'{v:.3f}' for v in together)}\n"
    )
    words = word_shares(bundle.clip, rendered, factors)
    lines += ["| attribute | " + " | ".join(words) + " |", "|---|" + "---|" * len(words)]
    for name in next(iter(words.values())):
        lines.append(f"| {name} | " + " | ".join(f"{part[name]:.3f}" for part in words.values()) + " |")
    known = [v for part in words.values() for v in part.values() if v == v]
    below = sum(v < WORDS for v in known)
    text = "\n".join(lines) + (
        f"\n\nCLIP: mean {np.mean(known):.3f}, least {min(known):.3f}, "
        f"below {WORDS:.0%} {below} of {len(known)}\n"
    )
    print(text)
    write_atomic(output / "table.md", text.encode())
    save_sheet(output / "renderer-above-generator.png", to_pixels(rendered), to_pixels(generated))
    good = (
        share.min() >= SHARE and whole >= PSNR and face >= FACE_PSNR and min(together) >= BAND and not below
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
