r"""Layers of gauge-equivariant networks on fields of kernels: out_a = sum_{p b} W_p^{ab} T_p psi_b (arXiv:2302.05419).

Tensors hold the numbers of a field as they lie in memory (`bridge.slots`), of this rank's part of the lattice; halos
are the kernels' own business. Forward, backward and the gradient of W are kernels of operators/path_convolution.py.
"""

from __future__ import annotations

import numpy as np
import torch

from ...errors import LqcdError
from ...fields.field import Field
from ...fields.launch import Sequence
from ...operators.path_convolution import PathConvolution, weight_kind
from ..bridge import slots


class PathConvolutionLayer(torch.nn.Module):
    """The spin matrices W of a convolution along `paths`, zero at first, as reals (paths, out, in, spins, spins, 2)."""

    def __init__(self, paths, inputs, outputs, spins):
        super().__init__()
        self.paths = tuple(paths)
        shape = len(self.paths), outputs, inputs, spins, spins, 2
        self.weights = torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64))

    @property
    def features(self):
        """(out, in)."""
        return tuple(self.weights.shape[1:3])

    def matrices(self):
        """W as a complex numpy array."""
        return torch.view_as_complex(self.weights.detach().double().cpu().contiguous()).numpy()

    def on(self, transport, U, precision=None):
        """The operator of kernels with these weights on a gauge field."""
        return PathConvolution(transport, U, self.matrices(), precision)

    def forward(self, x, work):
        """The convolution of slots of `in` features, with the `Work` of this layer on a gauge field."""
        return convolve(x, self.weights, work)


class LocalPathConvolutionLayer(torch.nn.Module):
    """A convolution with spin matrices of every site (of this rank's part), as slots of a field, zero at first.

    It belongs to one lattice and precision; gauge fields on it may change.
    """

    def __init__(self, transport, U, inputs, outputs, precision=None):
        super().__init__()
        spins = 4 if U.lattice.ndim == 4 else 2
        kind = weight_kind((len(transport.paths), outputs, inputs, spins, spins))
        self.transport, self.features = transport, (outputs, inputs)
        self.precision = precision or U.precision
        self.weights = torch.nn.Parameter(slots(Field(U.lattice, kind, self.precision)).clone())
        self._kind = kind

    def on(self, U):
        """The operator of kernels with these weights on a gauge field."""
        field = Field(U.lattice, self._kind, self.precision)
        fill(field, self.weights.detach())
        return PathConvolution(self.transport, U, field, self.precision, self.features)

    def forward(self, x, work):
        """The convolution of slots of `in` features, with the `Work` of this layer on a gauge field."""
        return convolve(x, self.weights, work)


class Work:
    """Fields and prepared launches of a linear operator for tensors of so many copies."""

    def __init__(self, A, copies):
        self.A, after = A, A.copies_after(copies, False)
        self.source, self.out = A.vector(copies), A.vector(after)
        self.slope, self.back = A.vector(after), A.vector(copies)
        self._forward = Sequence(A.launches(self.source, self.out))
        self._backward = Sequence(A.launches(self.slope, self.back, True))
        self._gradient = A.gradient(self.source, self.slope) if hasattr(A, "gradient") else None

    def forward(self, x):
        """A x."""
        fill(self.source, x)
        self._forward()
        return slots(self.out).clone()

    def backward(self, slope):
        """A^dag slope."""
        fill(self.slope, slope)
        self._backward()
        return slots(self.back).clone()

    def gradient(self, x, slope):
        """The gradient with respect to the weights of a convolution, as reals (`numbers_of` those of every site)."""
        fill(self.source, x)
        fill(self.slope, slope)
        found = self._gradient()
        return numbers_of(found) if self.A.local else torch.view_as_real(torch.from_numpy(found))

    def set_weights(self, weights):
        """Take other weights of a convolution."""
        if self.A.local:
            set_numbers(self.A.weights, weights)
        else:
            self.A.set_weights(_complex(weights))


def fill(field, x):
    """Set the sites of a field from slots."""
    slots(field).copy_(x)
    field.touch()


def numbers_of(field):
    """A copy of the numbers of a field: slots, or those of the whole lattice in canonical order of several buffers."""
    if field.kind.buffers == 1:
        return slots(field).clone()
    return torch.view_as_real(torch.from_numpy(field.to_numpy(gather=True)))


def set_numbers(field, x):
    """The inverse of `numbers_of`."""
    if field.kind.buffers == 1:
        fill(field, x.detach())
    else:
        field.from_numpy(torch.view_as_complex(x.detach().cpu().contiguous()).numpy(), gathered=True)


def convolve(x, weights, work):
    """A x of slots with the weights of a convolution, differentiable once with respect to both."""
    return _Convolve.apply(x, weights, work)


def product(x, work):
    """A x of slots for the `Work` of any linear operator, differentiable once."""
    return _Product.apply(x, work)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(context, x, work):
        context.work = work
        return work.forward(x)

    @staticmethod
    def backward(context, slope):
        return _Once.apply(slope, context.work), None


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(context, slope, work):
        return work.backward(slope)

    @staticmethod
    def backward(context, *_):
        raise LqcdError("layers of kernels are differentiated once: second derivatives are those of einsum and roll")


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(context, x, weights, work):
        context.work = work
        context.save_for_backward(x, weights)
        work.set_weights(weights)
        return work.forward(x)

    @staticmethod
    def backward(context, slope):
        x, weights = context.saved_tensors
        found = _Slopes.apply(slope, x, weights, context.work, context.needs_input_grad[0])
        return (*found, None)


class _Slopes(torch.autograd.Function):
    @staticmethod
    def forward(context, slope, x, weights, work, wanted):
        work.set_weights(weights)
        gradient = work.gradient(x, slope).to(weights)
        return (work.backward(slope) if wanted else None), gradient

    @staticmethod
    def backward(context, *_):
        raise LqcdError("layers of kernels are differentiated once: second derivatives are those of einsum and roll")


def _complex(weights):
    return torch.view_as_complex(weights.detach().double().cpu().contiguous()).numpy()


def sum_over_ranks(value, comm):
    """The sum of a number over the ranks of a lattice, differentiable: each rank's part counts once."""
    return _Sum.apply(value, comm)


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(context, value, comm):
        found = comm.allreduce(np.array([float(value)]))[0] if comm.size > 1 else float(value)
        return torch.tensor(found, dtype=torch.float64)

    @staticmethod
    def backward(context, slope):
        return slope, None


def add_scaled(y, factor, x, comm):
    """y + factor x with a learned factor."""
    return _AddScaled.apply(y, factor, x, comm)


class _AddScaled(torch.autograd.Function):
    @staticmethod
    def forward(context, y, factor, x, comm):
        context.save_for_backward(factor, x)
        context.comm = comm
        return y + factor.to(y.dtype) * x

    @staticmethod
    def backward(context, slope):
        factor, x = context.saved_tensors
        own = np.array([float((slope.double() * x.double()).sum())])
        return slope, torch.tensor(context.comm.allreduce(own)[0]).to(factor), factor.to(slope.dtype) * slope, None
