"""Couplings of unit vectors that commute with rotations and reflections of all of them."""

from __future__ import annotations

from math import pi

import torch

from .rational_quadratic import inverse_spline, parameters, spline


class SpinCoupling(torch.nn.Module):
    """Active spins turn towards a vector of frozen ones: theta' = g(theta), in the plane of s and m, with

        m(x) = sum_a c_a(x) m_a(x),   m_a(x) = sum_r w_a(r) s_P(x + r),   cos theta = s.m/|m|,
        log|det| = sum_A [log g'(theta) + (N - 2) log(sin theta'/sin theta)].

    The splines g of [0, pi] onto itself and the c_a (c_0 - 1 and the others) come from a network that sees the products
    m_a.m_b, so that s -> R s with R of O(N) commutes with the map. As |m| -> 0 the map becomes the identity.

    vectors : maps (1, frozen sites, batch) to (vectors, active sites, batch), the m_a of one component
    """

    def __init__(self, vectors, net):
        super().__init__()
        self.vectors = vectors
        self.net = net

    @staticmethod
    def inputs(vectors):
        """Scalar products of so many vectors."""
        return vectors * (vectors + 1) // 2

    @staticmethod
    def outputs(vectors, bins):
        """Outputs per active site that the network needs."""
        return vectors + parameters(bins, "free")

    def forward(self, active, frozen):
        return self._through(spline, active, frozen)

    def inverse(self, active, frozen):
        return self._through(inverse_spline, active, frozen)

    def _through(self, function, s, frozen):
        n, raw = self._axis(frozen)
        along = (s * n).sum(0)
        across = s - along * n
        size = (across * across).sum(0).clamp(min=torch.finfo(s.dtype).eps ** 2).sqrt()
        theta = torch.atan2(size, along)
        moved, log_slope = function(theta, raw, 0.0, pi, "free")
        turned = torch.cos(moved) * n + torch.sin(moved) / size * across
        if len(s) > 2:
            log_slope = log_slope + (len(s) - 2) * _log_ratio(moved, theta, log_slope)
        return turned, log_slope.sum(0)

    def _axis(self, frozen):
        """The directions n = m/|m|, (N, active sites, batch), and the parameters of the splines, small where |m| is."""
        components, _, batch = frozen.shape
        m = self.vectors(frozen.transpose(0, 1).reshape(1, -1, components * batch))
        m = m.view(len(m), -1, components, batch)
        first, second = torch.triu_indices(len(m), len(m), device=m.device)
        out = self.net.rows((m[first] * m[second]).sum(2))
        mixture, raw = out.split([len(m), len(out) - len(m)])
        m = m[0] + (mixture[:, :, None] * m).sum(0)
        size2 = (m * m).sum(1)
        seen = size2 > torch.finfo(m.dtype).eps
        n = m * torch.where(seen, torch.where(seen, size2, 1).rsqrt(), 0)[:, None]
        return n.transpose(0, 1), raw * (size2 / (1 + size2))


def _log_ratio(moved, theta, log_slope):
    """log(sin theta'/sin theta), which is log g' at both ends."""
    new, old = torch.sin(moved), torch.sin(theta)
    inside = torch.minimum(new, old) > torch.finfo(theta.dtype).eps ** 0.5
    ratio = torch.where(inside, new, 1) / torch.where(inside, old, 1)
    return torch.where(inside, ratio.log(), log_slope)
