"""Couplings of scalar fields in plain torch: all networks and maps act on the whole lattice, and masks choose.

This is how 2101.08176 writes them: x' = m x + (1 - m) g(x; net(m x)) with a checkerboard m.
"""

import torch
from torch import nn

from .plain_spline import spline


def fully_connected(sites, hidden, channels):
    """One hidden layer: (batch, y, x) to (batch, channels, y, x)."""
    volume = sites[0] * sites[1]
    layers = [nn.Flatten(), nn.Linear(volume, hidden), nn.LeakyReLU(), nn.Linear(hidden, channels * volume)]
    return nn.Sequential(*layers, nn.Unflatten(1, (channels, *sites)))


def convolutional(inputs, hidden, channels):
    """Periodic convolutions of 3 x 3: (batch, inputs, y, x) to (batch, channels, y, x)."""
    layers = []
    for wide in (*hidden, channels):
        layers += [nn.Conv2d(inputs, wide, 3, padding=1, padding_mode="circular"), nn.LeakyReLU()]
        inputs = wide
    return nn.Sequential(*layers[:-1])


class Affine(nn.Module):
    """phi' = m phi + (1 - m)(phi e^s + t)."""

    def __init__(self, net, mask):
        super().__init__()
        self.net = net
        self.register_buffer("mask", mask)

    def forward(self, x):
        s, t = self.net(self.mask * x).unbind(1)
        s, t = (1 - self.mask) * torch.tanh(s), (1 - self.mask) * t
        return x * torch.exp(s) + t, s.sum((1, 2))


class Spline(nn.Module):
    """phi' = m phi + (1 - m) g(phi), g a spline of [-bound, bound]."""

    def __init__(self, net, mask, bound):
        super().__init__()
        self.net, self.bound = net, bound
        self.register_buffer("mask", mask)

    def forward(self, x):
        y, log_slope = spline(x, self.net(self.mask * x).movedim(1, -1), self.bound, False)
        return self.mask * x + (1 - self.mask) * y, ((1 - self.mask) * log_slope).sum((1, 2))


class Channel(nn.Module):
    """A network of fields with channels, on fields without."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x[:, None])


class Flow(nn.Module):
    """Layers on independent normal numbers."""

    def __init__(self, sites, layers):
        super().__init__()
        self.sites, self.layers = sites, nn.ModuleList(layers)

    def sample(self, count):
        """`count` samples and their log q."""
        x = torch.randn(count, *self.sites, dtype=next(self.parameters()).dtype)
        log_q = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum((1, 2))
        for layer in self.layers:
            x, log_det = layer(x)
            log_q = log_q - log_det
        return x, log_q


def checkerboard(sites, parity):
    """1 where x + y is even (parity 0) or odd (1), else 0."""
    return torch.tensor([[float((x + y + parity) % 2 == 0) for x in range(sites[1])] for y in range(sites[0])])


def affine_fc(sites, couplings, hidden):
    """Affine couplings with fully connected networks."""
    return Flow(
        sites, [Affine(fully_connected(sites, hidden, 2), checkerboard(sites, k % 2)) for k in range(couplings)]
    )


def affine_cnn(sites, couplings, hidden):
    """Affine couplings with convolutional networks."""
    return Flow(
        sites, [Affine(Channel(convolutional(1, hidden, 2)), checkerboard(sites, k % 2)) for k in range(couplings)]
    )


def spline_fc(sites, couplings, hidden, bins, bound):
    """Spline couplings with fully connected networks."""
    layers = [
        Spline(fully_connected(sites, hidden, 3 * bins - 1), checkerboard(sites, k % 2), bound)
        for k in range(couplings)
    ]
    return Flow(sites, layers)
