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
        self._full, self._made = full, None
        self.field = full.like(Kind("projected", len(reach), (projection.reals,), "real", "none", directions=True))
        sent = enumerate(reach) if full.lattice.comm.size > 1 else ()
        self._launches = [make_launch(projection, number, Sent(d), full, self.field) for number, d in sent]

    def refresh(self):
        """Project what will be sent, if the field was written since."""
        if self._made != self._full.version:
            for launch in self._launches:
                launch()
            self._made = self._full.version


def projected_halo(field, reach, projection, make_launch):
    """The projected halo of a field, shared by all launches that declare the same projection."""
    return field.shared(("projected", reach, projection), lambda: ProjectedHalo(field, reach, projection, make_launch))
