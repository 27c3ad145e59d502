# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What e4e (Tov et al. 2021, section 5) adds to an encoder's fit, so that its latents can be edited.

Heads of offsets are opened one after another; offsets are kept short; and a critic of latents learns which w
come from the mapping network and which from the encoder, whose latents it draws to where the former are.
"""

from __future__ import annotations

from ppstyleclip.worlds.portrait.factors import sample_z
from ppstyleclip.worlds.portrait.training.network import EqualLinear, F, nn, torch

BETAS = (0.0, 0.99)  # Adam's, of a critic
REAL_SEED = 40_000_000  # of the faces whose w a critic is shown, one for each step behind it


def opened_heads(step, plan, heads):
    """How many of an encoder's heads are open in a step: the first alone, then one more at even intervals."""
    begin, end = plan.open_from * plan.steps, plan.open_until * plan.steps
    if step < begin:
        return 1
    return min(heads, 2 + int((heads - 1) * (step - begin) / max(end - begin, 1)))


def delta_loss(w_plus):
    """Sum over the layers of the mean length of offsets from the first one's w, of w_plus `[N, L, D]`."""
    off = w_plus[:, 1:] - w_plus[:, :1]
    return (off.square().sum(2) + 1e-12).sqrt().sub(1e-6).mean(0).sum()  # no infinite slope at 0


class Critic(nn.Module):
    """Latents `[N, D]` to numbers `[N]`, high where w is the mapping network's.

    Args:
        mean, std: `[D]` of the mapping network's w.
        depth: layers in front of the last one.
    """

    def __init__(self, mean, std, depth=4):
        super().__init__()
        dim, layers = len(mean), []
        for _ in range(depth):
            layers += [EqualLinear(dim, dim), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, EqualLinear(dim, 1))
        self.register_buffer("mean", mean.clone())
        self.register_buffer("std", std.clone())

    def forward(self, w):
        return self.layers((w - self.mean) / self.std)[:, 0]


class CriticFit:
    """A critic, and the steps by which it learns.

    Args:
        target: Target, whose mapping network gives the w that are real.
        plan: with critic_rate, r1 and r1_every.
    """

    def __init__(self, target, plan):
        self.target, self.plan = target, plan
        self.network = Critic(target.mean, target.latent_std)
        self.optimizer = torch.optim.Adam(self.network.parameters(), plan.critic_rate, betas=BETAS)

    def learn(self, w_plus, opened, step):
        """One step: real w up, those of the open heads down; R1 where its turn is. Returns the loss."""
        real = self.real(step, len(w_plus))
        made = w_plus[:, :opened].detach().flatten(0, 1)
        loss = F.softplus(-self.network(real)).mean() + F.softplus(self.network(made)).mean()
        whole = loss
        if step % self.plan.r1_every == 0:
            whole = loss + self.plan.r1_every * self.plan.r1 / 2 * self.penalty(real)
        self.optimizer.zero_grad(set_to_none=True)
        whole.backward()
        self.optimizer.step()
        return loss.item()

    def real(self, step, count):
        """`[count, D]`, each step others."""
        with torch.no_grad():
            return self.target.generator.style(torch.from_numpy(sample_z(REAL_SEED + step, count)))

    def penalty(self, real):
        """R1: the mean squared slope at real w, in deviations of w."""
        real = real.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(self.network(real).sum(), real, create_graph=True)
        return (slope * self.network.std).square().sum(1).mean()

    def loss(self, w_plus, opened):
        """What the encoder pays for latents `[N, L, D]` that are told from real ones."""
        return F.softplus(-self.network(w_plus[:, :opened].flatten(0, 1))).mean()
