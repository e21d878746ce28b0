"""Correlators of mesons and of the nucleon from one propagator."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields.launch import Kernel, in_
from .quarks import Described, Quark, require_spin, time_slices

LETTERS = "xyzt"


@description
class Spectrum:
    """Hadrons at zero momentum from one propagator S of `operator`, by `solver` from `source`; t counts from there.

    mesons : C(t) = - sum_x tr[Gamma S Gammabar gamma5 S^dag gamma5], Gammabar = gamma_t Gamma^dag gamma_t, for every
    product Gamma of gamma matrices: scalar (1), vector_x .. (gamma_x), tensor_xy .. (gamma_x gamma_y), axial_x ..
    (gamma5 gamma_x up to a phase), pseudoscalar (gamma5: sum |S|^2). On average all of them are positive for t > 0.
    With a twisted mass they are those of two different flavours.

    nucleon : tr[P N Nbar] of N = eps (u^T C gamma5 d) u with u = d and P = (1 + gamma_t)/2; SU(3) in four dimensions.

    Columns: time, one row per correlator, residual and iterations of the solver. Raises `LqcdError` for operators
    without spin, and a nucleon where there is none.
    """

    operator: Described
    solver: Described
    source: Described
    hadrons: tuple[Literal["mesons", "nucleon"], ...]

    def on(self, U):
        """The measurement on the gauge field U."""
        nc, ndim = U.kind.nc, U.lattice.ndim
        if "nucleon" in self.hadrons and (nc, ndim) != (3, 4):
            raise LqcdError('a nucleon needs three colours and four dimensions: take hadrons = ["mesons"]')
        if not self.hadrons:
            raise LqcdError('name the hadrons: hadrons = ["mesons", "nucleon"]')
        if "nucleon" in self.hadrons and getattr(self.operator, "mu", 0):
            raise LqcdError('a nucleon of twisted quarks needs both flavours: take hadrons = ["mesons"]')
        quark = Quark(self.operator, self.solver, self.source, U)
        require_spin(quark, "a spectrum")

        def measure():
            S = quark.propagator()
            columns = {"time": np.arange(U.lattice.shape[-1])}
            if "mesons" in self.hadrons:
                rows = time_slices(_mesons(nc, ndim), S=S.field)
                columns |= {name: quark.from_source(row) for name, row in rows.items()}
            if "nucleon" in self.hadrons:
                row = time_slices(_NUCLEON, S=S.field)["nucleon"]
                row[: quark.time] *= quark.boundary**3  # what has gone around the lattice
                columns["nucleon"] = quark.from_source(row)
            return columns | {"residual": S.residual, "iterations": S.iterations}

        return measure


def meson_names(ndim):
    """Names of the products of gamma matrices, gamma_x^a gamma_y^b .. at place a + 2 b + ..

    >>> meson_names(2)
    ('scalar', 'vector_x', 'vector_y', 'pseudoscalar')
    """
    names = []
    for product in range(2**ndim):
        letters = "".join(LETTERS[mu] for mu in range(ndim) if product >> mu & 1)
        missing = "".join(LETTERS[mu] for mu in range(ndim) if not product >> mu & 1)
        names.append(_meson_name(letters, missing))
    return tuple(names)


def _meson_name(letters, missing):
    if not missing:
        return "pseudoscalar"
    if len(letters) == 1:
        return f"vector_{letters}"
    if len(letters) == 3:
        return f"axial_{missing}"
    return f"tensor_{letters}" if letters else "scalar"


@cache
def _mesons(nc, ndim):
    return Kernel("hadrons.h", "mesons", (nc, ndim), (in_("S"),), sums=meson_names(ndim))


_NUCLEON = Kernel("hadrons.h", "nucleon", (), (in_("S"),), sums=("nucleon",))
