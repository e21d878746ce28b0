"""Sweeps of local updates: every direction of the links, every colour, in one order on every rank."""

from __future__ import annotations

from functools import cache

from ..fields import scalar
from ..fields.launch import Kernel, Sequence, in_, inout, prepare
from ..lattice.displacements import nearest, staple_reach, star
from .colouring import colours, site_colours


class Sweep:
    """Launches `steps` one after another; `updates` are those among them that take scalars and return sums."""

    def __init__(self, steps, updates):
        self.steps, self.updates = steps, updates
        self._sequence = Sequence(steps)
        self._adds = any(update.kernel.sums for update in updates)

    def sweep(self, **scalars):
        """One sweep; scalars are set in every update before. Returns the sums over all updates, if there are any."""
        for update in self.updates:
            update.set(**scalars)
        if not self._adds:
            return self._sequence()
        told = [sums for step in self.steps if (sums := step())]
        return {name: sum(one[name] for one in told) for name in told[0]}


class LocalUpdate(Sweep):
    """Launches that update every link of an action's gauge field once, by the site functions plaquette_NAME or
    staple_NAME of a header.

    Raises `LqcdError` if the action allows no colouring (sampling/colouring.py).
    """

    def __init__(self, action, name, scalars=(), header="heatbath.h", sums=()):
        self.action, self.U = action, action.U
        self._kernel = {"scalars": scalars, "header": header, "sums": sums}
        self.steps, self.updates = [], []
        for mu in range(self.U.lattice.ndim):
            for domain in colours(self.U.lattice, mu, [loop for loop, _ in action.loops]):
                self._add(name, mu, domain)
        super().__init__(self.steps, self.updates)

    def _add(self, name, mu, domain):
        nc, ndim, U = self.U.kind.nc, self.U.lattice.ndim, self.U
        if self.action.plain:
            update = prepare(plaquette_kernel(name, nc, ndim, mu, **self._kernel), domain, U=U)
        else:
            staple = self.action.staple_field(1)
            program = self.action.staple_program([mu])
            summed = prepare(
                program.kernel("path_sum", nc), domain, tables=program.tables, staple=staple, **program.fields(U)
            )
            self.steps.append(summed.set(**program.scalars))
            update = prepare(staple_kernel(name, nc, ndim, mu, **self._kernel), domain, U=U, staple=staple)
        self.steps.append(update)
        self.updates.append(update)


class SiteUpdate(Sweep):
    """Launches that update every site of a scalar action's field once, by a site function.

    Raises `LqcdError` if the extents allow no colouring (sampling/colouring.py).
    """

    def __init__(self, action, name, header, constants=(), scalars=(), sums=()):
        kernel = site_kernel(name, header, (*action.instance, *constants), scalars, sums)
        fields = scalar.with_bonds(action.phi)
        steps = [prepare(kernel, domain, **fields) for domain in site_colours(action.phi.lattice)]
        super().__init__(steps, steps)


@cache
def plaquette_kernel(name, nc, ndim, mu, scalars, header="heatbath.h", sums=()):
    """The update of links of direction mu with plaquette staples."""
    args = (inout("U", staple_reach(ndim, (mu,)), per_buffer=True, writes=(mu,)),)
    return Kernel(header, f"plaquette_{name}", (nc, ndim, mu), args, star(ndim), scalars=scalars, sums=sums)


@cache
def staple_kernel(name, nc, ndim, mu, scalars, header="heatbath.h", sums=()):
    """The update of links of direction mu with staples from a field."""
    args = (inout("U", writes=(mu,)), in_("staple"))
    return Kernel(header, f"staple_{name}", (nc, ndim, mu), args, scalars=scalars, sums=sums)


@cache
def site_kernel(name, header, constants, scalars, sums):
    """The update of sites that couple to their neighbours; constants: components, dimensions, open, ..."""
    ndim, opened = constants[1:3]
    args = scalar.reading_neighbours(inout, ndim, opened)
    return Kernel(header, name, tuple(map(int, constants)), args, nearest(ndim), scalars=scalars, sums=sums)
