"""Linear algebra of vectors on the sites of a domain: sums and products for every right-hand side and replica."""

from __future__ import annotations

import numpy as np

from .domain import EVERYWHERE
from .launch import Kernel, in_, inout, out, prepare
from .numbers import Numbers


class Vectors:
    """Products and linear combinations of vectors like `example`. Numbers are arrays of shape (copies, replicas).

    Launches are prepared once for every set of fields.

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> from lqcd_hpc.fields.field import Field
    >>> a = Field(Lattice((4, 4)), kinds.colour_vectors(1)).from_numpy(np.full((4, 4, 1), 1 + 1j))
    >>> Vectors(a).norm2(a)
    array([[32.]])
    """

    def __init__(self, example, domain=EVERYWHERE):
        self.lattice, self.copies, self.domain = example.lattice, example.copies, domain
        self._size = example.kind.reals // 2
        self._numbers = Numbers(self.lattice, self.copies, 4)
        self._launches = {}

    def inner(self, left, right):
        """<left, right> = sum conj(left) right."""
        sums = self._product(left, right)
        return sums[0] + 1j * sums[1]

    def norm2(self, a):
        """|a|^2."""
        return self._product(a, a)[2]

    def _product(self, left, right):
        launch = self._launch("product", ("re", "im", "norm"), None, left=left, right=right)
        return self._by_system(launch(), 3)

    def combine(self, target, a, first, b, second):
        """target = a first + b second; returns |target|^2."""
        self._set(0, a)
        self._set(2, b)
        return self._norm(self._launch("combine", ("norm",), "out", first=first, second=second, out=target))

    def accumulate(self, target, a, vector):
        """target += a vector; returns |target|^2."""
        self._set(0, a)
        return self._norm(self._launch("accumulate", ("norm",), "inout", **{"out": target, "in": vector}))

    def _set(self, name, value):
        value = np.asarray(value, complex)
        self._numbers.write(name, value.real)
        self._numbers.write(name + 1, value.imag)

    def _norm(self, launch):
        return self._by_system(launch(), 1)[0]

    def _by_system(self, sums, names):
        """Sums as returned by a launch, in an array (names, copies, replicas)."""
        return np.array([np.atleast_1d(v) for v in sums.values()]).reshape(names, self.copies, self.lattice.replicas)

    def _launch(self, function, sums, writes, **fields):
        key = (function, *(id(f) for f in fields.values()))
        if key not in self._launches:
            intent = {None: in_, "out": out, "inout": inout}
            arguments = tuple(intent[writes if name == "out" else None](name) for name in fields)
            names = tuple(f"{name}{copy}" for name in sums for copy in range(self.copies))
            kernel = Kernel("linalg.h", function, (self._size, self.copies), arguments, sums=names)
            numbers = self._numbers if writes else None
            self._launches[key] = prepare(kernel, self.domain, numbers=numbers, **fields)
        return self._launches[key]


def superposition(vectors, target, numbers, first, domain=EVERYWHERE):
    """The launch of target = sum_j z_j vectors[j], the complex z_j from number `first` on; at most nine vectors."""
    arguments = (*(in_(f"v{k}") for k in range(len(vectors))), out("out"))
    constants = (target.kind.reals // 2, target.copies, len(vectors))
    kernel = Kernel("linalg.h", "superpose", constants, arguments, scalars=(("first", "i64"),))
    named = {f"v{k}": v for k, v in enumerate(vectors)}
    return prepare(kernel, domain, numbers=numbers, out=target, **named).set(first=first)


def mix_copies(source, target, z):
    """Copy i of target = sum_j z[i, j] copy j of source, complex numbers z (copies, copies).

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> from lqcd_hpc.fields.field import Field
    >>> a = Field(Lattice((4, 4)), kinds.colour_vectors(1), copies=2)
    >>> b = a.like()
    >>> mix_copies(a.from_numpy(a.to_numpy() + 1), b, [[1, 1j], [0, 2]])
    >>> b.to_numpy()[:, 0, 0, 0].tolist()
    [(1+1j), (2+0j)]
    """
    z = np.asarray(z, complex)
    table = np.stack([z.real, z.imag], -1).reshape(-1)
    constants = (source.kind.reals // 2, source.copies)
    kernel = Kernel("linalg.h", "mix_copies", constants, (in_("in"), out("out")), tables=(("z", "double"),))
    prepare(kernel, tables={"z": table}, **{"in": source, "out": target})()
