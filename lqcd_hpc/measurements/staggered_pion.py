"""The Goldstone pion of staggered quarks."""

from __future__ import annotations

import numpy as np

from ..description import description
from ..errors import LqcdError
from ..fields.launch import Kernel, in_
from .quarks import Described, Quark, time_slices


@description
class StaggeredPion:
    """C(t) = sum_x |S(x, t)|^2 over colours of sink and source, at zero momentum; t counts from the source.

    Columns: time, pion, residual and iterations of the solver. Raises `LqcdError` for operators with spin.
    """

    operator: Described
    solver: Described
    source: Described

    def on(self, U):
        """The measurement on the gauge field U."""
        quark = Quark(self.operator, self.solver, self.source, U)
        if quark.has_spin:
            raise LqcdError('staggered_pion needs operator = { kind = "staggered", ... }: for spinors take spectrum')
        nc = U.kind.nc
        kernel = Kernel("hadrons.h", "square", (nc, nc), (in_("S"),), sums=("pion",))

        def measure():
            S = quark.propagator()
            row = time_slices(kernel, S=S.field)["pion"]
            columns = {"time": np.arange(U.lattice.shape[-1]), "pion": quark.from_source(row)}
            return columns | {"residual": S.residual, "iterations": S.iterations}

        return measure
