# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the world's small CLIP contrastively on pictures and captions.

    python -m ppstyleclip.toonface.train_clip --steps 2500
    python -m ppstyleclip.toonface.train_clip --output toonface-clip     (goes on where it stopped)

In a batch most captions are true of several faces. The renderer's factors say of which, so the targets of
the contrastive loss are spread evenly over all true pairs instead of the diagonal alone, and each face brings
several captions. Captions alone teach colours in minutes and a smile in hours; so a linear layer, thrown away
afterwards, also reads the factors from the image features, at first as the only loss.
"""

from __future__ import annotations

import argparse
import time
from functools import lru_cache
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number
from ppstyleclip.toonface.captions import all_words, caption, truth_table
from ppstyleclip.toonface.checkpoint import load_checkpoint, save_checkpoint, warm_cosine
from ppstyleclip.toonface.renderer import NUM_FACTORS
from ppstyleclip.toonface.world import factors_from_z

CONFIG = {
    "name": "toonface",
    "embed_dim": 128,
    "image_size": 64,
    "vision_layers": (1, 1, 1, 1),
    "vision_width": 20,
    "vision_patch_size": None,
    "transformer_width": 128,
    "transformer_heads": 4,
    "transformer_layers": 2,
}
CAPTIONS = 2  # of each face in a batch
READING_WEIGHT = 4.0
READING_STEPS = 600  # steps in which the image side learns to see before it learns words


@lru_cache(maxsize=1)
def token_ids():
    """Sorted ids of every token that a caption may hold, start and end among them, and the padding 0."""
    from ppstyleclip.models.clip_tokens import prompt_tokens

    words = all_words() + [s + p for s in ("", "a ") for p in (",", ".")]
    return np.array(sorted({0} | {t for w in words for t in prompt_tokens(w)}), np.int32)


def build_small():
    """The CLIP in training: its token table has only the used rows, in the order of `token_ids`."""
    from ppstyleclip.models.clip import build_clip

    return build_clip({**CONFIG, "vocab_size": len(token_ids())})


def to_full(small):
    """The same CLIP with paddleclip's whole token table, zeros where no caption ever was."""
    from ppstyleclip.models.clip import build_clip, load_clip_state

    full = build_clip({**CONFIG, "vocabulary": all_words()})
    state = {k: v.numpy() for k, v in small.net.state_dict().items()}
    load_clip_state(full, {**state, "token_ids": token_ids()})
    return full


def contrastive_loss(image_features, text_features, scale, truths, says):
    """Cross-entropy in both directions against all true pairs.

    Args:
        image_features: `[N, D]`; text_features: `[M, D]`.
        truths: `[N, A]` bool, what may be said of each face; says: `[M, A]` bool, what each caption says.
    """
    import paddle
    import paddle.nn.functional as F

    match = ((~truths[:, None, :]) & says[None, :, :]).sum(-1) == 0  # [faces, captions]
    match = paddle.to_tensor(match.astype(np.float32))
    logits = scale * F.normalize(image_features) @ F.normalize(text_features).t()
    by_face = match / match.sum(1, keepdim=True)
    by_caption = match.t() / match.t().sum(1, keepdim=True)
    return 0.5 * (
        F.cross_entropy(logits, by_face, soft_label=True)
        + F.cross_entropy(logits.t(), by_caption, soft_label=True)
    )


class Run:
    """CLIP, its reading layer and their optimiser; goes on from the checkpoint in its folder, if any."""

    def __init__(self, folder, steps, learning_rate):
        import paddle

        self.path = Path(folder) / "state.safetensors"
        self.clip = build_small()
        self.clip.train()
        self.reading = paddle.nn.Linear(self.clip.dim, NUM_FACTORS)
        self.schedule = warm_cosine(learning_rate, steps)
        self.optimizer = paddle.optimizer.AdamW(
            self.schedule,
            beta2=0.98,
            parameters=self.clip.parameters() + self.reading.parameters(),
            weight_decay=0.02,
            grad_clip=paddle.nn.ClipGradByGlobalNorm(1.0),
        )
        self.networks = {"clip": self.clip.net, "reading": self.reading}
        self.step = load_checkpoint(self.path, self.networks, self.optimizer, self.schedule)

    def save(self):
        save_checkpoint(self.path, self.step, self.networks, self.optimizer)

    def contrast(self, features, factors, rng):
        """Contrastive loss of image features against captions of their faces."""
        import paddle

        from ppstyleclip.models.clip_tokens import tokenize

        truths, templates = truth_table(factors), rng.rand() < 0.5
        texts, says = zip(*(caption(row, rng, templates) for row in np.repeat(truths, CAPTIONS, 0)))
        tokens = np.searchsorted(token_ids(), tokenize(texts)).astype(np.int64)
        scale = paddle.exp(paddle.clip(self.clip.logit_scale, max=4.605))  # CLIP's own limit, ln 100
        return contrastive_loss(features, self.clip.encode_tokens(tokens), scale, truths, np.stack(says))


def train(run, faces, *, steps, batch_size, reading_steps=READING_STEPS):
    """Yield (step, mean contrastive loss, mean reading loss) every 50 steps.

    Args:
        faces: function of (rng, count); returns images `[count, 3, 64, 64]` Tensor and z `[count, Z_DIM]`.
    """
    import paddle
    import paddle.nn.functional as F

    means, seen = np.zeros(2), 0
    while run.step < steps:
        rng = np.random.RandomState(run.step + 7)  # of the step, so that a resumed run draws the same
        images, z = faces(rng, batch_size)
        factors = factors_from_z(z)
        features = run.clip.encode_image(images)
        reading = F.smooth_l1_loss(run.reading(features), paddle.to_tensor(factors))
        contrast = run.contrast(features, factors, rng) if run.step >= reading_steps else paddle.zeros([])
        (contrast + READING_WEIGHT * reading).backward()
        run.optimizer.step()
        run.optimizer.clear_grad()
        run.schedule.step()
        run.step, seen = run.step + 1, seen + 1
        means += (np.array([float(contrast), float(reading)]) - means) * max(0.02, 1 / seen)
        if run.step % 50 == 0 or run.step == steps:
            yield run.step, *means


def rendered_faces(shards):
    """Faces of the renderer, with the judge's augmentations."""
    import paddle

    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.judge import augment

    def draw(rng, count):
        z, pixels = shards[rng.randint(len(shards))]
        rows = rng.randint(0, len(z), count)
        return augment(paddle.to_tensor(to_images(pixels[rows])), rng), z[rows]

    return draw


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=finite_number, default=2e-3)
    parser.add_argument("--shards", type=int, default=24, help="2,048 faces each")
    parser.add_argument("--faces", default="toonface-faces", help="folder of the rendered faces")
    parser.add_argument("--output", default="toonface-clip", help="folder of checkpoint and result")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()

    from ppstyleclip.toonface.world import load_shard, write_faces

    paddle.seed(0)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    faces = rendered_faces(
        [load_shard(p) for p in write_faces(args.faces, size=64, seed=100000, count=args.shards)]
    )
    run = Run(args.output, args.steps, args.learning_rate)
    start, first = time.time(), run.step
    for step, loss, reading in train(run, faces, steps=args.steps, batch_size=args.batch_size):
        pace = (time.time() - start) / (step - first)
        print(
            f"step {step} loss {loss:.4f} reading {reading:.4f} "
            f"scale {run.clip.logit_scale.exp().item():.1f} {pace:.3f} s/step",
            flush=True,
        )
        if step % 250 == 0 or step == args.steps:
            run.save()


if __name__ == "__main__":
    main()
