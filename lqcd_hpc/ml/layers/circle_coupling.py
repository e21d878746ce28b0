"""Couplings of angles by maps of the circle (2002.02428)."""

from __future__ import annotations

import torch

from ..targets.gauge import wrap


class CircleCoupling(torch.nn.Module):
    """theta_A' = g(theta_A) with maps g of the circle, whose parameters a network gives from cos and sin of theta_P.

    net : a network of 2 inputs; circle_map : one of layers/circle.py
    """

    def __init__(self, net, circle_map):
        super().__init__()
        self.net, self.circle_map = net, circle_map

    def forward(self, active, frozen):
        return self._move(self.circle_map.forward, active, frozen)

    def inverse(self, active, frozen):
        return self._move(self.circle_map.inverse, active, frozen)

    def _move(self, function, active, frozen):
        raw = self.net.rows(torch.cat([torch.cos(frozen), torch.sin(frozen)]))
        theta, log_slope = function(wrap(active), raw.view(-1, *active.shape))
        return theta, log_slope.sum((0, 1))
