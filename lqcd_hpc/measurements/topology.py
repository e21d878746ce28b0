"""Topological charge and energy density of the field strength."""

from __future__ import annotations

from functools import cache
from typing import Literal

from ..description import description
from ..errors import LqcdError
from ..fields.launch import Kernel, in_, prepare
from ..lattice.displacements import clover, forwards


@description
class Topology:
    """Q = (1/32 pi^2) sum eps_{mu nu rho sigma} tr F F and E = 1/4 F^a F^a (summed over mu, nu), per site.

    F = -(i/8)(C - C^dag) traceless with C the clover of four plaquettes ("clover"), or four times one plaquette
    ("plaquette"). eps_xyzt = +1 (openQCD's sign is opposite). E is split into planes with (energy_time) and without
    the last direction. Two dimensions: Q is the sum of plaquette angles over 2 pi for U(1), and not defined for
    other groups. Fewer than four dimensions: no charge for SU(Nc).

    >>> from lqcd_hpc import Lattice, gauge
    >>> Topology().on(gauge.unit(Lattice((4, 4)), "U(1)"))()
    {'charge': 0.0}
    """

    definition: Literal["clover", "plaquette"] = "clover"

    def on(self, U):
        """The measurement on the gauge field U."""
        nc, ndim = U.kind.nc, U.lattice.ndim
        if ndim == 2 and nc == 1:
            angle = prepare(_angle(nc, ndim), U=U)
            return lambda: {"charge": angle()["charge"]}
        if ndim == 2 and self.definition == "plaquette":
            raise LqcdError("in two dimensions the plaquette charge exists for U(1) only")
        launch = prepare(field_strength_kernel(nc, ndim, self.definition), U=U)
        volume = U.lattice.volume

        def measure():
            sums = launch()
            energy = {
                "energy": (sums["time"] + sums["space"]) / volume,
                "energy_time": sums["time"] / volume,
                "energy_space": sums["space"] / volume,
            }
            return energy | ({"charge": sums["charge"]} if ndim == 4 else {})

        return measure


@cache
def field_strength_kernel(nc, ndim, definition):
    """Sums of tr F^2 (time, space) and of the charge density."""
    leaves = int(definition == "clover")
    reach = tuple(d for d in clover(ndim) if any(d)) if leaves else forwards(ndim)
    return Kernel(
        "field_strength.h",
        "field_strength",
        (nc, ndim, leaves),
        (in_("U", reach),),
        clover(ndim),
        sums=("time", "space", "charge"),
    )


@cache
def _angle(nc, ndim):
    return Kernel(
        "field_strength.h", "plaquette_angle", (nc, ndim), (in_("U", forwards(ndim)),), clover(ndim), sums=("charge",)
    )
