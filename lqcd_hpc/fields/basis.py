"""Several vectors of a Krylov space in one field: all products with another vector, or a combination, in one launch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .domain import EVERYWHERE
from .field import Field
from .launch import Kernel, in_, inout, prepare
from .numbers import Numbers


class Basis:
    """Room for `size` vectors like `example`. Coefficients have the shape (vectors, copies, replicas).

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> a = Field(Lattice((4, 4)), kinds.colour_vectors(1)).from_numpy(np.full((4, 4, 1), 1 + 1j))
    >>> basis = Basis(a, 3)
    >>> basis.keep(0, a), basis.keep(1, a, -2)
    (None, None)
    >>> basis.products(a, 2).real[:, 0, 0]
    array([ 32., -64.])
    """

    def __init__(self, example, size, domain=EVERYWHERE):
        self.size, self.copies, self.lattice, self.domain = size, example.copies, example.lattice, domain
        self._components = example.kind.reals // 2
        kind = replace(example.kind, name="basis", buffers=size, directions=True)
        self._field = Field(example.lattice, kind, example.precision, example.copies)
        self._numbers = Numbers(self.lattice, self.copies, 2 * size)
        self._launches = {}

    def keep(self, number, vector, factor=1):
        """Vector `number` of the basis = factor vector, with real factors (copies, replicas)."""
        self._numbers.write(0, factor)
        self._launch("keep", (), in_("in"), inout("basis"), ("number",), **{"in": vector})(number=number)

    def products(self, vector, count):
        """<v_j, vector> of the first `count` vectors."""
        names = tuple(f"{part}{j}_{c}" for j in range(self.size) for part in ("re", "im") for c in range(self.copies))
        sums = self._launch("project_on_all", names, in_("in"), in_("basis"), ("count",), **{"in": vector})(count=count)
        values = np.array(list(sums.values())).reshape(self.size, 2, self.copies, self.lattice.replicas)[:count]
        return values[:, 0] + 1j * values[:, 1]

    def accumulate(self, target, coefficients):
        """target += sum_j coefficients_j v_j; returns |target|^2."""
        values = np.zeros(self._numbers.values.shape)
        values[: 2 * len(coefficients) : 2] = coefficients.real
        values[1 : 2 * len(coefficients) : 2] = coefficients.imag
        self._numbers.write_all(values)
        names = tuple(f"norm{c}" for c in range(self.copies))
        launch = self._launch("accumulate_all", names, inout("out"), in_("basis"), ("count",), out=target)
        sums = launch(count=len(coefficients))
        return np.array(list(sums.values())).reshape(self.copies, self.lattice.replicas)

    def _launch(self, function, sums, vector, basis, scalars, **fields):
        key = (function, *(id(f) for f in fields.values()))
        if key not in self._launches:
            arguments = (vector, basis)
            kernel = Kernel(
                "linalg.h", function, (self._components, self.copies), arguments,
                scalars=tuple((name, "i64") for name in scalars), sums=sums,
            )  # fmt: skip
            launch = prepare(kernel, self.domain, numbers=self._numbers, basis=self._field, **fields)
            self._launches[key] = launch
        return self._launches[key]
