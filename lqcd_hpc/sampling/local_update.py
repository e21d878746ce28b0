"""Sweeps of local link updates: every direction, every colour, in one order on every rank."""

from __future__ import annotations

from functools import cache

from ..fields.launch import Kernel, Sequence, in_, inout, prepare
from ..lattice.displacements import staple_reach, star
from .colouring import colours


class LocalUpdate:
    """Launches that update every link of an action's gauge field once, by the site functions plaquette_NAME or
    staple_NAME.

    Raises `LqcdError` if the action allows no colouring (sampling/colouring.py).
    """

    def __init__(self, action, name, scalars=()):
        self.action, self.U = action, action.U
        self.steps, self.updates = [], []
        for mu in range(self.U.lattice.ndim):
            for domain in colours(self.U.lattice, mu, [loop for loop, _ in action.loops]):
                self._add(name, mu, domain, scalars)
        self._sequence = Sequence(self.steps)

    def _add(self, name, mu, domain, scalars):
        nc, ndim, U = self.U.kind.nc, self.U.lattice.ndim, self.U
        if self.action.plain:
            update = prepare(plaquette_kernel(name, nc, ndim, mu, scalars), domain, U=U)
        else:
            staple = self.action.staple_field(1)
            program = self.action.staple_program([mu])
            summed = prepare(
                program.kernel("path_sum", nc), domain, tables=program.tables, staple=staple, **program.fields(U)
            )
            self.steps.append(summed.set(**program.scalars))
            update = prepare(staple_kernel(name, nc, ndim, mu, scalars), domain, U=U, staple=staple)
        self.steps.append(update)
        self.updates.append(update)

    def sweep(self, **scalars):
        """One sweep; scalars are set in every update before."""
        for update in self.updates:
            update.set(**scalars)
        self._sequence()


@cache
def plaquette_kernel(name, nc, ndim, mu, scalars):
    """The update of links of direction mu with plaquette staples."""
    args = (inout("U", staple_reach(ndim, (mu,)), per_buffer=True, writes=(mu,)),)
    return Kernel("heatbath.h", f"plaquette_{name}", (nc, ndim, mu), args, star(ndim), scalars=scalars)


@cache
def staple_kernel(name, nc, ndim, mu, scalars):
    """The update of links of direction mu with staples from a field."""
    args = (inout("U", writes=(mu,)), in_("staple"))
    return Kernel("heatbath.h", f"staple_{name}", (nc, ndim, mu), args, scalars=scalars)
