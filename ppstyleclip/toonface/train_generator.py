# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit a StyleGAN2 to the renderer by regression: the picture of z is the renderer's picture of z's factors.

    python -m ppstyleclip.toonface.train_generator --judge judge-0.safetensors --steps 8000
    python -m ppstyleclip.toonface.train_generator --judge judge-0.safetensors --output run/   (goes on)

The loss is an L1 per Laplacian band, each band in units of its own mean magnitude (a plain L1 forgets eyes
and mouth), plus features and readings of an attribute regressor that is not the judge.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number
from ppstyleclip.toonface.checkpoint import load_checkpoint, save_checkpoint, warm_cosine
from ppstyleclip.toonface.renderer import LOBE, ringlets
from ppstyleclip.toonface.world import Z_DIM, rotation

CHANNELS = {4: 96, 8: 96, 16: 96, 32: 64, 64: 32, 128: 16}
BANDS = 4
SPARSITY = (
    0.2  # weight of the L1 on the affine layers: few channels for one factor, few factors for one channel
)


def build(size=64):
    """A generator whose mapping network starts out aligned with the factors, with curls in its noise."""
    from ppstyleclip.models.stylegan2 import build_generator

    generator = build_generator(
        {"size": size, "style_dim": Z_DIM, "n_mlp": 3, "lr_mlp": 1.0, "channels": CHANNELS}
    )
    rng = np.random.RandomState(0)
    _align_mapping(generator, rng)
    for index in range(generator.num_layers):
        _assign(getattr(generator.noises, f"noise_{index}"), curl_noise(index))
    # from 0, where the class starts, the strength of the noise does not get going
    for layer, strength in zip(list(generator.convs)[-4:], (0.15, 0.3, 0.15, 0.3)):
        _assign(layer.noise.weight, np.full(1, strength))
    for weight in affine_weights(generator):
        few = rng.randn(*weight.shape) * 3 * (rng.rand(*weight.shape) < 0.06)
        _assign(weight, few + 0.05 * rng.randn(*weight.shape))
    return generator


def _align_mapping(generator, rng):
    """Let w hold each factor rising, falling and shifted, as leaky ReLU needs it, and a little noise."""
    root, basis = math.sqrt(Z_DIM), rotation()
    first, *others = [layer for layer in generator.style if hasattr(layer, "weight")]
    weight, count = 0.1 * rng.randn(Z_DIM, Z_DIM), basis.shape[1]
    for copy, sign in enumerate((1, -1, 1)):
        weight[:, copy * count : (copy + 1) * count] += sign * root * basis
    _assign(first.weight, weight)
    _assign(first.bias, np.repeat([0, 0, -0.7, 0], [count, count, count, Z_DIM - 3 * count]))
    for layer in others:
        _assign(layer.weight, np.eye(Z_DIM) * root / math.sqrt(2) + 0.1 * rng.randn(Z_DIM, Z_DIM))


def _assign(parameter, values):
    import paddle

    parameter.set_value(paddle.to_tensor(np.asarray(values, np.float32)))


def curl_noise(index):
    """Constant noise of layer `index`, `[1, 1, r, r]`: where curls and ringlets lie, at 32 px and above.

    A StyleGAN has no other memory for a fine pattern that stays in its place; its blurs remove what the
    layers themselves could repeat. How much of it shows, and where, the styles decide.
    """
    side = 2 ** ((index + 5) // 2)
    if side < 32:
        return np.zeros([1, 1, side, side], np.float32)
    if index % 2 and side == 32:
        wave = np.cos(2 * np.pi * (np.arange(side) + 0.5) / side / LOBE)
        pattern = wave[:, None] + wave[None, :]
    else:
        step = 256 // side
        pattern = ringlets(256).reshape(side, step, side, step).mean((1, 3))
    return ((pattern - pattern.mean()) / pattern.std()).astype(np.float32)[None, None]


def affine_weights(generator):
    return [p for name, p in generator.named_parameters() if name.endswith("modulation.weight")]


def band_loss(ours, theirs):
    """Mean over the Laplacian bands of L1 / mean magnitude of the band of `theirs`."""
    import paddle.nn.functional as F

    loss = 0.0
    for band in range(BANDS):
        a, b = ours, theirs
        if band < BANDS - 1:
            ours, theirs = F.avg_pool2d(ours, 2), F.avg_pool2d(theirs, 2)
            a = a - F.interpolate(ours, scale_factor=2, mode="nearest")
            b = b - F.interpolate(theirs, scale_factor=2, mode="nearest")
        loss = loss + F.l1_loss(a, b) / (b.abs().mean() + 1e-3)
    return loss / BANDS


def attribute_loss(net, ours, theirs):
    """Difference of the regressor's features, in units of their variance, and of what it reads."""
    import paddle
    import paddle.nn.functional as F

    from ppstyleclip.toonface.judge import to_judge_size

    got = net.features(to_judge_size(ours))
    with paddle.no_grad():
        want = net.features(to_judge_size(theirs))
        read = net.read(want[-1])
    loss = sum(F.mse_loss(got[i], want[i]) / want[i].var() for i in (2, 5))
    return 0.5 * loss + 0.5 * F.smooth_l1_loss(net.read(got[-1]), read)


class Run:
    """Generator, its moving average and its optimiser; goes on from the checkpoint in its folder, if any."""

    def __init__(self, folder, size, steps, learning_rate):
        import paddle

        self.path = Path(folder) / "state.safetensors"
        self.generator, self.average = build(size), build(size)
        self.average.eval()
        self.schedule = warm_cosine(learning_rate, steps)
        self.optimizer = paddle.optimizer.Adam(
            self.schedule,
            beta1=0.8,
            beta2=0.99,
            parameters=self.generator.parameters(),
            grad_clip=paddle.nn.ClipGradByGlobalNorm(10.0),
        )
        self.networks = {"generator": self.generator, "average": self.average}
        self.step = load_checkpoint(self.path, self.networks, self.optimizer, self.schedule)

    def save(self):
        save_checkpoint(self.path, self.step, self.networks, self.optimizer)

    def follow(self):
        """Move the average towards the generator."""
        import paddle

        keep = min(0.998, self.step / (self.step + 10))
        with paddle.no_grad():
            for slow, fast in zip(self.average.parameters(), self.generator.parameters()):
                slow.set_value(slow * keep + fast * (1 - keep))


def train(run, net, shards, *, steps, batch_size=16):
    """Yield (step, loss, mean squared error) every 100 steps; saves through `run` are the caller's."""
    import paddle
    import paddle.nn.functional as F

    from ppstyleclip.pictures import to_images

    loss_mean = error_mean = 0.0
    seen = 0
    while run.step < steps:
        rng = np.random.RandomState(run.step + 1)  # of the step, so that a resumed run draws the same
        z_all, pixels = shards(rng)
        rows = rng.randint(0, len(z_all), batch_size)
        z, target = paddle.to_tensor(z_all[rows]), paddle.to_tensor(to_images(pixels[rows]))
        ours = run.generator.synthesis_from_styles(
            run.generator.style_affine(run.generator.get_latent(z)), noise="const"
        )
        loss = band_loss(ours, target)
        if net is not None:
            loss = loss + attribute_loss(net, ours, target)
        sparse = sum(w.abs().sum() for w in affine_weights(run.generator))
        count = sum(w.size for w in affine_weights(run.generator))
        (loss + SPARSITY * sparse / count).backward()
        run.optimizer.step()
        run.optimizer.clear_grad()
        run.schedule.step()
        run.step += 1
        run.follow()
        seen += 1
        weight = max(0.01, 1 / seen)
        loss_mean += (float(loss) - loss_mean) * weight
        error_mean += (float(F.mse_loss(ours.detach(), target)) - error_mean) * weight
        if run.step % 100 == 0 or run.step == steps:
            yield run.step, loss_mean, error_mean


def load_average(path, size=64):
    """The moving average of a checkpoint, ready to draw."""
    from ppstyleclip.files import read_safetensors
    from ppstyleclip.models.stylegan2 import load_generator_state

    generator = build(size)
    state = {k.split("/", 1)[1]: v for k, v in read_safetensors(path)[0].items() if k.startswith("average/")}
    load_generator_state(generator, state)
    generator.eval()
    return generator


def load_judge(path):
    """An AttributeNet for evaluation, its weights frozen."""
    from ppstyleclip.files import read_safetensors
    from ppstyleclip.toonface.judge import AttributeNet

    net = AttributeNet()
    net.set_state_dict({key: value.astype(np.float32) for key, value in read_safetensors(path)[0].items()})
    net.eval()
    for p in net.parameters():
        p.stop_gradient = True
    return net


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--judge",
        help="attribute regressor of train_judge (not one of the benchmark's); bands alone without it",
    )
    parser.add_argument("--size", type=int, default=64, choices=(64, 128))
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--learning-rate", type=finite_number, default=4e-3)
    parser.add_argument("--shards", type=int, default=40, help="2,048 faces each")
    parser.add_argument("--faces", default="toonface-faces", help="folder of the rendered faces")
    parser.add_argument("--output", default="toonface-generator", help="folder of checkpoint and result")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()

    from ppstyleclip.toonface.world import load_shard, write_faces

    paddle.seed(0)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    loaded = [load_shard(p) for p in write_faces(args.faces, size=args.size, seed=100000, count=args.shards)]
    run = Run(args.output, args.size, args.steps, args.learning_rate)
    start, first = time.time(), run.step
    net = load_judge(args.judge) if args.judge else None
    for step, loss, error in train(run, net, lambda rng: loaded[rng.randint(len(loaded))], steps=args.steps):
        pace = (time.time() - start) / (step - first)
        print(
            f"step {step} loss {loss:.4f} psnr {10 * math.log10(4 / error):.2f} {pace:.3f} s/step", flush=True
        )
        if step % 500 == 0 or step == args.steps:
            run.save()


if __name__ == "__main__":
    main()
