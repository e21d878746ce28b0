"""The mean plaquette."""

from __future__ import annotations

from math import prod

from ..description import description
from ..fields.launch import prepare
from ..paths.plaquette import name, planes, plaquette_kernel


@description
class Plaquette:
    """Re tr U_p / Nc averaged over planes and sites: all, without (ss) and with (st) the last direction.

    Open boundaries: the average is over the plaquettes that exist.

    >>> from lqcd_hpc import Lattice, gauge
    >>> Plaquette().on(gauge.unit(Lattice((4, 4, 4)), "SU(2)"))()
    {'plaquette': 1.0, 'plaquette_ss': 1.0, 'plaquette_st': 1.0}
    """

    def on(self, U):
        """The measurement on the gauge field U."""
        launch = prepare(plaquette_kernel(U.kind.nc, U.lattice.ndim), U=U)
        return lambda: averages(launch(), U)


def averages(sums, U):
    """Plane averages from the sums of the plaquette kernel."""
    last = U.lattice.ndim - 1
    chosen = {"plaquette": planes(last + 1)}
    if last > 1:
        chosen["plaquette_ss"] = [p for p in planes(last + 1) if last not in p]
        chosen["plaquette_st"] = [p for p in planes(last + 1) if last in p]
    return {
        key: sum(sums[name(*p)] for p in found) / (U.kind.nc * sum(_count(U.lattice, p) for p in found))
        for key, found in chosen.items()
    }


def _count(lattice, plane):
    """Plaquettes of a plane: one less per line in an open direction of the plane."""
    return prod(n - (lattice.is_open(mu) and mu in plane) for mu, n in enumerate(lattice.shape))
