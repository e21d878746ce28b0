"""A trained preconditioner as a value for flexible solvers."""

from __future__ import annotations

import numpy as np

from ...description import description
from ...errors import LqcdError
from ...solvers.solution import Solution
from ...solvers.solver import Solver
from ..preconditioners.models import load


class Trained(Solver):
    """z = M r of a network, by kernels; prepared once per gauge field, precision and number of right-hand sides."""

    def __init__(self, network):
        self.network = network

    def __call__(self, A, b, guess=None):
        key = ("preconditioner", id(self), A.precision)
        slot = A.U.shared(key, dict)
        if "kernels" not in slot or slot["for"] != A.description:
            slot |= {"kernels": self.network.kernels(A), "for": A.description, "outs": {}}
        if b.copies not in slot["outs"]:
            slot["outs"][b.copies] = A.vector(b.copies)
        out = slot["kernels"].apply(b, slot["outs"][b.copies])
        return Solution(out, 1, np.full((b.copies, b.lattice.replicas), np.nan), [])


@description
class Learned(Solver):
    """A preconditioner that was trained by `lqcd-hpc train`, for FGMRES or GCR.

    model : directory of the model, or the name of one that comes with the package

    Raises `LqcdError` for a model of another group, dimension or gamma basis, and for operators that are not Wilson
    fermions on a gauge field. It does not solve to a tolerance: the outer solver does.
    """

    model: str

    def __call__(self, A, b, guess=None):
        if not hasattr(A, "U") or not hasattr(getattr(A, "description", None), "diagonal"):
            raise LqcdError(f"Learned preconditions Wilson fermions on all sites, not {A!r}")
        trained = A.U.shared(("learned", self.model), lambda: Trained(load(self.model, A)))
        return trained(A, b)
