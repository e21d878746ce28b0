"""Links in the form that operators read: those of a site together, as few numbers as the group allows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, in_, out, prepare
from ..lattice.displacements import star, unit
from .derived import derived


@dataclass(frozen=True)
class Storage:
    """How links are stored: `rows` of each (2 rows of an SU(3) link give the third), `per_site` 1 or 2 per direction.

    One per direction: U_mu(x), and U_mu(x-mu) is read at the neighbour. Two: U_mu(x-mu) is stored at x as well.
    """

    rows: int
    per_site: int = 1

    @classmethod
    def smallest(cls, nc, weights=()):
        """The fewest numbers: SU(2) and SU(3) links without weights lose their last row."""
        special = nc in (2, 3) and all(w == 1 for w in weights)
        return cls(nc - 1 if special else nc)


def stored_links(U, storage, precision, weights=None):
    """weight_mu U_mu(x) in one buffer (kernels/links.h), made anew when U has changed."""
    weights = tuple(weights or (1.0,) * U.lattice.ndim)
    return derived(U, ("links", storage, weights), precision, partial(_gather, U, storage, weights))


def _gather(U, storage, weights):
    nc, ndim = U.kind.nc, U.lattice.ndim
    count = storage.per_site * ndim
    stored = Field(U.lattice, Kind("stored links", 1, (count, storage.rows, nc), "complex", "none", nc), U.precision)
    back = tuple(unit(ndim, mu, -1) for mu in range(ndim))
    reach = tuple((b,) for b in back) if storage.per_site == 2 else ((),) * ndim
    arguments = in_("U", reach, per_buffer=True), out("links")
    tables = (("weights", "double"),)
    kernel = Kernel("links.h", "gather_links", (nc, ndim, storage.rows, count), arguments, star(ndim), tables=tables)
    prepare(kernel, tables={"weights": np.array(weights, float)}, U=U, links=stored)()
    return stored


def are_far(links):
    """1 if fields lie in memory rather than in a cache of the core, so that asking for them ahead pays; else 0."""
    return int(links.data.nbytes > 4 * 2**20)


def hops(ndim):
    """The displacements of a hop: +mu, then -mu."""
    return star(ndim)[: 2 * ndim]


def boundary_phases(layout, boundary):
    """Phases of lanes in which a hop leaves the lattice, [displacement][re, im][lane]; conjugate on the way back."""
    ndim = len(boundary)
    table = np.ones((2 * ndim, layout.lanes), complex)
    for d, displacement in enumerate(hops(ndim)):
        phase = boundary[d % ndim]
        table[d, layout.wrapping_lanes(displacement)] = phase if d < ndim else np.conj(phase)
    return np.stack([table.real, table.imag], axis=1)
