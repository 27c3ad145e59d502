# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the world's pSp encoder: a picture of a face in, the w_plus that draws it out.

    python -m ppstyleclip.toonface.train_encoder --steps 5000
    python -m ppstyleclip.toonface.train_encoder --output toonface-encoder     (goes on where it stopped)

The world gives exact pairs. Half of a batch is drawn by the generator, the other half by the renderer, of
which the generator is a copy: both are faces of known z, and so of known w. The encoder is trained on the
styles that its latents give, in deviations, and in its last steps also on the picture that they draw. The
renderer's pictures are shifted, turned and scaled a little, as a crop by detected landmarks is.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number
from ppstyleclip.toonface.checkpoint import load_checkpoint, save_checkpoint, warm_cosine

CONFIG = {
    "encoder_type": "GradualStyleEncoder",
    "input_size": 64,
    "widths": [24, 48, 64, 64],
    "depths": [2, 2, 2, 2],
}
SHIFT, TURN, SCALE = 0.02, 0.05, 0.03  # of a crop: share of the picture, radians, share; deviations
PICTURE_WEIGHT = 4.0
PICTURE_STEPS = 0.2  # share of the steps, the last ones, that see the picture


class Run:
    """Encoder and optimiser; goes on from the checkpoint in its folder, if any.

    Args:
        folder: of the checkpoint.
        bundle: the world's: generator and statistics.
        steps, learning_rate: of the schedule.
    """

    def __init__(self, folder, bundle, steps, learning_rate):
        import paddle

        from ppstyleclip.models.encoders import build_encoder

        self.path, self.bundle = Path(folder) / "state.safetensors", bundle
        generator = bundle.generator
        paddle.seed(0)
        self.encoder = build_encoder(
            {**CONFIG, "num_styles": generator.n_latent, "style_dim": generator.style_dim}
        )
        self.mean = generator.mean_latent()
        self.schedule = warm_cosine(learning_rate, steps)
        self.optimizer = paddle.optimizer.AdamW(
            self.schedule,
            parameters=self.encoder.parameters(),
            weight_decay=0.01,
            grad_clip=paddle.nn.ClipGradByGlobalNorm(1.0),
        )
        self.step = load_checkpoint(self.path, {"encoder": self.encoder}, self.optimizer, self.schedule)

    def save(self):
        save_checkpoint(self.path, self.step, {"encoder": self.encoder}, self.optimizer)

    def loss(self, images, w, with_picture):
        """Both terms, a scalar each: styles in squared deviations, pictures in squared differences (or 0).

        Args:
            images: `[N, 3, 64, 64]` what the encoder sees.
            w: `[N, D]` what it should find.
            with_picture: draw, and compare with what w draws.
        """
        import paddle

        generator, layout = self.bundle.generator, self.bundle.layout
        w_plus = self.mean + self.encoder(images)
        styles = generator.style_affine(w_plus)
        with paddle.no_grad():
            true = generator.style_affine(w)
        std = paddle.to_tensor(np.maximum(self.bundle.stats.std, 1e-3))
        off = (((layout.flatten(styles) - layout.flatten(true)) / std) ** 2).mean()
        if not with_picture:
            return off, paddle.zeros([])
        with paddle.no_grad():
            target = generator.synthesis_from_styles(true)
        return off, ((generator.synthesis_from_styles(styles) - target) ** 2).mean()


def train(run, faces, *, steps, batch_size):
    """Yield (step, mean style loss, mean picture loss) every 50 steps.

    Args:
        faces: function of (rng, count); gives pixels `[count, 64, 64, 3]` and z `[count, Z_DIM]`.
    """
    import paddle

    from ppstyleclip.pictures import to_images

    means, seen = np.zeros(2), 0
    run.encoder.train()
    while run.step < steps:
        rng = np.random.RandomState(run.step + 11)  # of the step, so that a resumed run draws the same
        pixels, z = faces(rng, batch_size)
        with paddle.no_grad():
            w = run.bundle.generator.get_latent(paddle.to_tensor(z))
        images = paddle.to_tensor(to_images(pixels))
        style, picture = run.loss(images, w, run.step >= (1 - PICTURE_STEPS) * steps)
        (style + PICTURE_WEIGHT * picture).backward()
        run.optimizer.step()
        run.optimizer.clear_grad()
        run.schedule.step()
        run.step, seen = run.step + 1, seen + 1
        means += (np.array([float(style), float(picture)]) - means) * max(0.02, 1 / seen)
        if run.step % 50 == 0 or run.step == steps:
            yield run.step, *means


def both_kinds(rendered, drawn):
    """Faces of the renderer, loosely cropped, and as many of the generator.

    Args:
        rendered, drawn: shards, pairs of z and pixels.
    """

    def pick(shards, rng, count):
        z, pixels = shards[rng.randint(len(shards))]
        rows = rng.randint(0, len(z), count)
        return pixels[rows], z[rows]

    def draw(rng, count):
        loose, z = pick(rendered, rng, count // 2)
        exact, more = pick(drawn, rng, count - count // 2)
        loose = np.stack([jitter(one, rng) for one in loose])
        return np.concatenate([loose, exact]), np.concatenate([z, more])

    return draw


def draw_shard(folder, bundle, seed, count=2048):
    """A shard of the generator's own faces, kept in `folder`; z and pixels."""
    import paddle

    from ppstyleclip.editor import Editor
    from ppstyleclip.toonface.world import load_shard, sample_z

    path = Path(folder) / f"drawn-{bundle.fingerprints['generator']}-{seed}.npz"
    if not path.exists():
        z = sample_z(seed, count)
        w_plus = bundle.generator.get_latents(paddle.to_tensor(z))
        np.savez(path, z=z, images=Editor(bundle).render(w_plus))
    return load_shard(path)


def jitter(pixels, rng):
    """Shift, turn and scale a picture `[H, W, 3]` a little, mirrored at its borders."""
    from ppstyleclip.files import import_cv2

    cv2, side = import_cv2(), pixels.shape[0]
    turn, scale = np.degrees(TURN) * rng.randn(), np.exp(SCALE * rng.randn())
    matrix = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), turn, scale)
    matrix[:, 2] += SHIFT * side * rng.randn(2)
    return cv2.warpAffine(pixels, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=finite_number, default=1e-3)
    parser.add_argument("--shards", type=int, default=16, help="2,048 faces each, of both kinds")
    parser.add_argument("--faces", default="toonface-faces", help="folder of the rendered faces")
    parser.add_argument("--output", default="toonface-encoder", help="folder of checkpoint and result")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()

    from ppstyleclip.toonface.world import load_shard, write_faces
    from ppstyleclip.zoo import load_bundle

    Path(args.output).mkdir(parents=True, exist_ok=True)
    bundle = load_bundle(None)
    for parameter in bundle.generator.parameters():
        parameter.stop_gradient = True
    paths = write_faces(args.faces, size=64, seed=100000, count=args.shards)
    drawn = [draw_shard(args.faces, bundle, 200000 + k) for k in range(args.shards)]
    faces = both_kinds([load_shard(path) for path in paths], drawn)
    run = Run(args.output, bundle, args.steps, args.learning_rate)
    start, first = time.time(), run.step
    for step, style, picture in train(run, faces, steps=args.steps, batch_size=args.batch_size):
        pace = (time.time() - start) / (step - first)
        print(f"step {step} styles {style:.4f} picture {picture:.5f} {pace:.3f} s/step", flush=True)
        if step % 250 == 0 or step == args.steps:
            run.save()


if __name__ == "__main__":
    main()
