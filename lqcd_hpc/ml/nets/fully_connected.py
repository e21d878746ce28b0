"""Networks in which every site feeds every site."""

from __future__ import annotations

from math import prod
from typing import Literal

import torch
from pydantic import PositiveInt

from ...description import description
from .linear_rows import Head, Network, activation, parameter


@description
class FullyConnected:
    """h_1 = a(W_1 x + b_1), ..., output = W h_n + b, with hidden layers of the given widths.

    Its parameters belong to one lattice size. `odd` outputs (the last ones) change sign with the input and the others
    do not: then the hidden layers have no b, a = tanh, and even outputs are W h^2 + b. The last layer begins at zero.

    >>> net = FullyConnected(hidden=[16]).on((4, 4), inputs=1, outputs=2)
    >>> net(torch.ones(5, 1, 4, 4, dtype=torch.float64)).shape
    torch.Size([5, 2, 4, 4])
    """

    hidden: list[PositiveInt]
    activation: Literal["leaky_relu", "relu", "silu", "tanh"] = "leaky_relu"
    bias: bool = True

    def on(self, shape, inputs, outputs, odd=None, read=None, write=None, event=0):
        """The network on a lattice; `read` and `write` are the sites (flat numbers) it sees and answers at.

        `event` numbers the networks of a flow. Raises `LqcdError` for an activation that is not odd where it must be.
        """
        function = activation(self.activation, odd)
        volume = prod(shape)
        seen = inputs * (volume if read is None else len(read))
        answered = volume if write is None else len(write)
        bias = self.bias and odd is None
        hidden = []
        for number, width in enumerate(self.hidden):
            hidden.append(Dense(seen, width, 1, bias, 1.0, 100 * event + number))
            seen = width
        event = 100 * event + 50
        head = Head(lambda n, b, k: Dense(seen, n, answered, b, 0.0, event + k), outputs, odd, self.bias)
        return Network(shape, hidden, head, function)


class Dense(torch.nn.Module):
    """(rows, sites, batch) to (channels, sites, batch): one matrix for all of them."""

    def __init__(self, inputs, channels, sites, bias, scale, event):
        super().__init__()
        self.out = (channels, sites)
        self.weight = parameter((channels * sites, inputs), scale / max(inputs, 1) ** 0.5, event)
        self.bias = parameter((channels * sites, 1), 0.0, event) if bias else None

    def forward(self, x):
        x = x.reshape(-1, x.shape[-1])
        y = self.weight @ x if self.bias is None else torch.addmm(self.bias, self.weight, x)
        return y.view(*self.out, -1)
