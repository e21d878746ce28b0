"""Periodic convolutional networks in any number of dimensions."""

from __future__ import annotations

import itertools
from math import prod
from typing import Literal

import torch
from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from .linear_rows import Head, Network, activation, parameter

MATRIX_SITES = 64  # up to here a convolution is fastest as one product with the matrix of its kernel
FEWER = 4  # times fewer outputs than inputs: then it is faster to gather outputs
LARGEST = 2**24  # bytes of windows at a time: larger blocks are new memory every time


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

    def __post_init__(self):
        if self.kernel % 2 == 0:
            raise LqcdError(f"kernel = {self.kernel}: a kernel centred on a site has an odd number of sites a side")

    def on(self, shape, inputs, outputs, odd=None, read=None, write=None, event=0):
        """The network on a lattice; `read` and `write` are the sites (flat numbers) it sees and answers at.

        `event` numbers the networks of a flow. Raises `LqcdError` for an activation that is not odd where it must be.
        """
        function = activation(self.activation, odd)
        bias = self.bias and odd is None
        hidden = []
        for number, channels in enumerate(self.hidden):
            window = Window(shape, self.kernel, read)
            hidden.append(Convolution(window, inputs, channels, bias, 1.0, 100 * event + number))
            inputs, read = channels, None
        window, event = Window(shape, self.kernel, read, write), 100 * event + 50

        def last(channels, bias, number):
            return Convolution(window, inputs, channels, bias, 0.0, event + number)

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
    leaves one product. On others windows are gathered: those of the inputs before the product with the kernel, or,
    where outputs are few, those of the outputs of every tap after it.
    """

    def __init__(self, window, inputs, outputs, bias, scale, event):
        super().__init__()
        taps, self.write = window.table.shape
        self.weight = parameter((outputs, inputs, taps), scale * (inputs * taps) ** -0.5, event)
        self.bias = parameter((outputs, 1, 1), 0.0, event) if bias else None
        self.matrix, self.few = taps > 1 and window.read <= MATRIX_SITES, FEWER * outputs <= inputs
        rows = (window.read + 1) * torch.arange(taps)[:, None]
        name, table = ("spread", window.spread) if self.matrix else ("window", window.table + self.few * rows)
        self.register_buffer(name, table, persistent=False)

    def forward(self, x):
        form = self._by_matrix if self.matrix else self._by_taps if self.few else self._by_windows
        y = form(x)
        return y if self.bias is None else y + self.bias

    def _by_matrix(self, x):
        inputs, read, batch = x.shape
        outputs, _, taps = self.weight.shape
        kernel = self.weight.reshape(-1, taps) @ self.spread.view(taps, -1)
        kernel = kernel.view(outputs, inputs, self.write, read).transpose(1, 2).reshape(outputs * self.write, -1)
        return (kernel @ x.reshape(inputs * read, batch)).view(outputs, self.write, batch)

    def _by_windows(self, x):
        """So many sites at a time that their windows are not too large for memory that is used again."""
        x = _with_zero(x)
        inputs, _, batch = x.shape
        outputs, _, taps = self.weight.shape
        sites = self.write if x.is_cuda else max(1, LARGEST // (taps * inputs * batch * x.element_size()))
        kernel, parts = self.weight.flatten(1), []
        for window in self.window.split(sites, 1):
            gathered = x.index_select(1, window.flatten()).view(inputs * taps, -1)
            parts.append((kernel @ gathered).view(outputs, -1, batch))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def _by_taps(self, x):
        x = _with_zero(x)
        inputs, read, batch = x.shape
        outputs, _, taps = self.weight.shape
        y = self.weight.transpose(1, 2).reshape(-1, inputs) @ x.view(inputs, -1)
        y = y.view(outputs, taps * read, batch).index_select(1, self.window.flatten())
        return y.view(outputs, taps, self.write, batch).sum(1)


def _with_zero(x):
    """One more site, which stands for those that are not read."""
    return torch.cat([x, x.new_zeros(x.shape[0], 1, x.shape[2])], 1)
