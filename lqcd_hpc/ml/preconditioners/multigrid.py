"""The full preconditioner: a coarse correction by near-null vectors, then a learned smoother (arXiv:2302.05419)."""

from __future__ import annotations

import torch

from ...description import description
from ...fields.launch import Sequence
from ...fields.numbers import Numbers
from ...operators.finish import Finish
from ...solvers.multigrid import Multigrid as Classical
from .smoother import Smoother


@description
class Multigrid:
    """M r = u + S (r - D u) with the coarse correction u = P (P^dag D P)^-1 P^dag r and a learned S.

    solver : the adaptive multigrid whose near-null vectors, coarse operators and coarse solvers serve (two levels, or
    three with two entries of `blocks`); its own smoother is used in its setup only
    smoother : S, which learns on the errors v - u that the coarse correction leaves: |S D e - e|^2, e = v - P .. D v

    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> levels = Classical(blocks=[[4, 4]], vectors=4)
    >>> network = Multigrid(solver=levels, smoother=Smoother(features=(1, 1, 1)))
    >>> sum(p.numel() for p in network.on(Wilson(mass=0.1, boundary=(1, -1)), 2).parameters())
    80
    """

    solver: Classical
    smoother: Smoother

    def on(self, operator, ndim):
        """The network for operators like this description of Wilson fermions."""
        return MultigridNetwork(self, operator, ndim)


class MultigridNetwork(torch.nn.Module):
    """The smoother of a `Multigrid`, and the levels below it on a gauge field."""

    def __init__(self, description, operator, ndim):
        super().__init__()
        self.description = description
        self.smoother = description.smoother.on(operator, ndim)

    def level(self, D):
        """The finest level for D, kept with its gauge field: its operator `A` is D on a lattice that holds blocks."""
        return self.description.solver.on(D).level

    def operator(self, D):
        """The operator on whose fields the network works."""
        return self.level(D).A

    def correction(self, D):
        """u = P (P^dag D P)^-1 P^dag r as a function of (r, u)."""
        return Correction(self.level(D)).apply

    def works(self, A, copies):
        """What `forward` needs on the gauge field of A = operator(D)."""
        return self.smoother.works(A, copies)

    def forward(self, x, works):
        """S x of slots."""
        return self.smoother(x, works)

    def kernels(self, D):
        """M by kernels, with the weights as they are now."""
        level = self.level(D)
        return Cycle(level, self.smoother.kernels(level.A))


class Correction:
    """u = P (P^dag D P)^-1 P^dag r."""

    def __init__(self, level):
        self.level, self._made = level, {}

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
        self.level.solver.apply(source, result)
        prolong()


class Cycle:
    """z = u + S (r - D u)."""

    def __init__(self, level, smoother):
        self.A, self.smoother, self.correction = level.A, smoother, Correction(level)
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
