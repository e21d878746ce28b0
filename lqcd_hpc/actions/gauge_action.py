"""Gauge actions as sums of closed loops: value, force and staples follow from the loops by rule.

S = beta sum_loops c sum_x (1 - Re tr W(x)/Nc), with loops of zero extent in an open direction at half weight
on its ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from ..fields import kinds
from ..fields.launch import Kernel, in_, inout, prepare
from ..lattice.displacements import staple_reach, star, unit
from ..paths.loops import plaquettes
from ..paths.path import check_loop, extent, staples
from ..paths.plaquette import plaquette_planes
from ..paths.program import PathProgram, Term, staple_force_kernel


@dataclass
class GaugeAction:
    """The action of `description` on one gauge field U.

    Contract of an action: `value()`, `force(P, weight, keep)`, `refresh(rng)`.
    """

    description: object
    U: object
    _launches: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        lattice = self.U.lattice
        self.beta = self.description.beta
        self.loops = [(check_loop(p, lattice.ndim), c) for p, c in self.description.loops(lattice.ndim)]
        uniform = sorted(self.loops) == sorted((p, 1.0) for p in plaquettes(lattice.ndim))
        self.plain = uniform and not any(lattice.is_open(mu) for mu in range(lattice.ndim))

    @property
    def field(self):
        """The field that the action is a function of."""
        return self.U

    def refresh(self, rng):
        """Gauge actions have no fields of their own."""

    def value(self):
        """S[U], one number (an array over replicas if there are several)."""
        return self.beta * (self._number_of_loops() - self._loop_sum())

    def _loop_sum(self):
        """Sum of c Re tr W/Nc over loops and sites."""
        if self.plain:
            return sum(plaquette_planes(self.U).values())
        if "value" not in self._launches:
            nc = self.U.kind.nc
            zero = (0,) * self.U.lattice.ndim
            program = PathProgram(self.U.lattice, [Term(0, c / nc, zero, p, p) for p, c in self.loops])
            kernel = program.kernel("path_trace", nc, ("re", "im"))
            launch = prepare(kernel, tables=program.tables, **program.fields(self.U))
            self._launches["value"] = launch.set(**program.scalars)
        return self._launches["value"]()["re"]

    def _number_of_loops(self):
        """The same sum for U = 1."""
        lattice = self.U.lattice

        def positions(mu, n):
            return lattice.shape[mu] - (max(n, 1) if lattice.is_open(mu) else 0)

        return sum(c * prod(positions(mu, n) for mu, n in enumerate(extent(p, lattice.ndim))) for p, c in self.loops)

    @property
    def force_factor(self):
        """dP/dt = factor * TA(U staple)/i: -beta/(2 Nc), and -beta for U(1)."""
        nc = self.U.kind.nc
        return -self.beta if nc == 1 else -self.beta / (2 * nc)

    def force(self, P, weight=1.0, keep=0.0):
        """P <- keep P + weight dP/dt, dP/dt = -T^a d^a S."""
        self.gradient(P, weight * self.force_factor, keep)

    def gradient(self, P, weight, keep=0.0):
        """P <- keep P + weight TA(U staple)/i, with the staple of sum c Re tr W."""
        for launch in self.gradient_launches(P):
            launch(weight=weight, keep=keep) if launch.takes("weight") else launch()

    def gradient_launches(self, P):
        """The launches of `gradient`; the last one takes the scalars `weight` and `keep`."""
        key = ("gradient", id(P))
        if key not in self._launches:
            nc, ndim = self.U.kind.nc, self.U.lattice.ndim
            if self.plain:
                self._launches[key] = [prepare(_plaquette_force(nc, ndim), U=self.U, P=P)]
            else:
                staple = self.staple_field(ndim)
                program = self.staple_program(range(ndim))
                summed = prepare(
                    program.kernel("path_sum", nc), tables=program.tables, staple=staple, **program.fields(self.U)
                )
                summed.set(**program.scalars)
                self._launches[key] = [summed, prepare(staple_force_kernel(nc, ndim), U=self.U, staple=staple, P=P)]
        return self._launches[key]

    def staple_field(self, buffers):
        """Memory for staples, shared by all launches of this action."""
        key = ("staple", buffers)
        if key not in self._launches:
            self._launches[key] = self.U.like(kinds.matrices(self.U.kind.nc, buffers))
        return self._launches[key]

    def staple_program(self, directions):
        """Staples of the links in `directions`, output by their order."""
        ndim = self.U.lattice.ndim
        terms = [
            Term(group, c, unit(ndim, mu), rest, loop)
            for group, mu in enumerate(directions)
            for loop, c in self.loops
            for rest in staples(loop, mu)
        ]
        return PathProgram(self.U.lattice, terms)


def _plaquette_force(nc, ndim):
    args = (in_("U", staple_reach(ndim), per_buffer=True), inout("P"))
    scalars = (("weight", "double"), ("keep", "double"))
    return Kernel("gauge.h", "plaquette_force", (nc, ndim), args, star(ndim), scalars=scalars)
