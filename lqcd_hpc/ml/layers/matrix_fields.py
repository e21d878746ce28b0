"""Matrix fields on small lattices in the memory order of the kernels, with derivatives of any order.

A `Frame` holds a periodic lattice with one replica per sample. Its tensors have the shape (items, reals, lanes):
Nc x Nc complex matrices (reals = 2 Nc^2) or complex numbers (reals = 2) at every site of every sample. The operations
run as kernels (kernels/matrix_fields.h); the gradient of each is another of them.
"""

from __future__ import annotations

import ctypes
from functools import cached_property

import numpy as np
import torch

from ...backend import device
from ...backend.program import Program
from ...errors import LqcdError
from ...fields.launch import aligned
from ...fields.layout import Layout
from ...lattice import Lattice
from ...lattice.communicator import SerialCommunicator

FIELDS = {"exponential_gradient": 3, "algebra_part": 1}  # of the other operations: two
PAD = 16  # batches are filled up to a multiple, so that samples are the lanes of a number


class Frame:
    """A lattice of shape (Lx, Ly, ...) for a batch of samples of a group, and the operations on its fields."""

    def __init__(self, shape, nc, batch, dtype=torch.float64, threads=None):
        self.nc, self.batch, self.dtype = nc, batch, dtype
        self.padded = -(-batch // PAD) * PAD
        comm = SerialCommunicator()
        self.lattice = Lattice(shape, replicas=self.padded, comm=comm, threads=threads or torch.get_num_threads())
        self._real, size = {torch.float64: ("double", 8), torch.float32: ("float", 4)}[dtype]
        width, group = device.lanes(size)
        self.layout = Layout(self.lattice, width, group)
        self._programs, self._shuffles = {}, np.int64 if size == 8 else np.int32

    # ---- between canonical order and the order of the kernels

    @cached_property
    def _source(self):
        """Canonical index (sample, ..., y, x) of every (item, lane)."""
        return torch.from_numpy(self.layout.site_of_slot.astype(np.int64))

    def enter(self, field):
        """Matrices (batch, ..., y, x, Nc, Nc) or numbers (batch, ..., y, x), complex, as a tensor of the kernels."""
        if field.device.type != device.current().NAME:
            raise LqcdError(
                f"the tensors are on {field.device.type}, the kernels run on {device.current().NAME}: set LQCD_DEVICE"
            )
        sites = self.lattice.volume
        reals = torch.view_as_real(field.contiguous()).reshape(self.batch * sites, -1)
        if self.padded > self.batch:
            reals = torch.cat([reals, reals[-sites:].repeat(self.padded - self.batch, 1)])
        return reals[self._source].transpose(1, 2).contiguous()

    def leave(self, field):
        """The canonical complex form of a tensor of the kernels."""
        n = self.nc if field.shape[1] > 2 else 0
        flat = field.new_empty((self.padded * self.lattice.volume, field.shape[1]))
        flat = flat.index_copy(0, self._source.reshape(-1), field.transpose(1, 2).reshape(len(flat), -1))
        flat = flat[: self.batch * self.lattice.volume]
        return torch.view_as_complex(flat.reshape(self.batch, *self.lattice.shape[::-1], *(n, n) * (n > 0), 2))

    def site_sum(self, number):
        """Real parts of a field of complex numbers, summed over sites, (batch,)."""
        groups = torch.from_numpy(self.layout.group_of_item)
        total = number.new_zeros(self.layout.replica_groups, self.layout.lanes).index_add(0, groups, number[:, 0])
        return total.reshape(-1)[: self.batch]

    # ---- operations

    def product(self, a, b, at_a=None, at_b=None, adjoint_a=False, adjoint_b=False):
        """op(a(x + at_a)) op(b(x + at_b)), matrices or numbers."""
        return _Product.apply(a, b, self, *self._places(at_a, at_b), adjoint_a, adjoint_b)

    def trace(self, a, b, at_a=None, at_b=None, adjoint_a=False, adjoint_b=False):
        """tr op(a(x + at_a)) op(b(x + at_b)), a field of numbers."""
        return _Trace.apply(a, b, self, *self._places(at_a, at_b), adjoint_a, adjoint_b)

    def exponential(self, x, u):
        """exp(x) u for x in the algebra."""
        return _Exponential.apply(x, u, self)

    def project(self, m, weight=1.0):
        """weight [m], [m] = (m - m^dag)/2 without its trace (U(1): i Im m)."""
        return _Projection.apply(m, self, weight)

    def _places(self, *places):
        zero = (0,) * self.lattice.ndim
        return [zero if place is None else tuple(place) for place in places]

    def run(self, name, reals, fields, displacements=(), scalar=None, nc=None):
        """Launch a site function of kernels/matrix_fields.h on tensors; returns its output (items, reals, lanes)."""
        fields = [field.contiguous() for field in fields]
        out = torch.empty((len(fields[0]), reals, fields[0].shape[2]), dtype=self.dtype, device=fields[0].device)
        function, arguments, address = self._program(name, displacements, scalar and scalar[0], nc or self.nc)
        for view, field in zip(("first", "second", "third"), fields):
            getattr(arguments, view).data = field.data_ptr()
        arguments.out.data = out.data_ptr()
        if scalar:
            setattr(arguments, *scalar)
        function(address, 0, self.layout.items, self.padded)
        return out

    def _program(self, name, displacements, scalar, nc):
        key = (name, displacements, nc)
        if key not in self._programs:
            program = program_of(name, scalar, nc, self._real, self.layout.lanes, self.layout.group)
            arguments = program.arguments()
            self._bind(arguments, displacements)
            self._programs[key] = device.load(program), arguments, ctypes.addressof(arguments)
        return self._programs[key]

    def _bind(self, arguments, displacements):
        neighbours = self.layout.neighbours(displacements)
        arguments.neighbours, arguments.displacements = device.table(neighbours), neighbours.shape[1]
        arguments.first_ghost = self.layout.first_ghost
        arguments.permutations = device.table(self._permutations)
        arguments.threads = self.lattice.threads

    @cached_property
    def _permutations(self):
        return aligned(self.layout.permutations(self._shuffles))


def program_of(name, scalar, nc, real, lanes, group):
    """The kernel instance of an operation; `scalar` is the name of its number, or None."""
    views = (*("first", "second", "third")[: FIELDS.get(name, 2)], "out")
    scalars = ((scalar, {"adjoints": "i64", "weight": "double"}[scalar]),) if scalar else ()
    return Program("matrix_fields.h", name, (nc,), real, lanes, group, False, views, (), scalars, 0)


def operations(nc, precision, lanes, group):
    """All kernel instances for a group."""
    real = {"double": "double", "single": "float"}[precision]
    listed = [("product", "adjoints", 1), ("product", "adjoints", nc), ("trace_product", "adjoints", nc)]
    listed += [("scaled", "adjoints", nc), ("algebra_part", "weight", nc), ("exponential_product", "weight", nc)]
    listed += [("exponential_gradient", None, nc)]
    return [program_of(name, scalar, n, real, lanes, group) for name, scalar, n in listed]


def _minus(a, b=None):
    return tuple(-x for x in a) if b is None else tuple(x - y for x, y in zip(a, b))


class _Product(torch.autograd.Function):
    """c(x) = op(a(x + p)) op(b(x + q)); the gradients are products with the gradient of c."""

    @staticmethod
    def forward(ctx, a, b, frame, p, q, adjoint_a, adjoint_b):
        ctx.save_for_backward(a, b)
        ctx.frame, ctx.p, ctx.q, ctx.adjoints = frame, p, q, (adjoint_a, adjoint_b)
        nc = 1 if a.shape[1] == 2 else frame.nc
        return frame.run("product", a.shape[1], (a, b), (p, q), ("adjoints", adjoint_a + 2 * adjoint_b), nc)

    @staticmethod
    def backward(ctx, g):
        (a, b), frame, p, q, (adjoint_a, adjoint_b) = ctx.saved_tensors, ctx.frame, ctx.p, ctx.q, ctx.adjoints
        grad_a = grad_b = None
        if ctx.needs_input_grad[0] and not adjoint_a:  # g op(b)^dag
            grad_a = frame.product(g, b, _minus(p), _minus(q, p), False, not adjoint_b)
        elif ctx.needs_input_grad[0]:  # op(b) g^dag
            grad_a = frame.product(b, g, _minus(q, p), _minus(p), adjoint_b, True)
        if ctx.needs_input_grad[1] and not adjoint_b:  # op(a)^dag g
            grad_b = frame.product(a, g, _minus(p, q), _minus(q), not adjoint_a, False)
        elif ctx.needs_input_grad[1]:  # g^dag op(a)
            grad_b = frame.product(g, a, _minus(q), _minus(p, q), True, adjoint_a)
        return grad_a, grad_b, None, None, None, None, None


class _Trace(torch.autograd.Function):
    """t(x) = tr op(a(x + p)) op(b(x + q))."""

    @staticmethod
    def forward(ctx, a, b, frame, p, q, adjoint_a, adjoint_b):
        ctx.save_for_backward(a, b)
        ctx.frame, ctx.p, ctx.q, ctx.adjoints = frame, p, q, (adjoint_a, adjoint_b)
        return frame.run("trace_product", 2, (a, b), (p, q), ("adjoints", adjoint_a + 2 * adjoint_b))

    @staticmethod
    def backward(ctx, g):
        (a, b), frame, p, q, (adjoint_a, adjoint_b) = ctx.saved_tensors, ctx.frame, ctx.p, ctx.q, ctx.adjoints
        grad_a = grad_b = None
        if ctx.needs_input_grad[0]:  # g op(b)^dag, or its adjoint
            grad_a = _Scaled.apply(g, b, frame, _minus(p), _minus(q, p), adjoint_a, adjoint_b == adjoint_a)
        if ctx.needs_input_grad[1]:
            grad_b = _Scaled.apply(g, a, frame, _minus(q), _minus(p, q), adjoint_b, adjoint_a == adjoint_b)
        return grad_a, grad_b, None, None, None, None, None


class _Scaled(torch.autograd.Function):
    """m(x) = s(x + p) op(a(x + q)), s conjugated on demand."""

    @staticmethod
    def forward(ctx, s, a, frame, p, q, conjugate, adjoint):
        ctx.save_for_backward(s, a)
        ctx.frame, ctx.p, ctx.q, ctx.flags = frame, p, q, (conjugate, adjoint)
        return frame.run("scaled", a.shape[1], (s, a), (p, q), ("adjoints", conjugate + 2 * adjoint))

    @staticmethod
    def backward(ctx, g):
        (s, a), frame, p, q, (conjugate, adjoint) = ctx.saved_tensors, ctx.frame, ctx.p, ctx.q, ctx.flags
        grad_s = grad_a = None
        if ctx.needs_input_grad[0] and not conjugate:  # tr op(a)^dag g
            grad_s = frame.trace(a, g, _minus(q, p), _minus(p), not adjoint, False)
        elif ctx.needs_input_grad[0]:  # tr g^dag op(a)
            grad_s = frame.trace(g, a, _minus(p), _minus(q, p), True, adjoint)
        if ctx.needs_input_grad[1]:  # s^* g, or its adjoint
            grad_a = _Scaled.apply(s, g, frame, _minus(p, q), _minus(q), conjugate == adjoint, adjoint)
        return grad_s, grad_a, None, None, None, None, None


class _Projection(torch.autograd.Function):
    """weight [m]; [.] is a symmetric projection."""

    @staticmethod
    def forward(ctx, m, frame, weight):
        ctx.frame, ctx.weight = frame, weight
        return frame.run("algebra_part", m.shape[1], (m,), (), ("weight", float(weight)))

    @staticmethod
    def backward(ctx, g):
        return _Projection.apply(g, ctx.frame, ctx.weight), None, None


class _Exponential(torch.autograd.Function):
    """exp(x) u; differentiable once."""

    @staticmethod
    def forward(ctx, x, u, frame):
        ctx.save_for_backward(x, u)
        ctx.frame = frame
        return frame.run("exponential_product", x.shape[1], (x, u), (), ("weight", 1.0))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        (x, u), frame = ctx.saved_tensors, ctx.frame
        grad_x = grad_u = None
        if ctx.needs_input_grad[0]:
            grad_x = frame.run("exponential_gradient", x.shape[1], (x, u, g))
        if ctx.needs_input_grad[1]:
            grad_u = frame.run("exponential_product", x.shape[1], (x, g), (), ("weight", -1.0))
        return grad_x, grad_u, None
