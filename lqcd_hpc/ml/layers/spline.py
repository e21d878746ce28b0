"""Spline couplings of real fields."""

from __future__ import annotations

import torch

from .rational_quadratic import inverse_spline, parameters, spline


class SplineCoupling(torch.nn.Module):
    """x_A = g(z_A) with rational-quadratic splines g of [-bound, bound], whose parameters a network gives from z_P.

    `odd` : g(z) = sign(z) g(|z|) with a spline of [0, bound]; with an even network the map commutes with phi -> -phi.
    """

    def __init__(self, net, bound, odd):
        super().__init__()
        self.net = net
        self.bound = float(bound)
        self.odd = odd

    @staticmethod
    def outputs(bins, odd):
        """Outputs per variable that the network needs."""
        return parameters(bins, "half" if odd else "linear")

    def forward(self, active, frozen):
        return self._through(spline, active, frozen)

    def inverse(self, active, frozen):
        return self._through(inverse_spline, active, frozen)

    def _through(self, function, active, frozen):
        raw = self.net.rows(frozen)
        raw = raw.view(-1, *active.shape)
        if self.odd:
            size, log_slope = function(active.abs(), raw, 0.0, self.bound, "half")
            return torch.copysign(size, active), log_slope.sum((0, 1))
        x, log_slope = function(active, raw, -self.bound, self.bound, "linear")
        return x, log_slope.sum((0, 1))
