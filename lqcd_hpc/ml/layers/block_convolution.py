r"""Layers of coarse models: out(x) = A_0(x) psi(x) + sum_d A_d(x) psi(x+d), matrices of every block (arXiv:2302.05419).

A local parallel-transport convolution where transports are one: the basis of a block carries the gauge. Forward,
backward and the gradient of the matrices are kernels of operators/block_stencil.py.
"""

from __future__ import annotations

import numpy as np
import torch

from ...operators.block_stencil import BlockStencil
from .path_convolution import convolve, set_numbers


class BlockConvolutionLayer(torch.nn.Module):
    """Matrices of the whole lattice as reals (1 + hops, .. y, x, N, N, 2), on every rank; zero at first.

    vector : a field like those that it acts on
    """

    def __init__(self, vector):
        super().__init__()
        lattice, size = vector.lattice, vector.kind.reals // 2
        shape = 2 * lattice.ndim + 1, *lattice.shape[::-1], size, size, 2
        real = torch.float64 if vector.precision == "double" else torch.float32
        self.weights = torch.nn.Parameter(torch.zeros(shape, dtype=real))

    def set_matrices(self, matrices):
        """Take matrices (1 + hops, sites, N, N) in canonical order."""
        values = torch.from_numpy(np.ascontiguousarray(matrices, complex))
        with torch.no_grad():
            self.weights.copy_(torch.view_as_real(values).reshape(self.weights.shape))

    def on(self, vector):
        """The operator of kernels with these matrices on vectors like this one."""
        A = BlockStencil(vector)
        set_numbers(A.weights, self.weights)
        return A

    def forward(self, x, work):
        """The convolution of slots, with the `Work` of this layer."""
        return convolve(x, self.weights, work)
