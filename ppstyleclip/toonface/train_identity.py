# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the world's identity network: who is in a picture, whatever is worn, felt or dyed.

    python -m ppstyleclip.toonface.train_identity --steps 3700
    python -m ppstyleclip.toonface.train_identity --output toonface-identity     (goes on where it stopped)

Identity is the renderer's factors of shape. Each identity has a place on the sphere, such that the cosine of
two identities is about exp(-d^2 / (2 REACH^2)) with d the distance of their factors (random Fourier features,
Rahimi and Recht 2007). The network learns that place; all other factors vary freely, so it has to pass them
over. Half of a batch is drawn by the generator, the other half by the renderer, as for the encoder.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number
from ppstyleclip.toonface.checkpoint import load_checkpoint, save_checkpoint, warm_cosine

SHAPE = ("face_width", "face_height", "eye_size", "eye_distance", "nose")
CONFIG = {"widths": [8, 24, 48, 64], "depths": [1, 1, 1, 1], "face_size": 48, "dim": 64, "dropout": 0.0}
REACH = 1.5  # in deviations of the factors; two people are sqrt(10) apart
PLACES_SEED = 5


def shape_of(factors):
    """The factors of shape `[N, 5]` of `[N, NUM_FACTORS]`."""
    from ppstyleclip.toonface.renderer import INDEX

    return factors[:, [INDEX[name] for name in SHAPE]]


def places(shapes):
    """`[N, dim]` unit vectors of identities `[N, 5]`: what the network learns to give."""
    rng, dim = np.random.RandomState(PLACES_SEED), CONFIG["dim"] // 2
    angles = shapes @ rng.randn(len(SHAPE), dim) / REACH
    return (np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(dim)).astype(np.float32)


class Run:
    """Network and optimiser; goes on from the checkpoint in its folder, if any.

    Args:
        folder: of the checkpoint.
        steps, learning_rate: of the schedule.
    """

    def __init__(self, folder, steps, learning_rate):
        import paddle

        from ppstyleclip.models.arcface import IRSE50

        self.path = Path(folder) / "state.safetensors"
        paddle.seed(0)
        self.network = IRSE50(**CONFIG)
        self.schedule = warm_cosine(learning_rate, steps)
        self.optimizer = paddle.optimizer.AdamW(
            self.schedule, parameters=self.network.parameters(), weight_decay=0.01
        )
        self.step = load_checkpoint(self.path, {"identity": self.network}, self.optimizer, self.schedule)

    def save(self):
        save_checkpoint(self.path, self.step, {"identity": self.network}, self.optimizer)


def train(run, faces, *, steps, batch_size):
    """Yield (step, mean of one minus the cosine to the right place) every 100 steps.

    Args:
        faces: function of (rng, count); gives pixels `[count, 64, 64, 3]` and z `[count, Z_DIM]`.
    """
    import paddle

    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.judge import augment
    from ppstyleclip.toonface.world import factors_from_z

    mean, seen = 0.0, 0
    run.network.train()
    while run.step < steps:
        rng = np.random.RandomState(run.step + 23)  # of the step, so that a resumed run draws the same
        pixels, z = faces(rng, batch_size)
        images = augment(paddle.to_tensor(to_images(pixels)), rng)
        wanted = paddle.to_tensor(places(shape_of(factors_from_z(z))))
        loss = (1.0 - (run.network.identity_features(images) * wanted).sum(axis=1)).mean()
        loss.backward()
        run.optimizer.step()
        run.optimizer.clear_grad()
        run.schedule.step()
        run.step, seen = run.step + 1, seen + 1
        mean += (float(loss) - mean) * max(0.02, 1 / seen)
        if run.step % 100 == 0 or run.step == steps:
            yield run.step, mean


def dressed(shapes, rng):
    """z `[N, Z_DIM]` of faces with these factors of shape; everything else is drawn."""
    from ppstyleclip.toonface.renderer import INDEX
    from ppstyleclip.toonface.world import Z_DIM, rotation

    columns = rotation()[:, [INDEX[name] for name in SHAPE]]
    rest = rng.randn(len(shapes), Z_DIM)
    rest -= rest @ columns @ columns.T
    left = np.sqrt(Z_DIM - (shapes**2).sum(1, keepdims=True))  # what z's length of sqrt(Z_DIM) leaves
    rest *= left / np.linalg.norm(rest, axis=1, keepdims=True)
    return (rest + shapes @ columns.T).astype(np.float32)


def verification(network, draw, *, people=500, seed=424242):
    """How well pictures tell people apart: (AUC, accuracy, share found among all, mean cosine alike, apart).

    Args:
        network: with identity_features, in evaluation mode.
        draw: function from z to images; each of `people` is drawn twice, dressed differently.
    """
    import paddle

    rng = np.random.RandomState(seed)
    shapes = rng.randn(people, len(SHAPE))
    with paddle.no_grad():
        first, second = (
            network.identity_features(paddle.to_tensor(draw(dressed(shapes, rng)))).numpy() for _ in range(2)
        )
    cosines = first @ second.T
    alike, apart = np.diag(cosines), cosines[~np.eye(people, dtype=bool)]
    below = np.searchsorted(np.sort(apart), alike)
    marks = np.linspace(-1, 1, 401)
    right = [((alike > mark).mean() + (apart <= mark).mean()) / 2 for mark in marks]
    found = (cosines.argmax(1) == np.arange(people)).mean()
    return below.mean() / len(apart), max(right), found, alike.mean(), apart.mean()


def report(network, bundle, people=500):
    """Lines of verification on the renderer's faces and on the generator's."""
    from ppstyleclip.editor import Editor
    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.renderer import render_batch
    from ppstyleclip.toonface.world import factors_from_z

    def rendered(z):
        return to_images(render_batch(factors_from_z(z), 64))

    def drawn(z):
        import paddle

        return to_images(Editor(bundle).render(bundle.generator.get_latents(paddle.to_tensor(z))))

    network.eval()
    for name, draw in (("rendered", rendered), ("drawn", drawn)):
        auc, right, found, alike, apart = verification(network, draw, people=people)
        yield (
            f"{name}: AUC {auc:.4f}, verification {right:.3f}, found among {people} {found:.3f}, "
            f"cosine alike {alike:.3f}, apart {apart:.3f}"
        )


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3700)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=finite_number, default=2e-3)
    parser.add_argument("--shards", type=int, default=16, help="2,048 faces each, of both kinds")
    parser.add_argument("--faces", default="toonface-faces", help="folder of the rendered faces")
    parser.add_argument("--output", default="toonface-identity", help="folder of checkpoint and result")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()

    from ppstyleclip.toonface.train_encoder import both_kinds, draw_shard
    from ppstyleclip.toonface.world import load_shard, write_faces
    from ppstyleclip.zoo import load_bundle

    Path(args.output).mkdir(parents=True, exist_ok=True)
    bundle = load_bundle(None)
    paths = write_faces(args.faces, size=64, seed=100000, count=args.shards)
    drawn = [draw_shard(args.faces, bundle, 200000 + k) for k in range(args.shards)]
    faces = both_kinds([load_shard(path) for path in paths], drawn)
    run = Run(args.output, args.steps, args.learning_rate)
    start, first = time.time(), run.step
    for step, loss in train(run, faces, steps=args.steps, batch_size=args.batch_size):
        pace = (time.time() - start) / (step - first)
        print(f"step {step} loss {loss:.4f} {pace:.3f} s/step", flush=True)
        if step % 500 == 0 or step == args.steps:
            run.save()
    for line in report(run.network, bundle):
        print(line, flush=True)


if __name__ == "__main__":
    main()
