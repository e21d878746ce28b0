"""How a lattice would lie on one rank: lanes, ghosts and bytes, without making it."""

from __future__ import annotations

from itertools import product
from math import prod


class RankPlan:
    """The part of one rank on a grid: local extents, virtual nodes, and memory for a run (`rehearsal.py`).

    >>> RankPlan((8, 8, 8, 16), (1, 1, 1, 2), width=8).local
    (8, 8, 8, 8)
    """

    def __init__(self, shape, grid, width, replicas=1):
        from ..fields.layout import virtual_nodes

        self.shape, self.grid, self.replicas = tuple(shape), tuple(grid), replicas
        self.local = tuple(n // r for n, r in zip(shape, grid))
        self.local_shape, self.ranks, self.ndim = self.local, self.grid, len(shape)
        self.grain, self.parent = (1,) * self.ndim, None
        self.virtual, self.replica_lanes = virtual_nodes(self, width)
        self.lanes = prod(self.virtual) * self.replica_lanes
        self.width = width
        self.extents = tuple(n // v for n, v in zip(self.local, self.virtual))

    @property
    def local_volume(self):
        return prod(self.local)

    @property
    def items(self):
        """Loop items: sites of a virtual node, for every group of replicas."""
        return prod(self.extents) * self.replicas // self.replica_lanes

    def ghost_items(self, displacements):
        """Items of the halo that these displacements reach over the directions that are divided among ranks."""
        divided = [mu for mu, r in enumerate(self.grid) if r > 1]
        if not divided:
            return 0
        depth = [max((abs(d[mu]) for d in displacements), default=0) for mu in divided]
        total = 0
        for outside in product(*(range(-k, k + 1) for k in depth)):
            if any(outside) and any(_reaches(d, divided, outside) for d in displacements):
                inside = [n for mu, n in enumerate(self.extents) if mu not in divided or not outside[divided.index(mu)]]
                total += prod(inside)
        return total * self.replicas // self.replica_lanes

    def memory(self, rehearsal):
        """Bytes of one rank during a run: fields with halos, tables, and the copies made when files are
        written.
        """
        slots = (self.items + self.ghost_items(rehearsal.displacements)) * self.lanes
        fields = rehearsal.reals_per_site * rehearsal.item_size * slots
        sites = self.items * self.lanes
        layout = 16 * sites + (8 * (3 * self.ndim + 3) + 4) * self.items
        tables = 4 * rehearsal.tables * self.items + layout
        writing = 4 * rehearsal.link_reals * rehearsal.item_size * self.local_volume * self.replicas
        return {"fields": fields, "tables": tables, "writing": writing, "total": fields + tables + writing}


def _reaches(displacement, divided, outside):
    """Whether a displacement leads from inside to `outside` beyond the ends (0: not beyond) of the divided
    directions.
    """
    return all(
        not k or (displacement[mu] * k > 0 and abs(displacement[mu]) >= abs(k)) for mu, k in zip(divided, outside)
    )
