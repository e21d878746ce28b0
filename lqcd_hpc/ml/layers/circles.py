"""Maps of circles: what couplings of angles and the last angle of a sphere have in common."""

from __future__ import annotations

from math import pi
from typing import Literal

import torch

from ..targets.gauge import wrap
from . import moebius, rational_quadratic

CircleMap = Literal["moebius", "spline"]


def parameters(kind, size):
    """Number of parameters of a map of the circle with `size` centres or bins: those of the map, and a rotation."""
    return 1 + (moebius.parameters(size) if kind == "moebius" else rational_quadratic.parameters(size, "circular"))


def circle(kind, theta, raw):
    """(theta', log slope): a Moebius combination or a circular spline, then a rotation; theta' in [-pi, pi)."""
    if kind == "moebius":
        moved, log_slope = moebius.moebius(theta, raw[1:])
    else:
        moved, log_slope = rational_quadratic.spline(theta % (2 * pi), raw[1:], 0.0, 2 * pi, "circular")
    return wrap(moved + raw[0]), log_slope


def inverse_circle(kind, theta, raw):
    """The inverse of `circle`."""
    theta = (theta - raw[0]) % (2 * pi)
    if kind == "moebius":
        moved, log_slope = moebius.inverse_moebius(theta, raw[1:])
    else:
        moved, log_slope = rational_quadratic.inverse_spline(theta, raw[1:], 0.0, 2 * pi, "circular")
    return wrap(moved), log_slope


class CircleCoupling(torch.nn.Module):
    """theta_A' = g(theta_A) with maps g of the circle, whose parameters a network gives from cos and sin of theta_P."""

    def __init__(self, net, kind):
        super().__init__()
        self.net = net
        self.kind = kind

    def forward(self, active, frozen):
        return self._through(circle, active, frozen)

    def inverse(self, active, frozen):
        return self._through(inverse_circle, active, frozen)

    def _through(self, function, active, frozen):
        raw = self.net.rows(torch.cat([torch.cos(frozen), torch.sin(frozen)]))
        theta, log_slope = function(self.kind, active, raw.view(-1, *active.shape))
        return theta, log_slope.sum((0, 1))
