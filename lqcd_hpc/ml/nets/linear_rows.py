"""Linear maps of networks on rows: (channels, sites, batch) tensors with the batch last, and how they begin.

With the batch last a gather of sites copies whole rows, a layer is one matrix product, and no map needs a transpose.
"""

from __future__ import annotations

from math import prod

import torch

from ...errors import LqcdError
from ..noise import first

ACTIVATIONS = {
    "leaky_relu": torch.nn.functional.leaky_relu,
    "relu": torch.relu,
    "silu": torch.nn.functional.silu,
    "tanh": torch.tanh,
}


def parameter(shape, scale, event):
    """A parameter of normal numbers times `scale` (zeros for 0), by ml/noise.py: `first`."""
    numbers = scale * first(event).normal(1, shape)[0] if scale else torch.zeros(shape, dtype=torch.float64)
    return torch.nn.Parameter(numbers)


def activation(name, odd):
    """The function of a name; a network with a part that is odd under the sign of its input needs an odd one."""
    if odd is not None and name != "tanh":
        raise LqcdError(f'a network that is odd or even under phi -> -phi needs activation = "tanh", not "{name}"')
    return ACTIVATIONS[name]


class Head(torch.nn.Module):
    """The last layer: outputs W h + b; with a symmetry, even ones W h^2 + b first, then odd ones W h.

    `linear(outputs, bias, number)` makes the linear map, of any kind.
    """

    def __init__(self, linear, outputs, odd, bias):
        super().__init__()
        even = outputs if odd is None else outputs - odd
        self.square = odd is not None
        self.even = linear(even, bias, 0) if even else None
        self.odd = linear(odd, False, 1) if odd else None

    def forward(self, h):
        parts = []
        if self.even is not None:
            parts.append(self.even(h * h if self.square else h))
        if self.odd is not None:
            parts.append(self.odd(h))
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class Network(torch.nn.Module):
    """Hidden layers and a head, between two sets of sites of a periodic lattice.

    `rows(x)` maps (inputs, read sites, batch) to (outputs, write sites, batch); `forward(x)` is the same with the
    batch first, (batch, inputs, ..., y, x) to (batch, outputs, ..., y, x), for networks of the whole lattice.
    """

    def __init__(self, shape, hidden, head, function):
        super().__init__()
        self.sites = tuple(shape)[::-1]
        self.hidden = torch.nn.ModuleList(hidden)
        self.head = head
        self.function = function

    def rows(self, x):
        """(outputs, write sites, batch) of (inputs, read sites, batch)."""
        for layer in self.hidden:
            x = self.function(layer(x))
        return self.head(x)

    def forward(self, x):
        """(batch, outputs, ..., y, x) of (batch, inputs, ..., y, x)."""
        rows = x.reshape(x.shape[0], x.shape[1], prod(self.sites)).permute(1, 2, 0)
        return self.rows(rows).permute(2, 0, 1).reshape(len(x), -1, *self.sites)
