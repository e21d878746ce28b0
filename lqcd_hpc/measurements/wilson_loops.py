"""Planar Wilson loops W(T, R)."""

from __future__ import annotations

from pydantic import PositiveInt

from ..description import description
from ..errors import LqcdError
from ..fields.launch import prepare
from ..paths.loops import rectangle
from ..paths.program import PathProgram, Term


@description
class WilsonLoops:
    """W(T, R) = Re tr of the T x R loop / Nc, averaged over sites and spatial directions; T along the last direction.

    Columns are named wT_R, for 1 <= T <= max_time, 1 <= R <= max_distance. W(1, 1) is the temporal plaquette.
    Raises `LqcdError` for open boundaries.

    >>> from lqcd_hpc import Lattice, gauge
    >>> loops = WilsonLoops(max_time=2, max_distance=1).on(gauge.unit(Lattice((4, 4)), "SU(2)"))()
    >>> {name: round(value, 12) for name, value in loops.items()}
    {'w1_1': 1.0, 'w2_1': 1.0}
    """

    max_time: PositiveInt
    max_distance: PositiveInt

    def on(self, U):
        """The measurement on the gauge field U."""
        lattice, nc, ndim = U.lattice, U.kind.nc, U.lattice.ndim
        if "open" in lattice.boundary:
            raise LqcdError("Wilson loops are averaged over the whole lattice: they need periodic boundaries")
        sizes = [(t, r) for t in range(1, self.max_time + 1) for r in range(1, self.max_distance + 1)]
        norm = 1 / (nc * (ndim - 1) * lattice.volume)
        terms = [
            Term(group, norm, (0,) * ndim, loop, loop)
            for group, (t, r) in enumerate(sizes)
            for loop in (rectangle(a, ndim, r, t) for a in range(1, ndim))
        ]
        program = PathProgram(lattice, terms)
        names = tuple(f"{part}w{t}_{r}" for t, r in sizes for part in ("", "im_"))
        launch = prepare(program.kernel("path_trace", nc, names), tables=program.tables, **program.fields(U))
        launch.set(**program.scalars)

        def measure():
            sums = launch()
            return {f"w{t}_{r}": sums[f"w{t}_{r}"] for t, r in sizes}

        return measure
