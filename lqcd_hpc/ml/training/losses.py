r"""What training makes small, as modules that give (loss, log w of fresh samples) of one batch.

With q the density of the flow, p = e^{-S}/Z that of the target and w = e^{-S}/q:

reverse : <log q + S>_q = KL(q|p) - log Z
path : the same value, with the gradient of its samples only, d/dtheta (log q_fixed + S)(x_theta)
forward : -<log q>_p = KL(p|q) + entropy of p, on given samples of p
mixed : (1 - mix) reverse + mix forward (arXiv:2107.00734)

What "path" leaves out has mean zero but a variance, also at q = p; without it the gradient vanishes there on every
sample (arXiv:2207.08219, eq. 8).
"""

from __future__ import annotations

import torch


def loss_of(settings, flow, target, data=None):
    """The loss that a [train] table names."""
    if settings.loss == "reverse":
        return Reverse(flow, target)
    if settings.loss == "path":
        return Path(flow, target)
    if settings.loss == "forward":
        return Forward(flow, data)
    return Mixed(Reverse(flow, target), Forward(flow, data), settings.mix)


class Reverse(torch.nn.Module):
    """<log q + S>_q on samples of the flow."""

    def __init__(self, flow, target):
        super().__init__()
        self.flow, self.target = flow, target

    def forward(self, count, noise):
        """(loss, log w) of `count` samples."""
        x, log_q = self.flow.sample(count, noise)
        log_w = -self.target.action(x) - log_q
        return -log_w.mean(), log_w.detach()


class Path(torch.nn.Module):
    """Reverse, with its gradient along the paths of the samples: log q is differentiated at fixed parameters."""

    def __init__(self, flow, target):
        super().__init__()
        self.flow, self.target = flow, target

    def forward(self, count, noise):
        """(loss, log w) of `count` samples."""
        x, log_q = self.flow.sample(count, noise)
        log_w = -(self.target.action(x) + log_q).detach()
        value = -log_w.mean()
        if not torch.is_grad_enabled():
            return value, log_w
        place = x.detach().requires_grad_()
        potential = self.flow.log_prob(place) + self.target.action(place)
        (force,) = torch.autograd.grad(potential.sum(), place)
        moved = (force.conj() * x).real.sum() / count
        return moved + (value - moved).detach(), log_w


class Forward(torch.nn.Module):
    """-<log q>_p on samples of the target, drawn from a tensor of them with replacement."""

    def __init__(self, flow, data):
        super().__init__()
        self.flow, self.data = flow, data

    def forward(self, count, noise):
        """(loss, None) of `count` samples."""
        place = (noise.uniform(count) * len(self.data)).long().clamp(max=len(self.data) - 1)
        return -self.flow.log_prob(self.data[place]).mean(), None


class Mixed(torch.nn.Module):
    """(1 - mix) reverse + mix forward, each on a batch of its own."""

    def __init__(self, reverse, forward, mix):
        super().__init__()
        self.reverse, self.with_data, self.mix = reverse, forward, mix

    def forward(self, count, noise):
        """(loss, log w) of `count` samples of the flow and as many of the target."""
        reverse, log_w = self.reverse(count, noise)
        forward, _ = self.with_data(count, noise)
        return (1 - self.mix) * reverse + self.mix * forward, log_w
