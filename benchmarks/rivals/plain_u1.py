"""Gauge-equivariant couplings of U(1) plaquettes in plain torch, on the whole lattice with masks (2101.08176).

Layer n updates the links U_mu, mu = n mod 2, of every fourth row: the plaquettes there are active, those of the row
before passive, the others frozen. Networks see cosine and sine of the frozen ones.
"""

from math import pi

import torch
from torch import nn

from .plain_scalar import convolutional
from .plain_spline import spline


def wrap(angle):
    """The angle in [-pi, pi)."""
    return torch.remainder(angle + pi, 2 * pi) - pi


def plaquettes(theta):
    """theta_0(x) + theta_1(x + 0) - theta_0(x + 1) - theta_1(x) of links (batch, mu, y, x)."""
    u, v = theta[:, 0], theta[:, 1]
    return u + v.roll(-1, 2) - u.roll(-1, 1) - v


class Coupling(nn.Module):
    """P' = g(P) on active plaquettes, theta_mu' = theta_mu +- (P' - P)."""

    def __init__(self, net, shape, number):
        super().__init__()
        self.net, self.mu = net, number % 2
        row = torch.arange(shape[1 - self.mu]) - number // 2 % 4
        rows = [(row % 4 == k).float() for k in range(3)]
        active, frozen = rows[0], rows[1] + rows[2]
        for name, mask in (("active", active), ("frozen", frozen)):
            mask = mask[:, None] if self.mu == 0 else mask[None, :]
            self.register_buffer(name, mask.expand(shape[1], shape[0]).clone())

    def forward(self, theta):
        p = plaquettes(theta)
        seen = torch.stack([self.frozen * torch.cos(p), self.frozen * torch.sin(p)], 1)
        raw = self.net(seen).movedim(1, -1)
        old = wrap(p)
        new, log_slope = spline(old, raw[..., :-1], pi, True)
        change = self.active * (wrap(new + raw[..., -1]) - old)
        change = change if self.mu == 0 else -change
        link = torch.zeros_like(theta)
        link[:, self.mu] = change
        return wrap(theta + link), (self.active * log_slope).sum((1, 2))


class Flow(nn.Module):
    """Couplings on independent uniform angles."""

    def __init__(self, shape, layers, hidden, bins):
        super().__init__()
        self.shape = shape
        self.layers = nn.ModuleList(
            Coupling(convolutional(2, hidden, 3 * bins + 1), shape, number) for number in range(layers)
        )

    def sample(self, count):
        """`count` samples and their log q."""
        theta = 2 * pi * torch.rand(count, 2, *self.shape[::-1], dtype=next(self.parameters()).dtype) - pi
        log_q = theta.new_zeros(count)
        for layer in self.layers:
            theta, log_det = layer(theta)
            log_q = log_q - log_det
        return theta, log_q
