# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The PyTorch lanes: rosinality's generator, imported from a checkout, and a ViT-B/32 of torch.nn."""

from __future__ import annotations

import sys

import torch
from drawn import GRADIENT_SIDE, drawn
from torch import nn
from torch.nn import functional


def make_generator(path, size):
    """rosinality's generator with random weights of PyTorch's; its CUDA operators are not compiled."""
    import torch.utils.cpp_extension

    torch.utils.cpp_extension.load = lambda *args, **options: None
    sys.path.insert(0, path)
    from model import Generator

    torch.manual_seed(0)
    return Generator(size, 512, 8).eval().requires_grad_(False)


def make_latents(generator, batch):
    """w_plus `[batch, L, 512]`; the generator turns them into styles itself, at no cost to speak of."""
    with torch.no_grad():
        w = generator.get_latent(torch.from_numpy(drawn("z", [batch, 512])))
    return w.unsqueeze(1).repeat(1, generator.n_latent, 1)


def synthesis(path, size, batches):
    generator = make_generator(path, size)
    latents = make_latents(generator, max(batches))

    @torch.inference_mode()
    def draw(w_plus):
        generator([w_plus], input_is_latent=True, randomize_noise=False)[0].numpy()

    return {str(n): (lambda n=n: draw(latents[:n])) for n in batches}


class QuickGELU(nn.Module):
    """CLIP's activation."""

    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """A residual attention block of CLIP's image side."""

    def __init__(self, width, heads):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), QuickGELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        h = self.ln_1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.ln_2(x))


class VisionTransformer(nn.Module):
    """CLIP ViT-B/32's image side (Radford et al. 2021), from pictures in [-1, 1] of any size."""

    def __init__(self, width=768, layers=12, patch=32, side=224, dim=512):
        super().__init__()
        self.side = side
        self.patches = nn.Conv2d(3, width, patch, patch, bias=False)
        self.first = nn.Parameter(torch.randn(1, 1, width) * width**-0.5)
        self.places = nn.Parameter(torch.randn(1, (side // patch) ** 2 + 1, width) * width**-0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*[Block(width, width // 64) for _ in range(layers)])
        self.projection = nn.Linear(width, dim, bias=False)

    def forward(self, images):
        if images.shape[-1] != self.side:
            images = functional.interpolate(images, (self.side, self.side), mode="bicubic", antialias=True)
        x = self.patches(images.clamp(-1, 1)).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.places
        return self.projection(self.ln_post(self.blocks(self.ln_pre(x))[:, 0]))


def gradient(path):
    generator = make_generator(path, GRADIENT_SIDE)
    encoder = VisionTransformer().eval().requires_grad_(False)
    w_plus = make_latents(generator, 1).requires_grad_()
    target = torch.from_numpy(drawn("target", [1, 512]))

    def step():
        features = encoder(generator([w_plus], input_is_latent=True, randomize_noise=False)[0])
        loss = 1 - functional.cosine_similarity(features, target).mean()
        torch.autograd.grad(loss, w_plus)

    return {"step": step}


def optimisation(path, batches, styleclip=None):
    """A step of StyleCLIP's run_optimization.py at 256 px; with its identity loss, if given its checkout."""
    generator = make_generator(path, GRADIENT_SIDE)
    encoder = VisionTransformer().eval().requires_grad_(False)
    latents, target = make_latents(generator, max(batches)), torch.from_numpy(drawn("target", [1, 512]))
    who = make_identity(styleclip) if styleclip else None
    steps = {}
    for count in batches:
        start = latents[:count].clone()
        latent = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([latent], lr=0.1)
        with torch.no_grad():
            original = generator([start], input_is_latent=True, randomize_noise=False)[0]

        def step(start=start, latent=latent, optimizer=optimizer, original=original):
            images = generator([latent], input_is_latent=True, randomize_noise=False)[0]
            seen = functional.avg_pool2d(functional.interpolate(images, scale_factor=7), GRADIENT_SIDE // 32)
            loss = (1 - functional.cosine_similarity(encoder(seen), target)).sum()
            loss = loss + 0.008 * ((start - latent) ** 2).sum()
            if who is not None:  # as there, the original is looked at in each step
                loss = loss + 0.1 * (1 - (who(images) * who(original).detach()).sum(1)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        steps[str(count)] = step
    return steps


def make_identity(path):
    """StyleCLIP's IR-SE50 behind its crop, with random weights; a function of pictures."""
    sys.path.insert(0, path)
    from models.facial_recognition.model_irse import Backbone

    network = Backbone(input_size=112, num_layers=50, drop_ratio=0.6, mode="ir_se")
    network.eval().requires_grad_(False)
    return lambda images: network(functional.adaptive_avg_pool2d(images[:, :, 35:223, 32:220], 112))


def convolutions(shapes):
    steps = {}
    for name, (channels, side) in shapes.items():
        layer = nn.Conv2d(channels, channels, 3, padding=1)
        x = torch.from_numpy(drawn(name, [1, channels, side, side]))

        @torch.inference_mode()
        def step(layer=layer, x=x):
            layer(x)

        steps[name] = step
    return steps
