"""Increasing maps of the circle onto itself, whose parameters come from a network.

A map has `outputs`, the numbers per point that describe it (all zeros: nearly the identity), and takes angles (*points)
with parameters (outputs, *points): `forward(x, raw) -> (y, log dy/dx)`, `inverse(y, raw) -> (x, log dx/dy)`.
The last parameter is a rotation. Angles are those of [-pi, pi).
"""

from __future__ import annotations

from math import pi
from typing import Literal

import torch

from ..targets.gauge import wrap
from .rational_quadratic import inverse_spline, parameters, spline
from .roots import increasing_root

LARGEST_RADIUS = 0.99  # of the centre of a Moebius map
LARGEST_STRETCH = 4.0  # of |log alpha| of a non-compact projection
APART = 0.1  # distance of the terms of a mixture at the start


class Spline:
    """A rational-quadratic spline of [-pi, pi] with the same slope at both ends, and a rotation (2002.02428)."""

    def __init__(self, components):
        self.outputs = parameters(components, "circular") + 1

    def forward(self, x, raw):
        y, log_slope = spline(x, raw[:-1], -pi, pi, "circular")
        return wrap(y + raw[-1]), log_slope

    def inverse(self, y, raw):
        return inverse_spline(wrap(y - raw[-1]), raw[:-1], -pi, pi, "circular")


class _Mixture:
    """A weighted mean of simple maps g of the real line with g(x + 2 pi) = g(x) + 2 pi, and a rotation.

    The terms begin a little apart, as otherwise they would learn the same.
    """

    def __init__(self, components):
        self.components = components
        self.outputs = 3 * components + 1

    def forward(self, x, raw):
        y, slope = self._mean(raw)(x)
        return wrap(y + raw[-1]), slope.log()

    def inverse(self, y, raw):
        mean = self._mean(raw)

        def lift(x):
            value, slope = mean(x)
            return value, slope.log()

        low = torch.full_like(y, -pi)
        first = lift(low)[0].detach()
        x = increasing_root(lift, first + torch.remainder(y - raw[-1] - first, 2 * pi), low, low + 2 * pi)
        return wrap(x), -lift(x)[1]

    def _mean(self, raw):
        """The function x -> (y, dy/dx) without the rotation."""
        n = self.components
        turn = 2 * pi * torch.arange(n, dtype=raw.dtype, device=raw.device).reshape(-1, *(1,) * (raw.dim() - 1)) / n
        weights = torch.softmax(raw[:n], 0)
        first, second = raw[n : 2 * n] + APART * torch.cos(turn), raw[2 * n : -1] + APART * torch.sin(turn)

        def mean(x):
            y, slope = self.parts(x, first, second)
            return (weights * y).sum(0), (weights * slope).sum(0)

        return mean


class NonCompact(_Mixture):
    """A mixture of y = 2 atan(alpha tan(x/2) + b): scalings and shifts of the projected line (2002.02428, eq. 6).

    With c, s = cos, sin(x/2): y = 2 atan2(alpha s + b c, c), dy/dx = alpha / (c^2 + (alpha s + b c)^2).
    """

    def parts(self, x, stretch, shift):
        alpha = torch.exp(LARGEST_STRETCH * torch.tanh(stretch / LARGEST_STRETCH))
        c, s = torch.cos(x / 2), torch.sin(x / 2)
        height = alpha * s + shift * c
        return 2 * torch.atan2(height, c), alpha / (c * c + height * height)


class Moebius(_Mixture):
    """A mixture of Moebius maps of the disc with centres w, turned so that 0 stays (2002.02428, eq. 4).

    z -> (1 - |w|^2)/|z - w|^2 (z - w) - w = z conj(q)/q with q = 1 - conj(w) z and Re q > 0, so that the angle is
    y = x - 2 arg q(x) + 2 arg q(0), and dy/dx = (1 - |w|^2)/|q|^2.
    """

    def parts(self, x, u, v):
        shrink = LARGEST_RADIUS / torch.sqrt(1 + u * u + v * v)
        u, v = u * shrink, v * shrink
        c, s = torch.cos(x), torch.sin(x)
        re, im = 1 - u * c - v * s, v * c - u * s
        y = x - 2 * torch.atan2(im, re) + 2 * torch.atan2(v, 1 - u)
        return y, (1 - u * u - v * v) / (re * re + im * im)


CircleMap = Literal["spline", "moebius", "noncompact"]
MAPS = {"spline": Spline, "moebius": Moebius, "noncompact": NonCompact}
