"""Even-odd preconditioning of any solver."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from ..description import description
from ..operators.schur import SchurOperator
from .solver import Solver, System


@description
class Schur(Solver):
    """D x = b by a solver on the even sites (operators/schur.py); odd sites follow exactly.

    The tolerance is that of the full system: the even one is solved again, from where it stood, if it was not enough.
    Raises what the inner solver raises.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> from lqcd_hpc.solvers.normal import NormalCG
    >>> D = Wilson(mass=0.5, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> Schur(NormalCG(tol=1e-10))(D, D.vector().from_numpy(1 + D.vector().to_numpy())).residual < 1e-10
    True
    """

    inner: Solver
    form: Literal["asymmetric", "symmetric"] = "symmetric"

    def __call__(self, D, b, guess=None):
        system = System(D, b, guess)
        S = SchurOperator(D, self.form)
        source = S.source(b, D.vector(b.copies))
        system.check_finite(system.vectors.norm2(source))
        r, tol, relative = D.vector(b.copies), self.inner.tol, None
        tried, even = tol, guess
        while True:
            solution = self._even(S, source, even, tried)
            system.iterations += solution.iterations
            system.history += solution.history
            system.x.assign(S.full_solution(solution.x, b))
            before, relative = relative, system.residual(r)
            if (relative <= tol).all():
                return system.solution(relative)
            waiting = relative > tol
            if before is not None and (relative[waiting] > 0.5 * before[waiting]).any():
                system.give_up(f"{D.precision} precision does not reach tol = {tol:g}", relative)
            reached = min(tried, solution.residual or tried)
            tried, even = 0.5 * reached * float(np.min(tol / relative[waiting])), solution.x

    def _even(self, S, source, guess, tol):
        return replace(self.inner, tol=tol)(S, source, guess)
