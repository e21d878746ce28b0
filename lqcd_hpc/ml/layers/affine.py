"""Affine couplings (RealNVP, 1605.08803, as in 1904.12072)."""

from __future__ import annotations

import torch


class AffineCoupling(torch.nn.Module):
    """x_A = z_A e^s + t with s = tanh h_1(z_P), t = h_2(z_P); log|det| = sum_A s.

    The network maps the frozen sites to 2 components numbers per active site. It is odd in t and even in s for a map
    that commutes with phi -> -phi.
    """

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, active, frozen):
        s, t = self._scale_and_shift(active, frozen)
        return torch.addcmul(t, active, s.exp()), s.sum((0, 1))

    def inverse(self, active, frozen):
        s, t = self._scale_and_shift(active, frozen)
        return (active - t) * torch.exp(-s), -s.sum((0, 1))

    def _scale_and_shift(self, active, frozen):
        s, t = self.net.rows(frozen).split(len(active))
        return torch.tanh(s), t
