# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train an attribute regressor on rendered faces.

python -m ppstyleclip.toonface.train_judge --seed 1 --output judge-1.safetensors
python -m ppstyleclip.toonface.train_judge --seed 2 --steps 3000 --faces faces/
"""

from __future__ import annotations

import argparse
import time

import numpy as np


def train(net, images, factors, *, seed, steps, batch_size=64, learning_rate=2e-3):
    """Train an AttributeNet, yielding (step, mean loss) every 100 steps.

    Args:
        images: `[N, 64, 64, 3]` uint8.
        factors: `[N, NUM_FACTORS]` float32.
    """
    import paddle
    import paddle.nn.functional as F

    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.judge import augment

    paddle.seed(seed)
    rng = np.random.RandomState(seed)
    net.train()
    schedule = paddle.optimizer.lr.CosineAnnealingDecay(learning_rate, steps, eta_min=learning_rate * 0.01)
    optimizer = paddle.optimizer.AdamW(schedule, parameters=net.parameters(), weight_decay=0.02)
    mean = 0.0
    for step in range(1, steps + 1):
        rows = rng.randint(0, len(images), batch_size)
        x = augment(paddle.to_tensor(to_images(images[rows])), rng)
        loss = F.smooth_l1_loss(net(x), paddle.to_tensor(factors[rows]))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        schedule.step()
        mean += (float(loss) - mean) * (0.02 if step > 1 else 1)
        if step % 100 == 0 or step == steps:
            yield step, mean


def correlations(read, factors):
    """Correlation `[NUM_FACTORS]` between read and true factors."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(read.T, factors.T)])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--shards", type=int, default=8, help="2,048 faces each")
    parser.add_argument("--faces", default="toonface-faces", help="folder of the rendered faces")
    parser.add_argument("--output", default=None)
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()

    from ppstyleclip.files import write_safetensors
    from ppstyleclip.pictures import to_images
    from ppstyleclip.toonface.judge import AttributeNet, read_factors
    from ppstyleclip.toonface.renderer import FACTORS
    from ppstyleclip.toonface.world import factors_from_z, load_shard, write_faces

    # every seed has a population of its own, so that two judges share no face
    shards = [
        load_shard(p) for p in write_faces(args.faces, size=64, seed=1000 * args.seed, count=args.shards)
    ]
    z, pixels = (np.concatenate(part) for part in zip(*shards))
    factors, held = factors_from_z(z), 1024
    start = time.time()
    paddle.seed(args.seed)
    net = AttributeNet()
    for step, loss in train(net, pixels[held:], factors[held:], seed=args.seed, steps=args.steps):
        print(f"step {step} loss {loss:.4f} {time.time() - start:.0f}s", flush=True)
    r = correlations(read_factors(net, to_images(pixels[:held])), factors[:held])
    print("held-out correlation:", " ".join(f"{n} {v:.3f}" for n, v in zip(FACTORS, r)))
    state = {k: v.numpy().astype(np.float16) for k, v in net.state_dict().items()}  # half the size, as good
    write_safetensors(args.output or f"judge-{args.seed}.safetensors", state, {"kind": "toonface-judge"})


if __name__ == "__main__":
    main()
