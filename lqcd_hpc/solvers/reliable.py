"""Conjugate gradients with reliable updates (Sleijpen and van der Vorst, Computing 56 (1996) 141).

x and the true residual are kept in the precision of A; the iteration runs in that precision or a lower one. Whenever
its residual has fallen far enough, x is added up and the residual replaced by the true one; the search direction stays.
"""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from .conjugate_gradient import COUNT, CURVATURE, HISTORY, RESIDUAL, ConjugateGradient
from .progress import Progress
from .solver import checked_tolerance

LOST = 1e6  # times the |r|^2 of the start


def reliable_iterations(solver, A, system, residual):
    """Solve with A until `residual(r)` is at most the tolerance for every right-hand side and replica.

    residual(r) : r = (right-hand side) - A x from system.x; returns the relative residual of what was asked for
    """
    tol, name = checked_tolerance(solver.tol), type(solver).__name__
    r = A.vector(system.b.copies)
    relative, progress = residual(r), Progress(name, A.lattice)
    inner, stage, stalls = A.to(solver.precision or A.precision), None, 0
    while (relative > tol).any():
        limit = solver.max_iterations - system.iterations
        if limit <= 0:
            system.give_up("the limit of iterations is reached", relative)
        norms = system.vectors.norm2(r)
        stage = stage or _Stage(inner, A, system, r, limit)
        targets = norms * np.square(np.minimum(tol / np.maximum(relative, 1e-300), 1) * (0.5 if stage.begun else 1))
        if inner is not A:
            targets = np.maximum(targets, norms * solver.reliable**2)
        stage.run(norms, targets, relative, lambda done, estimate: progress(done, estimate, tol))
        before, relative = relative, residual(r)
        # of a normal equation either residual may fall while the other one waits
        after = system.vectors.norm2(r)
        stuck = (relative > 0.5 * before) & (after > 0.25 * norms)
        if inner is not A and ((relative > before) & (after > norms)).any():
            stage.undo()
            relative = residual(r)
        if stage.indefinite:
            raise LqcdError(f"{name}: <p, A p> <= 0, so {A!r} is not positive: use NormalCG")
        waiting = relative > tol
        stalls = stalls + 1 if stuck[waiting].any() else 0
        if stalls and inner is not A:
            inner, stage, stalls = A, None, 0
        elif stalls > 2:
            system.give_up(f"{A.precision} precision does not reach tol = {tol:g}", relative)
    return system.solution(relative)


class _Stage:
    """Conjugate gradients in one precision, and its way back to x in the precision of A."""

    def __init__(self, inner, A, system, r, limit):
        self._system, self._r, self._same = system, r, inner is A
        copies = system.b.copies
        own = (system.x, r) if self._same else (inner.vector(copies), inner.vector(copies))
        self._cg = ConjugateGradient(inner, *own, limit)
        self._correction = None if self._same else A.vector(copies)
        self._counted, self.begun, self.indefinite = 0, False, False

    def run(self, norms, targets, relative, report):
        """Iterate from the residual r until its square is at most `targets`, and add what was found to x."""
        cg, system = self._cg, self._system
        if not self._same:
            cg.r.assign(self._r)
            with cg.x.writing() as data:
                data[...] = 0
        # a direction that belongs to another residual than the true one would lead astray
        follows = self.begun and (norms <= 4 * self._recursion).all()
        (cg.go_on if follows else cg.begin)(norms, targets)
        self.begun = True
        scale = relative / np.sqrt(np.where(norms > 0, norms, 1))
        start = system.iterations - self._counted

        def see(values):
            estimate = (np.sqrt(values[RESIDUAL]) * scale).max()
            report(start + int(values[COUNT].max()), float(estimate))
            return self._lost(values, norms)

        values = cg.run(see)
        count = int(values[COUNT].max())
        rows = np.sqrt(values[HISTORY + 1 + self._counted : HISTORY + 1 + count]) * scale
        system.history += rows.max(axis=(1, 2)).tolist()
        system.iterations += count - self._counted
        self._counted, self._recursion = count, values[RESIDUAL]
        self.indefinite = bool((values[CURVATURE] < 0).any())
        if not self._same and not self._lost(values, norms):
            self._correction.assign(cg.x)
            system.vectors.accumulate(system.x, 1, self._correction)

    def undo(self):
        """Take back from x what the last run has added."""
        self._system.vectors.accumulate(self._system.x, -1, self._correction)

    def _lost(self, values, norms):
        """Whether a lower precision cannot resolve the smallest eigenvalues: the residual has left its scale."""
        return not self._same and not (values[RESIDUAL] <= LOST * np.maximum(norms, 1e-300)).all()
