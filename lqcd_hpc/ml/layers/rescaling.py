"""One number that multiplies the whole field."""

from __future__ import annotations

import torch


class Rescaling(torch.nn.Module):
    """x = e^c z with c learned; log|det| = c times the number of variables."""

    def __init__(self):
        super().__init__()
        self.log_scale = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, z):
        return z * self.log_scale.exp(), (self.log_scale * z[0].numel()).expand(len(z))

    def inverse(self, x):
        return x * torch.exp(-self.log_scale), (-self.log_scale * x[0].numel()).expand(len(x))
