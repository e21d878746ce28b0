"""Orthonormal combinations of the copies of a field on the whole lattice."""

from __future__ import annotations

import numpy as np

from .launch import Kernel, in_, prepare
from .linalg import mix_copies

DEPENDENT = 1e-10  # eigenvalues of the products, relative to the largest, below which a combination is no direction


def orthonormalise(source, target):
    """target_c = sum_d z_cd source_d with <target_c, target_d> = delta_cd: principal axes of the span, shortest first.

    Combinations that rounding decides (copies that depend on the others) become zero. Exact sums: the same bits on
    every process grid. For lattices without replicas.

    >>> from lqcd_hpc import Field, Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> a = Field(Lattice((2, 2)), kinds.colour_vectors(1), copies=2)
    >>> values = np.array([[1, 0, 0, 1], [0, 0, 0, 3j]]).reshape(2, 2, 2, 1)
    >>> orthonormalise(a.from_numpy(values), a.like()).to_numpy().shape
    (2, 2, 2, 1)
    """
    products = _products(source)
    size, modes = np.linalg.eigh(products)
    kept = np.where(size > DEPENDENT * size[-1], size, np.inf)
    mix_copies(source, target, (modes / np.sqrt(kept)).T)
    return target


def _products(source):
    """<v_c, v_d> of all copies."""
    count = source.copies
    rows, columns = np.tril_indices(count)
    names = tuple(f"{part}_{c}_{d}" for c, d in zip(rows, columns) for part in ("re", "im"))
    kernel = Kernel("linalg.h", "gram_of_copies", (source.kind.reals // 2, count), (in_("in"),), sums=names)
    values = np.array(list(prepare(kernel, **{"in": source})().values())).reshape(-1, 2)
    products = np.zeros((count, count), complex)
    products[rows, columns] = values[:, 0] + 1j * values[:, 1]
    products[columns, rows] = values[:, 0] - 1j * values[:, 1]
    return products
