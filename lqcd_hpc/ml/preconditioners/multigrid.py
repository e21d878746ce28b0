"""The full preconditioner: a coarse correction by near-null vectors, then a learned smoother (arXiv:2302.05419)."""

from __future__ import annotations

import torch
from pydantic import model_validator

from ...description import description
from ...fields.launch import Sequence
from ...fields.numbers import Numbers
from ...operators.finish import Finish
from ...solvers.multigrid import Multigrid as Classical
from .coarse import Coarse
from .lesson import Lesson
from .polynomial import Polynomial
from .smoother import Smoother


@description
class Multigrid:
    """M r = u + S (r - D u) with the coarse correction u = P (P^dag D P)^-1 P^dag r and a learned S.

    smoother : S, which learns on the errors v - u that the coarse correction leaves: |S D e - e|^2, e = v - P .. D v
    solver : the adaptive multigrid whose near-null vectors, coarse operators and coarse solvers serve (two levels, or
    three with two entries of `blocks`); its own smoother is used in its setup only
    coarse : instead, a learned model of (P^dag D P)^-1 (coarse.py); all then belongs to one gauge field

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.unit(Lattice((8, 8)), "U(1)"))
    >>> levels = Classical(blocks=[[4, 4]], vectors=4)
    >>> network = Multigrid(solver=levels, smoother=Smoother(features=(1, 1, 1))).on(D)
    >>> sum(p.numel() for p in network.parameters())
    80
    """

    smoother: Smoother | Polynomial
    solver: Classical | None = None
    coarse: Coarse | None = None

    @model_validator(mode="after")
    def _sound(self):
        if (self.solver is None) == (self.coarse is None):
            raise ValueError("give solver = {...} for classical coarse levels, or coarse = {...} for a learned model")
        return self

    def on(self, D):
        """The network for operators like D."""
        return MultigridNetwork(self, D)


class MultigridNetwork(torch.nn.Module):
    """The smoother of a `Multigrid`, a coarse model if it has one, and the levels on a gauge field."""

    def __init__(self, description, D):
        super().__init__()
        self.description = description
        self.smoother = description.smoother.on(D)
        self.coarse = description.coarse.on(D) if description.coarse else None

    def level(self, D):
        """The finest level for D, kept with its gauge field: its operator `A` is D on a lattice that holds blocks."""
        return self.coarse.level(D) if self.coarse else self.description.solver.on(D).level

    def correction(self, D):
        """u = P (P^dag D P)^-1 P^dag r of vectors of the level's operator, by (r, u)."""
        level = self.level(D)
        return Correction(level, self.coarse.solver(level.coarse) if self.coarse else level.solver)

    def lessons(self, D):
        """What is to be learnt on D."""
        own = Lesson(self.smoother, self.level(D).A, self.correction(D).apply)
        return [*(self.coarse.lessons(D) if self.coarse else ()), own]

    def kernels(self, D):
        """M by kernels, with the weights as they are now."""
        return Cycle(self.level(D).A, self.correction(D), self.smoother.kernels(self.level(D).A))

    def identity(self, D):
        """What the weights belong to."""
        return self.coarse.identity(D) if self.coarse else {}

    def check(self, D, origin):
        """Raises `LqcdError` if the coarse model does not fit."""
        if self.coarse:
            self.coarse.check(D, origin)


class Correction:
    """u = P (P^dag D P)^-1 P^dag r, the inverse by a solver on the coarse lattice."""

    def __init__(self, level, solver):
        self.level, self.solver, self._made = level, solver, {}

    def apply(self, r, u):
        """Set u, for vectors of the level's operator."""
        key = id(r), id(u)
        if key not in self._made:
            transfer = self.level.transfer
            source, result = (transfer.coarse_vector(r.copies) for _ in range(2))
            launches = transfer.restrict(r, source), transfer.prolong(result, u)
            self._made = {key: (r, u, source, result, *launches)}
        *_, source, result, restrict, prolong = self._made[key]
        restrict()
        self.solver.apply(source, result)
        prolong()


class Cycle:
    """z = u + S (r - D u)."""

    def __init__(self, A, correction, smoother):
        self.A, self.smoother, self.correction = A, smoother, correction
        self._made = {}

    def apply(self, r, z):
        """z = M r for vectors like those of D in any precision."""
        if r.copies not in self._made:
            self._made[r.copies] = self._prepared(r.copies)
        own, u, left, out, smoothing = self._made[r.copies]
        own.assign(r)
        self.correction.apply(own, u)
        left.assign(own)
        smoothing()
        z.assign(out)

    def _prepared(self, copies):
        A = self.A
        own, u, left, out = (A.vector(copies) for _ in range(4))
        one = Numbers(A.lattice, copies, 1)
        one.write(0, 1.0)
        residual = A.launches(u, left, finish=Finish(residual=left), numbers=one)
        smoothing = self.smoother.launches(left, out, finish=Finish(left=u, shift=1.0))
        return own, u, left, out, Sequence([*residual, *smoothing])
