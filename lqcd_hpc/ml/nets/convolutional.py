"""Periodic convolutional networks in any number of dimensions."""

from __future__ import annotations

import itertools
from math import prod
from typing import Literal

import torch
from pydantic import NonNegativeInt, PositiveInt

from ...description import description
from ...errors import LqcdError
from .linear_rows import Head, Network, activation, parameter

MATRIX_SITES = 64  # up to here a convolution is fastest as one product with the matrix of its kernel


@description
class Convolutional:
    """h_1 = a(w_1 * phi + b_1), ..., output = w * h_n + b, periodic, with hidden layers of the given channels.

    (w * phi)_o(x) = sum_{i, r} w_oi(r) phi_i(x + r) over a cube of `kernel` sites a side. The parameters do not know
    the lattice size: a trained network works on any. `odd` outputs (the last ones) change sign with the input and the
    others do not: then the hidden layers have no b, a = tanh, and even outputs are w * h^2 + b. The last layer begins
    at zero.

    >>> net = Convolutional(hidden=[8], kernel=3).on((4, 6), inputs=1, outputs=2)
    >>> net(torch.ones(5, 1, 6, 4, dtype=torch.float64)).shape
    torch.Size([5, 2, 6, 4])
    """

    hidden: list[PositiveInt]
    kernel: PositiveInt
    activation: Literal["leaky_relu", "relu", "silu", "tanh"] = "leaky_relu"
    bias: bool = True
    seed: NonNegativeInt = 0

    def __post_init__(self):
        if self.kernel % 2 == 0:
            raise LqcdError(f"kernel = {self.kernel}: a kernel centred on a site has an odd number of sites a side")

    def on(self, shape, inputs, outputs, odd=None, read=None, write=None, event=0):
        """The network on a lattice; `read` and `write` are the sites (flat numbers) it sees and answers at.

        `event` numbers the networks of one seed. Raises `LqcdError` for an activation that is not odd where it must be.
        """
        function = activation(self.activation, odd)
        bias = self.bias and odd is None
        hidden = []
        for number, channels in enumerate(self.hidden):
            window = Window(shape, self.kernel, read)
            hidden.append(Convolution(window, inputs, channels, bias, 1.0, self.seed, 100 * event + number))
            inputs, read = channels, None
        window, event = Window(shape, self.kernel, read, write), 100 * event + 50

        def last(channels, bias, number):
            return Convolution(window, inputs, channels, bias, 0.0, self.seed, event + number)

        return Network(shape, hidden, Head(last, outputs, odd, self.bias), function)


class Window:
    """What a kernel sees: `table` (taps, write sites) is the place among the read sites of x + r for every offset r,
    and `read`, their number, where x + r is not read.

    >>> Window((4,), 3, write=[0]).table
    tensor([[3],
            [0],
            [1]])
    """

    def __init__(self, shape, kernel, read=None, write=None):
        sites = tuple(shape)[::-1]
        numbers = torch.arange(prod(sites)).reshape(sites)
        self.read = prod(sites) if read is None else len(read)
        reach, dims = range(-(kernel // 2), kernel // 2 + 1), tuple(range(len(sites)))
        self.offsets = list(itertools.product(reach, repeat=len(sites)))
        self.table = torch.stack([torch.roll(numbers, [-r for r in o], dims).flatten() for o in self.offsets])
        if read is not None:
            place = torch.full((prod(sites),), self.read)
            place[torch.as_tensor(read)] = torch.arange(self.read)
            self.table = place[self.table]
        if write is not None:
            self.table = self.table[:, torch.as_tensor(write)]

    @property
    def neighbours(self):
        """(taps,): 1 for the nearest neighbours."""
        return torch.tensor([sum(map(abs, offset)) == 1 for offset in self.offsets]).double()

    @property
    def spread(self):
        """(taps, write sites, read sites): 1 where a tap of a site sees the read site."""
        return torch.nn.functional.one_hot(self.table, self.read + 1)[..., : self.read].double()


class Convolution(torch.nn.Module):
    """(inputs, read sites, batch) to (outputs, write sites, batch), by the windows of a kernel.

    On small lattices the kernel is spread into its matrix, W[o v, i w] = sum_k w[o, i, k] [window k of v is w], which
    leaves one product; on others the windows are gathered.
    """

    def __init__(self, window, inputs, outputs, bias, scale, seed, event):
        super().__init__()
        taps, self.write = window.table.shape
        self.weight = parameter((outputs, inputs, taps), scale * (inputs * taps) ** -0.5, seed, event)
        self.bias = parameter((outputs, 1, 1), 0.0, seed, event) if bias else None
        self.matrix = taps > 1 and window.read <= MATRIX_SITES
        name, table = ("spread", window.spread) if self.matrix else ("window", window.table.flatten())
        self.register_buffer(name, table, persistent=False)

    def forward(self, x):
        inputs, read, batch = x.shape
        outputs, _, taps = self.weight.shape
        if self.matrix:
            kernel = self.weight.reshape(-1, taps) @ self.spread.view(taps, -1)
            kernel = kernel.view(outputs, inputs, self.write, read).transpose(1, 2).reshape(outputs * self.write, -1)
            y = kernel @ x.reshape(inputs * read, batch)
        else:
            padded = torch.cat([x, x.new_zeros(inputs, 1, batch)], 1)
            y = self.weight.flatten(1) @ padded.index_select(1, self.window).view(inputs * taps, self.write * batch)
        y = y.view(outputs, self.write, batch)
        return y if self.bias is None else y + self.bias
