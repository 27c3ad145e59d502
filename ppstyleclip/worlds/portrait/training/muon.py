# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Muon (Jordan et al. 2024): momentum whose updates have all singular values near 1; for kernels."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.training.network import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Newton and Schulz's iteration, by Jordan
STEPS = 5
SIZE = 0.2  # root mean square of an update at a rate of 1, about Adam's


def orthogonal(matrix):
    """`[M, N]`, M at most N, with its singular values near 1.

    Every step of the iteration multiplies by a polynomial of `X X^T`. So the polynomials are multiplied,
    small as they are, and X comes last: less than half the work.
    """
    a, b, c = COEFFICIENTS
    x = matrix / (matrix.norm() + 1e-7)
    gram = x @ x.t()  # [M, M]
    one = torch.eye(len(x))
    product = one
    for _ in range(STEPS):
        factor = a * one + b * gram + c * gram @ gram
        product = factor @ product
        gram = gram @ factor @ factor
    return product @ x


class Muon(torch.optim.Optimizer):
    """For weights `[1, O, I, k, k]` or `[O, I, k, k]`, taken as matrices `[O, I k k]`."""

    def __init__(self, params, lr, momentum=0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(state["momentum"], group["momentum"])  # Nesterov's
                update = orthogonal(ahead.reshape(weight.shape[-4], -1))
                scale = SIZE * max(update.shape) ** 0.5
                weight.add_(update.view_as(weight), alpha=-group["lr"] * scale)
