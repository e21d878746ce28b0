"""Where a site lies in memory; with kernels/site.h the only place that knows.

A loop *item* is a set of `lanes` sites that kernels treat as one number. The local lattice is divided into `lanes`
equal sub-lattices (virtual nodes, and replicas first of all); lane l of an item is the same site of sub-lattice l.
A neighbour is therefore another item, with the lanes permuted where a sub-lattice ends. Items are ordered by
parity, then replica group, then lexicographically. slot = item * lanes + lane counts sites in memory; `group` lanes
form a memory block.

Directions that are divided among ranks are split into virtual nodes last, because their halos are then whole blocks.
"""

from __future__ import annotations

from functools import cached_property
from math import lcm, prod

import numpy as np

from ..errors import LqcdError
from ..lattice.halo import Halo

MAX_ITEMS = 2**27  # a neighbour word has 27 bits for the item, 4 for the permutation, 1 for leaving the lattice


class Layout:
    """The order of a lattice's sites for numbers of `width` lanes and memory blocks of `group` lanes.

    Raises `LqcdError` if the local lattice has too many items to be addressed.
    """

    def __init__(self, lattice, width, group=None):
        self.lattice = lattice
        self.virtual, self.replica_lanes = virtual_nodes(lattice, width)
        self.lanes = prod(self.virtual) * self.replica_lanes
        self.group = group if group and group > width else self.lanes
        self.extents = tuple(n // v for n, v in zip(lattice.local_shape, self.virtual))
        # lanes of blocks may have both parities; all their ghosts then count as even
        self.mixed = any(v > 1 and n % 2 for n, v in zip(self.extents, self.virtual))
        self.replica_groups = lattice.replicas // self.replica_lanes
        self.sites = prod(self.extents)
        self.items = self.sites * self.replica_groups
        if self.items >= MAX_ITEMS:
            raise LqcdError(f"{lattice}: too large for one rank; use more ranks (lqcd-hpc plan lists grids)")
        per_block = self.group // self.lanes
        self.first_ghost = -(-self.items // per_block) * per_block
        self._order_sites()
        self._ghosts = {}  # key -> ghost number
        self._ghost_keys = []
        self.tables = {}

    def _order_sites(self):
        grid = np.indices(self.extents[::-1]).reshape(len(self.extents), -1)[::-1].T  # x fastest
        parity = grid.sum(axis=1) % 2
        order = np.argsort(parity, kind="stable")
        self.site_coords = np.ascontiguousarray(grid[order])
        self.even_sites = int((parity == 0).sum())
        even, odd = self.even_sites * self.replica_groups, (self.sites - self.even_sites) * self.replica_groups
        self.parity_ranges = ((0, even), (even, even + odd))
        halves = [(self.site_coords[: self.even_sites]), (self.site_coords[self.even_sites :])]
        self.coords = np.concatenate([np.tile(h, (self.replica_groups, 1)) for h in halves])
        self.group_of_item = np.concatenate([np.repeat(np.arange(self.replica_groups), len(h)) for h in halves])
        self._item_of = np.empty((self.replica_groups, self.sites), np.int64)
        self._item_of[self.group_of_item, self._lexicographic(self.coords)] = np.arange(self.items)

    def items_at(self, groups, coords):
        """Items of replica groups (n,) at coordinates (n, ndim) of a sub-lattice."""
        return self._item_of[groups, self._lexicographic(coords)]

    def _lexicographic(self, coords):
        strides = np.cumprod((1, *self.extents[:-1]))
        return coords @ strides

    @cached_property
    def lane_coords(self):
        """Virtual-node coordinates of every lane, shape (lanes, ndim)."""
        lanes = np.arange(self.lanes) // self.replica_lanes
        return np.stack(np.unravel_index(lanes, self.virtual[::-1])[::-1], axis=1)

    @cached_property
    def replica_of_lane(self):
        return (np.arange(self.lanes) % self.replica_lanes).astype(np.int32)

    @cached_property
    def replica_of_item(self):
        """The first replica of every item's group."""
        return (self.group_of_item * self.replica_lanes).astype(np.int32)

    def local_coords(self):
        """Coordinates in the local lattice of every (item, lane), shape (items, lanes, ndim)."""
        return self.coords[:, None, :] + self.lane_coords[None] * np.array(self.extents)

    @cached_property
    def site_of_slot(self):
        """Canonical index (replica, ..., y, x) in the local lattice of every (item, lane)."""
        strides = np.cumprod((1, *self.lattice.local_shape[:-1]))
        replica = self.replica_of_item[:, None] + self.replica_of_lane[None]
        return (self.local_coords() @ strides) + replica.astype(np.int64) * self.lattice.local_volume

    @cached_property
    def ids(self):
        """Global site number | replica << 40 of every (item, lane), for random numbers."""
        strides = np.cumprod((1, *self.lattice.shape[:-1]))
        sites = (self.local_coords() + np.array(self.lattice.origin)) @ strides
        replica = (self.replica_of_item[:, None] + self.replica_of_lane[None]).astype(np.uint64)
        return np.ascontiguousarray(sites.astype(np.uint64) | replica << np.uint64(40))

    def permutations(self, dtype):
        """Lane that lane l reads under every shift of virtual nodes, shape (shifts, lanes)."""
        table = np.empty((prod(self.virtual), self.lanes), dtype)
        for number in range(len(table)):
            shift = np.stack(np.unravel_index(number, self.virtual[::-1])[::-1])
            table[number] = self._lane((self.lane_coords + shift) % self.virtual, self.replica_of_lane)
        return table

    def _lane(self, node, replica_lane):
        return np.ravel_multi_index(node.T[::-1], self.virtual[::-1]) * self.replica_lanes + replica_lane

    # ---- neighbours and ghosts

    def neighbours(self, displacements):
        """Packed words item | permutation << 27 | wraps << 31, shape (items, displacements); numbers new ghosts.

        `wraps`: the way leaves the lattice, in some lane, and comes back at the other end.
        """
        key = ("neighbours", displacements)
        if key not in self.tables:
            columns = [self._neighbour_column(np.array(d)) for d in displacements]
            self.tables[key] = (
                np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.zeros((1, 1), np.uint32)
            )
        return self.tables[key]

    def _neighbour_column(self, displacement):
        target, shift, outside = self._displace(displacement)
        word = np.empty(self.items, np.int64)
        inside = ~outside
        word[inside] = self._item_of[self.group_of_item[inside], self._lexicographic(target[inside])]
        if outside.any():
            word[outside] = self.first_ghost + self._ghost_numbers(target[outside], self.group_of_item[outside])
        if word.max() >= MAX_ITEMS:
            raise LqcdError(f"{self.lattice}: halo too large for one rank; use more ranks")
        return (word | shift << 27 | self._wraps(displacement) << 31).astype(np.uint32)

    def _wraps(self, displacement):
        lattice, target = self.lattice, self.coords + displacement
        coords, ranks = np.array(lattice.rank_coords), np.array(lattice.ranks)
        low = (target < 0) & (coords == 0)
        high = (target >= np.array(self.extents)) & (coords == ranks - 1)
        return (low | high).any(axis=1).astype(np.int64)

    def wrapping_lanes(self, displacement):
        """The lanes in which an item that `wraps` leaves the lattice (displacements of one step)."""
        last = np.array(self.virtual) - 1
        leaves = (self.lane_coords == last) & (np.array(displacement) > 0)
        return (leaves | (self.lane_coords == 0) & (np.array(displacement) < 0)).any(axis=1)

    def _displace(self, displacement):
        """Sub-lattice coordinates, number of the lane shift, and whether a ghost is meant, for every item."""
        extents, virtual = np.array(self.extents), np.array(self.virtual)
        undivided = np.array(self.lattice.ranks) == 1
        target = self.coords + displacement
        shift = np.where(undivided, target // extents % virtual, 0)
        target = np.where(undivided, target % extents, target)
        outside = ((target < 0) | (target >= extents)).any(axis=1)
        return target, np.ravel_multi_index(shift.T[::-1], self.virtual[::-1]), outside

    def _ghost_numbers(self, coords, groups):
        """Numbers of these ghosts. New ones are ordered as sites are, so that halos of faces are runs of memory."""
        order = [self.parity_of_coords(coords), groups, *coords.T[::-1]]  # x fastest
        rows, inverse = np.unique(np.column_stack(order), axis=0, return_inverse=True)
        keys = np.column_stack([rows[:, 1], rows[:, :1:-1]])
        numbers = np.empty(len(keys), np.int64)
        for k, key in enumerate(map(tuple, keys.tolist())):
            if key not in self._ghosts:
                self._ghosts[key] = len(self._ghost_keys)
                self._ghost_keys.append(key)
            numbers[k] = self._ghosts[key]
        return numbers[inverse.reshape(-1)]

    def halo(self, reach):
        """The halo of a set of displacements (made once)."""
        key = ("halo", frozenset(reach))
        if key not in self.tables:
            self.tables[key] = Halo(self, reach)
        return self.tables[key]

    @property
    def ghosts(self):
        """Number of ghost items known so far."""
        return len(self._ghost_keys)

    def ghost_sources(self, items):
        """Owners of ghost items: rank offsets (n, lanes, ndim) and slots there (n, lanes)."""
        keys = np.array([self._ghost_keys[i - self.first_ghost] for i in items])
        groups, coords = keys[:, 0], keys[:, 1:]
        local = coords[:, None, :] + self.lane_coords[None] * np.array(self.extents)
        shape, extents = np.array(self.lattice.local_shape), np.array(self.extents)
        offset, local = local // shape % np.array(self.lattice.ranks), local % shape
        node, site = local // extents, local % extents
        flat = site.reshape(-1, site.shape[-1])
        item = self._item_of[np.repeat(groups, self.lanes), self._lexicographic(flat)].reshape(len(items), self.lanes)
        lane = self._lane(node.reshape(flat.shape), np.tile(self.replica_of_lane, len(items))).reshape(item.shape)
        return offset, item * self.lanes + lane

    def parity_of_coords(self, local):
        """Parity of global coordinates, given local ones (n, ndim) that may lie beyond the local lattice.

        0 where the lanes of an item differ.
        """
        if self.mixed:
            return np.zeros(local.shape[:-1], np.int64)
        return ((local + np.array(self.lattice.origin)) % np.array(self.lattice.shape)).sum(axis=-1) % 2

    def ghost_parity(self, items):
        """Global parity of ghost items (the same in all lanes)."""
        coords = np.array([self._ghost_keys[i - self.first_ghost][1:] for i in items])
        return self.parity_of_coords(coords)

    def slot_parity(self, slots):
        """Global parity of local slots."""
        item, lane = slots // self.lanes, slots % self.lanes
        return self.parity_of_coords(self.coords[item] + self.lane_coords[lane] * np.array(self.extents))


def virtual_nodes(lattice, width):
    """Virtual nodes per direction and replicas per number: as many lanes as the extents allow, at most `width`.

    Sub-lattices have even extents that are multiples of the lattice's `grain`. Blocks lie in the lanes of their sites.
    """
    if lattice.parent is not None:
        return virtual_nodes(lattice.parent, width)
    replica_lanes = 1
    while replica_lanes < width and lattice.replicas % (2 * replica_lanes) == 0:
        replica_lanes *= 2
    virtual = [1] * lattice.ndim
    while prod(virtual) * replica_lanes < width:
        extents = [n // v for n, v in zip(lattice.local_shape, virtual)]
        fit = [mu for mu, n in enumerate(extents) if n % (2 * lcm(2, lattice.grain[mu])) == 0]
        if not fit:
            break
        best = max(fit, key=lambda mu: (lattice.ranks[mu] == 1, -virtual[mu], extents[mu], mu))
        virtual[best] *= 2
    return tuple(virtual), replica_lanes
