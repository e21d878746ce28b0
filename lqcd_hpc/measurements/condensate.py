"""The chiral condensate by stochastic estimates of a trace."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field as Limits
from pydantic import PositiveInt

from ..backend.program import RandomKey
from ..description import description
from ..fields.launch import Kernel, in_, prepare
from ..fields.noise import draw_signs
from ..operators.finish import per_copy
from ..sources.columns import components
from .quarks import Described, largest

BATCH = 12
Word = Annotated[int, Limits(ge=0, lt=2**32)]


@description
class Condensate:
    """Re Tr D^-1 / V over spins and colours: psibar psi of one flavour, up to its sign (docs/conventions.md).

    The mean of eta^dag D^-1 eta over `sources` vectors of Z2 noise. Noise depends on seed, stream and, along a run, on
    the update or file; it is the same on any ranks and shares no number with a chain of the same seed.

    Columns: condensate, condensate_error (of the noise; absent for one source), residual, iterations.
    """

    operator: Described
    solver: Described
    sources: PositiveInt
    seed: Word
    stream: Word = 0

    def on(self, U):
        """The measurement on the gauge field U."""
        return Trace(self, U)


class Trace:
    """A `Condensate` on a gauge field."""

    def __init__(self, description, U):
        self.description, self.U = description, U
        description.operator.on(U)

    def __call__(self):
        return self.at(0)

    def at(self, step, folder=None):
        """The columns with the noise of this step."""
        one, D = self.description, self.description.operator.on(self.U)
        copies = max(n for n in range(1, BATCH + 1) if one.sources % n == 0)
        eta, values, residuals, iterations = D.vector(copies), [], [], 0
        for first in range(0, one.sources, copies):
            draw_signs(eta, RandomKey(one.seed, one.stream, step), first)
            solution = one.solver(D, eta)
            sums = prepare(_product(components(D.kind), copies), left=eta, right=solution.x)()
            values += [sums[name] / self.U.lattice.volume for name in per_copy(["re"], copies)]
            residuals.append(largest(solution.residuals))
            iterations += solution.iterations
        found = {"condensate": np.mean(values, axis=0)}
        if one.sources > 1:
            found["condensate_error"] = np.std(values, axis=0, ddof=1) / np.sqrt(one.sources)
        return found | {"residual": np.max(residuals, axis=0), "iterations": iterations}


def _product(size, copies):
    sums = per_copy(["re", "im", "norm"], copies)
    return Kernel("linalg.h", "product", (size, copies), (in_("left"), in_("right")), sums=sums)
