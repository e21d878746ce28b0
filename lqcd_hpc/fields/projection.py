"""Halos of what a kernel needs of its neighbours, computed before it is sent: half-spinors instead of spinors.

A projection is a site function that turns the reals of a site into fewer, for every displacement by itself. Where an
argument declares one, ghosts of the full field are never sent; each displacement has a buffer of projected ghosts.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import LqcdError
from .domain import Sent
from .kinds import Kind


@dataclass(frozen=True)
class Projection:
    """Site function `function<L, number, *constants>` of a kernel header, from view `full` to buffer `number`
    of view `part`.

    `number` counts the displacements of the argument; `reals` is what remains of a site.
    """

    header: str
    function: str
    constants: tuple[int, ...]
    reals: int


class ProjectedHalo:
    """The projected values of a field that other ranks need: buffer k for displacement k."""

    def __init__(self, full, reach, projection, make_launch):
        if full.kind.buffers > 1:
            raise LqcdError(f"a projection needs a field of one buffer, {full.kind.name} have {full.kind.buffers}")
        self._full, self._made = full, [None, None]
        alone = full.lattice.comm.size == 1  # nothing is ever read from it
        kind = Kind("projected", len(reach), (projection.reals,), "real", "none", directions=True)
        self.field = full if alone else full.like(kind)
        self.field.settled = not alone
        sent = [] if alone else list(enumerate(reach))
        made = [
            [make_launch(projection, number, Sent(d, parity), full, self.field) for number, d in sent]
            for parity in (0, 1)
        ]
        self._launches = [[launch for launch in launches if launch.items.count] for launches in made]

    def refresh(self):
        """Project what will be sent of the parities that were written since."""
        for parity, launches in enumerate(self._launches):
            if self._made[parity] != self._full.versions[parity]:
                for launch in launches:
                    launch()
                self._made[parity] = self._full.versions[parity]


def projected_halo(field, reach, projection, make_launch):
    """The projected halo of a field, shared by all launches that declare the same projection."""
    return field.shared(("projected", reach, projection), lambda: ProjectedHalo(field, reach, projection, make_launch))
