"""A few steps of minimal residuals with all their products at once, the smoother of multigrid.

z = sum_{j<m} c_j A^j r with |r - A z| smallest: m steps of GCR (or GMRES) from z = 0 with one global sum, for every
right-hand side by itself. Operators with an even-odd form are relaxed on their even sites, the odd ones follow exactly;
the residual that is left comes with it (zero on the odd sites).
"""

from __future__ import annotations

import numpy as np

from ..fields.launch import Kernel, Sequence, in_, prepare
from ..fields.linalg import superposition
from ..fields.numbers import Numbers
from ..operators.finish import per_copy
from ..operators.schur import EVEN, even_odd_form

ROUNDING = 1e-7
MOST = 8  # steps that kernels/linalg.h has vectors for


class Relaxation:
    """`Relaxation(A, r, z, left, steps)()` sets z and left = r - A z, vectors of A.

    A Wilson or clover operator with even extents is relaxed on even sites.
    """

    def __init__(self, A, r, z, left, steps):
        self.A, self.steps, copies = A, steps, r.copies
        S = even_odd_form(A)
        self.even_odd = S is not A
        self.domain = S.domain
        self.numbers = Numbers(A.lattice, copies, 4 * steps + 2)
        self.numbers.write(2 * steps, 1)
        powers = [A.vector(copies) for _ in range(steps + 1)]
        products = [launch for v, w in zip(powers, powers[1:]) for launch in S.launches(v, w)]
        gathered = left if not self.even_odd else A.vector(copies)
        last = [self._superpose(powers[:-1], z, 0), self._superpose(powers, gathered, 2 * steps)]
        if self.even_odd:
            first = S.source_launches(r, powers[0])
            last += S.full_launches(z, r) + [A.on_sites(A.site_term(), gathered, left, EVEN)]
        else:
            first = [self._copy(r, powers[0])]
        self.gram = self._gram(powers)
        self.first, self.last = Sequence(first + products), Sequence(last)

    def __call__(self):
        self.first()
        coefficients = self._coefficients(self.gram())
        values = np.concatenate([coefficients, np.ones_like(coefficients[:1]), -coefficients])
        self.numbers.write_all(np.stack([values.real, values.imag], axis=1).reshape(-1, *values.shape[1:]))
        self.last()

    def _coefficients(self, sums):
        """c_j (steps, copies, replicas) of the normal equations sum_j <v_i, v_j> c_j = <v_i, v_0>."""
        m, copies = self.steps, self.numbers.copies
        values = np.array(list(sums.values())).reshape(-1, 2, copies, self.A.lattice.replicas)
        products = values[:, 0] + 1j * values[:, 1]
        matrix, rhs = np.zeros((m, m, *products.shape[1:]), complex), np.zeros((m, *products.shape[1:]), complex)
        row = 0
        for i in range(m):
            rhs[i], lower = products[row], products[row + 1 : row + 2 + i]
            matrix[i, : i + 1], matrix[: i + 1, i] = lower, lower.conj()
            matrix[i, i] = lower[-1].real
            row += i + 2
        # columns of length one, and a shift that decides where rounding would
        length = np.sqrt(np.maximum(np.einsum("iicr->icr", matrix).real, 1e-300))
        scaled = np.moveaxis(matrix / (length[:, None] * length[None]), (0, 1), (-2, -1))
        target = np.moveaxis(rhs / length, 0, -1)
        found = np.linalg.solve(scaled + ROUNDING * np.eye(m), target[..., None])[..., 0]
        return np.moveaxis(found, -1, 0) / length

    def _gram(self, vectors):
        count, copies = len(vectors), vectors[0].copies
        names = [f"{part}_{i}_{j}_" for i in range(1, count) for j in range(i + 1) for part in ("re", "im")]
        arguments = tuple(in_(f"v{k}") for k in range(count))
        constants = (vectors[0].kind.reals // 2, copies, count)
        kernel = Kernel("linalg.h", "gram", constants, arguments, sums=per_copy(names, copies))
        return prepare(kernel, self.domain, **{f"v{k}": v for k, v in enumerate(vectors)})

    def _superpose(self, vectors, target, first):
        return superposition(vectors, target, self.numbers, first, self.domain)

    def _copy(self, source, target):
        """The launch of target = source (number 2 steps is 1)."""
        return self._superpose([source], target, 2 * self.steps)
