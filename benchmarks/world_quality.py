# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge the embedded world itself: does the generator draw every factor, does CLIP know every word?

    python benchmarks/world_quality.py --output world-quality/

The generator: correlation of the judges' readings with the true factors on generated pictures, as a share of
the same correlation on rendered ones, and PSNR. CLIP: on clear-cut pictures, how often the right one of two
prompts is nearer. A sheet of renderer above generator is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

CLEAR = 1.0  # deviations from the mean that make a picture clear-cut
OPPOSITES = (
    ("smile", "happy face", "sad face"),
    ("smile", "smiling face", "frowning face"),
    ("anger", "angry face", "calm face"),
    ("mouth_open", "face with open mouth", "face with closed mouth"),
    ("glasses", "face with glasses", "face with no glasses"),
    ("beard", "face with a beard", "face with no beard"),
    ("feminine", "girl face", "boy face"),
    ("age", "old face", "young face"),
    ("hair_light", "face with gold hair", "face with black hair"),
    ("hair_tone", "face with red hair", "face with grey hair"),
    ("hair_length", "face with long hair", "face with short hair"),
    ("curl", "face with curly hair", "face with straight hair"),
    ("skin", "face with dark skin", "face with pale skin"),
    ("face_width", "wide face", "narrow face"),
    ("face_height", "tall face", "flat face"),
    ("eye_size", "face with big eyes", "face with small eyes"),
    ("eye_distance", "face with wide-set eyes", "face with close-set eyes"),
    ("nose", "face with a big nose", "face with a small nose"),
    ("background_hue", "face with an orange background", "face with a blue background"),
    ("background_light", "face with a bright background", "face with a dark background"),
    ("clothes", "face with a red shirt", "face with a blue shirt"),
)


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


def correlations(judges, images, factors):
    """`[J, F]` correlations of readings with the true factors."""
    from judging import readings

    return np.array(
        [
            [np.corrcoef(r[:, k], factors[:, k])[0, 1] for k in range(factors.shape[1])]
            for r in readings(judges, images)
        ]
    )


def clip_accuracy(clip, images, factors, indices):
    """`[len(OPPOSITES)]` share of clear-cut pictures on which the right one of two prompts is nearer."""
    from ppstyleclip.engine import compile_image_encoder

    encode = compile_image_encoder(clip, images.shape[-1])
    features = np.concatenate([encode(images[i : i + 100]) for i in range(0, len(images), 100)])
    shares = []
    for factor, high, low in OPPOSITES:
        text = clip.encode_text([high, low]).numpy()
        text /= np.linalg.norm(text, axis=1, keepdims=True)
        value = factors[:, indices[factor]]
        clear = np.abs(value) > CLEAR
        says_high = (features @ (text[0] - text[1])) > 0
        shares.append(float((says_high == (value > 0))[clear].mean()))
    return np.array(shares)


def sheet(rendered, generated, columns=10, rows=4):
    """Renderer above generator, `rows` times."""
    lines = []
    for k in range(rows):
        part = np.s_[k * columns : (k + 1) * columns]
        lines += [np.concatenate(list(rendered[part]), 2), np.concatenate(list(generated[part]), 2)]
    return np.round((np.concatenate(lines, 1).transpose(1, 2, 0) + 1) * 127.5).clip(0, 255).astype(np.uint8)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=555000)
    parser.add_argument("--output", default="world-quality")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from judging import load_judges

    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.renderer import FACTORS, INDEX, render_batch
    from ppstyleclip.toonface.world import factors_from_z, sample_z
    from ppstyleclip.zoo import load_bundle

    bundle, output = load_bundle(None), Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    z = sample_z(args.seed, args.faces)
    factors = factors_from_z(z)
    rendered, generated = to_images(render_batch(factors, bundle.generator.size)), draw(bundle.generator, z)
    judges = load_judges()
    true, got = (correlations(judges, images, factors) for images in (rendered, generated))
    share = (got / true).min(0)
    psnr = 10 * np.log10(4 / np.mean((rendered - generated) ** 2))
    lines = ["| factor | renderer | generator | share |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {true[:, k].min():.3f} | {got[:, k].min():.3f} | {share[k]:.3f} |"
        for k, name in enumerate(FACTORS)
    ]
    lines.append(
        f"\nshare: mean {share.mean():.3f}, least {share.min():.3f}; "
        f"renderer's least {true.min():.3f}; PSNR {psnr:.2f} dB\n"
    )
    accuracy = [clip_accuracy(bundle.clip, images, factors, INDEX) for images in (rendered, generated)]
    lines += ["| prompts | rendered | generated |", "|---|---|---|"]
    lines += [f"| {high} / {low} | {a:.3f} | {b:.3f} |" for (_, high, low), a, b in zip(OPPOSITES, *accuracy)]
    text = "\n".join(lines) + f"\n\nCLIP's least: {min(map(min, accuracy)):.3f}\n"
    print(text)
    write_atomic(output / "table.md", text.encode())
    save_png(output / "renderer-above-generator.png", sheet(rendered, generated))
    good = (
        share.mean() >= 0.95 and share.min() >= 0.85 and true.min() >= 0.9 and min(map(min, accuracy)) >= 0.95
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
