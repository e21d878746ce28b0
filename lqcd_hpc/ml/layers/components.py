"""Layers on fields whose components come last."""

from __future__ import annotations

import torch


class ComponentsFirst(torch.nn.Module):
    """A layer of fields (batch, components, ..., y, x), on fields (batch, ..., y, x, components)."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, z):
        x, log_det = self.layer(z.movedim(-1, 1))
        return x.movedim(1, -1), log_det

    def inverse(self, x):
        z, log_det = self.layer.inverse(x.movedim(-1, 1))
        return z.movedim(1, -1), log_det
