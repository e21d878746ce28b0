"""The Polyakov loop."""

from __future__ import annotations

from functools import cache

from ..description import description
from ..errors import LqcdError
from ..fields import kinds
from ..fields.domain import Slice
from ..fields.launch import Kernel, in_, out, prepare
from ..lattice.displacements import unit


@description
class Polyakov:
    """tr P(x) / Nc averaged over space, P(x) the product of the links of the last direction around the lattice.

    LatticeQCD.jl and MILC print tr P, Chroma tr P / Nc. Raises `LqcdError` if that direction is open.

    >>> from lqcd_hpc import Lattice, gauge
    >>> Polyakov().on(gauge.unit(Lattice((4, 8)), "SU(2)"))()
    {'polyakov_re': 1.0, 'polyakov_im': 0.0}
    """

    def on(self, U):
        """The measurement on the gauge field U."""
        mu, lattice, nc = U.lattice.ndim - 1, U.lattice, U.kind.nc
        if lattice.is_open(mu):
            raise LqcdError("the Polyakov loop needs a periodic last direction: leave it out of [measure]")
        line, longer = (U.like(kinds.matrices(nc)) for _ in range(2))
        first = prepare(_first_link(nc, mu), U=U, out=line)
        grow = [
            prepare(_transport(nc, lattice.ndim, mu), U=U, **{"in": a, "out": b})
            for a, b in ((line, longer), (longer, line))
        ]
        ends = [prepare(_trace(nc), Slice(mu, 0), M=field) for field in (line, longer)]
        steps = lattice.shape[mu] - 1
        norm = nc * lattice.volume // lattice.shape[mu]

        def measure():
            first()
            for k in range(steps):
                grow[k % 2]()
            sums = ends[steps % 2]()
            return {"polyakov_re": sums["re"] / norm, "polyakov_im": sums["im"] / norm}

        return measure


@cache
def _first_link(nc, mu):
    return Kernel("path.h", "one_link", (nc, mu), (in_("U"), out("out")))


@cache
def _transport(nc, ndim, mu):
    step = unit(ndim, mu)
    return Kernel("path.h", "transport", (nc, mu), (in_("U"), in_("in", (step,)), out("out")), (step,))


@cache
def _trace(nc):
    return Kernel("path.h", "matrix_trace", (nc,), (in_("M"),), sums=("re", "im"))
