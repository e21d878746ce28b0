r"""Convolutions that transport along paths: the linear layers of gauge-equivariant networks (arXiv:2302.05419).

    out_a(x) = sum_p sum_b W_p^{ab} V_p(x) psi_b(x + d_p)

W are matrices on spin, the same on all sites ("parallel-transport convolution") or of every site ("local" one).
Features a, b are copies of a field: copy = feature * R + right-hand side for R right-hand sides.
"""

from __future__ import annotations

import numpy as np

from ..backend import device
from ..errors import LqcdError
from ..fields import kinds
from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, in_, out, prepare
from .finish import STORE
from .operator import LinearOperator

EVERYWHERE, OF_SITE, OF_NEIGHBOUR = range(3)  # kernels/path_convolution.h
SUMS = 512  # of one launch: what stays in the cache of a core


class PathConvolution(LinearOperator):
    """The convolution of a `Transport` on the gauge field U with spin matrices `weights`.

    weights : complex (paths, out, in, spins, spins); or a field of `weight_kind`, in the precision of the operator, for
    matrices of every site (then `features` = (out, in) is given). `set_weights` changes the former in place.

    Raises `LqcdError` for weights of another shape, and if phases or paths do not fit the lattice.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.path_links import Transport
    >>> there = Transport(paths=("+x",), boundary=(1, -1))
    >>> hop = PathConvolution(there, gauge.unit(Lattice((4, 4)), "U(1)"), np.eye(2).reshape(1, 1, 1, 2, 2))
    >>> psi = hop.vector().from_numpy(np.ones((4, 4, 2, 1)))
    >>> np.allclose(hop.adjoint(hop.apply(psi)).to_numpy(), 1)
    True
    """

    def __init__(self, transport, U, weights, precision=None, features=None):
        self.transport, self.U, self.lattice = transport, U, U.lattice
        self.precision = precision or U.precision
        self.kind = kinds.spinors(U.kind.nc, U.lattice.ndim)
        self.spins = self.kind.shape[0]
        if len(transport.boundary) != U.lattice.ndim:
            raise LqcdError(f"boundary = {list(transport.boundary)}: give one number for each of {U.lattice.ndim}")
        self.local = isinstance(weights, Field)
        self.features = tuple(features or np.shape(weights)[1:3])
        self._order, self._back = transport.reversed
        self._inverse_order = np.argsort(self._order)
        if self.local:
            self.weights = weights
            self._check_local()
        else:
            size = int(np.prod(self.shape))
            self._tables = [device.zeros((2 * size,), self._real) for _ in range(2)]
            self.set_weights(weights)

    @property
    def shape(self):
        """(paths, out, in, spins, spins)."""
        return (len(self.transport.paths), *self.features, self.spins, self.spins)

    @property
    def _real(self):
        return np.float64 if self.precision == "double" else np.float32

    def set_weights(self, weights):
        """Take other matrices; launches that are prepared already use them too."""
        weights = np.asarray(weights, complex)
        if weights.shape != self.shape:
            raise LqcdError(f"weights of shape {weights.shape}: (paths, out, in, spins, spins) is {self.shape} here")
        self.weights = weights
        turned = np.conj(weights[self._inverse_order]).transpose(0, 2, 1, 4, 3)
        for table, values in zip(self._tables, (weights, turned)):
            flat = np.ascontiguousarray(values).reshape(-1)
            device.write(table, np.stack([flat.real, flat.imag], 1).reshape(-1).astype(self._real))

    def _check_local(self):
        field, wanted = self.weights, weight_kind(self.shape)
        if field.kind != wanted or field.lattice is not self.lattice or field.precision != self.precision:
            raise LqcdError(
                f"weights of every site are {wanted.name} of shape {wanted.shape} in {self.precision}, not {field!r}"
            )

    def _after(self, copies, dagger):
        """Copies of the result for these of the source. Raises `LqcdError` if they are no multiple of the features."""
        outputs, inputs = self.features[::-1] if dagger else self.features
        if copies % inputs:
            raise LqcdError(f"{copies} copies are not a multiple of the {inputs} features that this layer reads")
        return copies // inputs * outputs

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        return [self.launch(psi, out, dagger, finish, numbers)]

    def launch(self, psi, out, dagger=False, finish=STORE, numbers=None):
        """The launch of out = A psi; A^dag transports back along every path, with W^dag."""
        outputs, inputs = self.features[::-1] if dagger else self.features
        rhs = psi.copies // inputs
        transport, where = (self._back if dagger else self.transport), EVERYWHERE
        reach = transport.displacements
        arguments, fields, tables, arrays = [in_("psi", reach)], {"psi": psi}, [("stored", "int")], {}
        links = transport.links(self.U, self.precision)
        if links is not None:
            arguments.append(in_("links"))
            fields["links"] = links
        if self.local:
            where = OF_NEIGHBOUR if dagger else OF_SITE
            arguments.append(in_("weights", reach if dagger else ()))
            fields["weights"] = self.weights
            tables += [("backwards", "int")] if dagger else []
        else:
            tables.append(("weights", "double" if self.precision == "double" else "float"))
            arrays["weights"] = self._tables[int(dagger)]
        constants = (*self.sizes(transport, links), inputs, outputs, rhs, where, finish.flags)
        kernel = Kernel(
            "path_convolution.h", "path_convolution", constants, (*arguments, *finish.arguments), reach, finish.scalars,
            tuple(tables), finish.sums(outputs * rhs),
        )  # fmt: skip
        fields |= finish.fields(out)
        ways = {"stored": _numbers(transport), "backwards": self._inverse_order.astype(np.int32)}
        return prepare(kernel, self.domain, ways, numbers, arrays=arrays, **fields).set(**finish.values)

    def sizes(self, transport, links):
        """Template arguments: spins, colours, paths, paths with links."""
        stored = 0 if links is None else links.kind.shape[0]
        return self.spins, self.U.kind.nc, len(transport.paths), stored

    def apply(self, psi, out=None, dagger=False):
        self.check(psi)
        copies = self._after(psi.copies, dagger)
        out = self.vector(copies) if out is None else out
        return super().apply(psi, out, dagger)

    def copies_after(self, copies, dagger):
        return self._after(copies, dagger)

    def gradient(self, psi, slope, gradient=None):
        """`weight_gradient` prepared for these fields: call it again when they have changed."""
        return WeightGradient(self, psi, slope, gradient)

    def weight_gradient(self, psi, slope):
        """G_p^{ab} = sum_x slope_a(x) (T_p psi_b(x))^dag over colours and right-hand sides, as (paths, out, in, S, S).

        It is dF/dRe W + i dF/dIm W of a real F with the gradient `slope` with respect to out = A psi. Terms are rounded
        to 2^-51 of |slope| |psi|, their sums exact: the same on every rank, for any number of ranks. For matrices of
        every site the result is a field of them, not summed.
        """
        return self.gradient(psi, slope)()

    def to(self, precision):
        if precision == self.precision:
            return self
        weights = self.weights
        if self.local:
            weights = Field(self.lattice, weights.kind, precision)
            weights.assign(self.weights)
        return PathConvolution(self.transport, self.U, weights, precision, self.features)

    def __repr__(self):
        outputs, inputs = self.features
        return f"PathConvolution({self.transport!r}, {inputs} -> {outputs} features) on {self.lattice!r}"


class WeightGradient:
    """The gradient with respect to the spin matrices of a convolution, for fields psi (its source) and slope."""

    def __init__(self, convolution, psi, slope, gradient=None):
        self.convolution = A = convolution
        outputs, inputs = A.features
        size, paths = 2 * outputs * inputs * A.spins**2, len(A.transport.paths)
        self._together = paths if A.local else max(1, min(paths, SUMS // size))
        reach, links = A.transport.displacements, A.transport.links(A.U, A.precision)
        arguments, fields = [in_("psi", reach), in_("slope")], {"psi": psi, "slope": slope}
        if links is not None:
            arguments.append(in_("links"))
            fields["links"] = links
        self.field = (gradient or A.weights.like()) if A.local else None
        if A.local:
            arguments.append(out("gradient"))
            fields["gradient"] = self.field
        constants = (*A.sizes(A.transport, links), inputs, outputs, psi.copies // inputs, self._together)
        kernel = Kernel(
            "path_convolution.h", "path_weight_gradient", (*constants, int(not A.local)), tuple(arguments), reach,
            (("first", "i64"), ("unit", "double")), (("stored", "int"),),
            () if A.local else tuple(f"g{k}" for k in range(self._together * size)),
        )  # fmt: skip
        self._launch = prepare(kernel, A.domain, {"stored": _numbers(A.transport)}, **fields)
        self._norms = [Norm(psi), Norm(slope)]

    def __call__(self):
        A = self.convolution
        if A.local:
            self._launch(first=0, unit=1.0)
            return self.field
        bound = float(np.prod([norm() for norm in self._norms]))
        if bound == 0 or not np.isfinite(bound):
            return np.full(A.shape, 0 if bound == 0 else np.nan, complex)
        unit = 2.0 ** (np.ceil(np.log2(bound)) - 51)
        firsts = range(0, A.shape[0], self._together)
        found = [np.fromiter(self._launch(first=first, unit=unit).values(), float) for first in firsts]
        whole = np.concatenate(found)[: 2 * int(np.prod(A.shape))]
        return (whole[0::2] + 1j * whole[1::2]).reshape(A.shape)


class Norm:
    """|psi| of all copies of a field together."""

    def __init__(self, psi):
        size = psi.kind.reals * psi.copies // 2
        self._launch = prepare(
            Kernel("linalg.h", "product", (size, 1), (in_("left"), in_("right")), sums=("re", "im", "norm")),
            left=psi,
            right=psi,
        )

    def __call__(self):
        return float(np.sqrt(self._launch()["norm"]))


def weight_kind(shape):
    """The kind of field that holds spin matrices of every site, shape (paths, out, in, spins, spins)."""
    return Kind("spin matrices", 1, tuple(shape), "complex", "scalar")


def _numbers(transport):
    """The number of every path among those with steps, -1 for the one without."""
    found, count = [], 0
    for path in transport.steps:
        found.append(count if path else -1)
        count += bool(path)
    return np.array(found, np.int32)
