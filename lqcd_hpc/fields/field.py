"""Fields: numbers on the sites of a lattice, their memory, and which of their halos are up to date."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from ..backend import device
from ..errors import LqcdError
from .exchange import Exchange
from .layout import Layout

_REAL = {"double": np.float64, "single": np.float32}


def layout_of(lattice, precision):
    """The layout that fields of this precision have on this lattice (made once)."""
    key = ("layout", precision)
    if key not in lattice.cache:
        lattice.cache[key] = Layout(lattice, *device.lanes(np.dtype(_REAL[precision]).itemsize))
    return lattice.cache[key]


class Field:
    """A field of some kind on a lattice.

    Memory is `data[buffer, block, copy, real, lane]`; kernels and `to_numpy`/`from_numpy` are the ways to it.
    Every write makes the halos of what was written stale; the next kernel that needs them has them exchanged.

    Raises `LqcdError` for an unknown precision or if memory does not suffice.

    >>> from lqcd_hpc.lattice import Lattice
    >>> from lqcd_hpc.fields import kinds
    >>> Field(Lattice((4, 4)), kinds.links(3, 2)).to_numpy().shape
    (2, 4, 4, 3, 3)
    """

    def __init__(self, lattice, kind, precision="double", copies=1):
        if precision not in _REAL:
            raise LqcdError(f'precision = {precision!r}: choose "double" or "single"')
        self.lattice, self.kind, self.precision, self.copies = lattice, kind, precision, copies
        self.layout = layout_of(lattice, precision)
        self.reals = kind.reals * copies
        self.generation = 0  # counts moves in memory
        self.version = 0  # counts writes
        self.versions = [0, 0]  # the same for each parity
        self._fresh = {}  # (buffer, parity) -> halos exchanged since the last write
        self._exchanges = {}
        self._shared = {}  # what launches of this field have in common
        self.settled = False  # whether nobody writes it while its messages are under way
        self.data = self._allocate()

    def _allocate(self):
        per_block = self.layout.group // self.layout.lanes
        self.capacity = self.layout.first_ghost + self.layout.ghosts
        blocks = -(-self.capacity // per_block)
        shape = (self.kind.buffers, blocks, self.copies, self.kind.reals, self.layout.group)
        return device.allocate(shape, _REAL[self.precision])

    def reserve_ghosts(self):
        """Make room for all ghosts that the layout knows by now."""
        if self.capacity < self.layout.first_ghost + self.layout.ghosts:
            old = self.data
            self.data = self._allocate()
            self.data[:, : old.shape[1]] = old
            self._exchanges.clear()
            self.generation += 1

    def like(self, kind=None):
        """A new zero field on the same lattice, of the same precision and copies."""
        return Field(self.lattice, kind or self.kind, self.precision, self.copies)

    def copy(self):
        """An independent copy."""
        other = self.like()
        other.assign(self)
        return other

    def assign(self, other):
        """Take over the values of a field of the same kind (precisions and the lanes of its lattice may differ)."""
        same = other.lattice is self.lattice or self.lattice.has_the_sites_of(other.lattice)
        if other.kind != self.kind or not same or other.copies != self.copies:
            raise LqcdError(f"cannot assign {other!r} to {self!r}: kind, copies and lattice must be the same")
        if other.precision == self.precision and other.layout.virtual == self.layout.virtual:
            items = self._item_blocks()
            self.data[:, :items] = other.data[:, :items]
            self.touch()
        else:
            self._convert(other)
            self.touch()

    def _convert(self, other):
        """Copy from a field with other lanes, so other slots."""
        mine, theirs = self.layout, other.layout
        key = ("slots in", other.precision, theirs.virtual)
        if key not in mine.tables:
            slot_of_site = np.empty(theirs.site_of_slot.size, np.int64)
            slot_of_site[theirs.site_of_slot.reshape(-1)] = np.arange(slot_of_site.size)
            sources = np.full(mine.first_ghost * mine.lanes, -1, np.int64)
            sources[: mine.items * mine.lanes] = slot_of_site[mine.site_of_slot.reshape(-1)]
            mine.tables[key] = sources
        for to, origin in zip(self.data, other.data):
            device.convert(to, origin, mine.tables[key], self.reals)

    def assign_replicas(self, other, chosen):
        """Take over the chosen replicas (a boolean array) from a field of the same kind and precision."""
        layout = self.layout
        lanes = np.zeros((layout.first_ghost, layout.lanes), bool)
        lanes[: layout.items] = np.asarray(chosen)[layout.replica_of_item[:, None] + layout.replica_of_lane]
        mask = lanes.reshape(1, -1, 1, 1, layout.group)
        blocks = self._item_blocks()
        device.write(self.data[:, :blocks], other.data[:, :blocks], mask)
        self.touch()

    def _item_blocks(self):
        return self.layout.first_ghost * self.layout.lanes // self.layout.group

    # ---- canonical order

    def to_numpy(self, gather=False):
        """The values in canonical order: ([replica], [copy], [direction], t, z, y, x, components).

        This rank's part, or the whole lattice on every rank if `gather`.
        """
        layout, lattice = self.layout, self.lattice
        raw = device.to_host(self.data[:, : self._item_blocks()])
        slots = raw.transpose(0, 2, 3, 1, 4).reshape(*raw.shape[:1], self.copies, self.kind.reals, -1)
        values = np.empty(
            (slots.shape[0], self.copies, lattice.replicas * lattice.local_volume, self.kind.reals), raw.dtype
        )
        values[:, :, layout.site_of_slot.reshape(-1)] = slots[..., : layout.items * layout.lanes].transpose(0, 1, 3, 2)
        local = self._canonical(values)
        return self._gathered(local) if gather else local

    def _canonical(self, values):
        lattice, kind = self.lattice, self.kind
        shape = (kind.buffers, self.copies, lattice.replicas, *lattice.local_shape[::-1])
        if kind.number == "complex":
            values = np.ascontiguousarray(values).view(np.complex128 if values.dtype == np.float64 else np.complex64)
        values = values.reshape(*shape, *kind.shape)
        values = np.moveaxis(values, 2, 0)  # replica, buffer, copy
        values = np.moveaxis(values, 2, 1)  # replica, copy, buffer
        return values.reshape(self._canonical_shape(lattice.local_shape))

    def _canonical_shape(self, extents):
        lead = [self.lattice.replicas] if self.lattice.replicas > 1 else []
        lead += [self.copies] if self.copies > 1 else []
        lead += [self.kind.buffers] if self.kind.directions else []
        return (*lead, *extents[::-1], *self.kind.shape)

    def _gathered(self, local):
        shape = self._canonical_shape(self.lattice.shape)
        result = np.empty(shape, local.dtype)
        axis = len(shape) - self.lattice.ndim - len(self.kind.shape)
        for rank, part in enumerate(self.lattice.comm.allgather(local)):
            coords = self.lattice.coords_of_rank(rank)
            box = [slice(c * n, (c + 1) * n) for c, n in zip(coords, self.lattice.local_shape)][::-1]
            result[(slice(None),) * axis + tuple(box)] = part
        return result

    def from_numpy(self, values, gathered=False):
        """Set the field from values in canonical order: this rank's part, or the whole lattice if `gathered`."""
        values = np.asarray(values)
        lattice, kind, layout = self.lattice, self.kind, self.layout
        wanted = self._canonical_shape(lattice.shape if gathered else lattice.local_shape)
        if values.shape != wanted:
            raise LqcdError(f"{kind.name} need an array of shape {wanted}, not {values.shape}")
        if gathered:
            axis = len(wanted) - lattice.ndim - len(kind.shape)
            values = values[(slice(None),) * axis + lattice.slab]
        values = values.reshape(lattice.replicas, self.copies, kind.buffers, lattice.local_volume, -1)
        values = np.moveaxis(values, 0, 2).swapaxes(0, 1)  # buffer, copy, replica
        number = {"complex": {8: np.complex128, 4: np.complex64}, "real": {8: np.float64, 4: np.float32}}
        dtype = number[kind.number][self.data.dtype.itemsize]
        values = np.ascontiguousarray(values, dtype=dtype).view(self.data.dtype)
        values = values.reshape(kind.buffers, self.copies, lattice.replicas * lattice.local_volume, kind.reals)
        slots = values[:, :, layout.site_of_slot.reshape(-1)].transpose(0, 1, 3, 2)
        raw = self.data[:, : self._item_blocks()]
        flat = np.zeros((kind.buffers, self.copies, kind.reals, raw.shape[1] * layout.group), raw.dtype)
        flat[..., : slots.shape[-1]] = slots
        blocks = flat.reshape(kind.buffers, self.copies, kind.reals, -1, layout.group).transpose(0, 3, 1, 2, 4)
        device.write(raw, blocks)
        self.touch()
        return self

    # ---- versions and halos

    @contextmanager
    def writing(self):
        """Raw memory for writing by hand; halos are stale afterwards."""
        yield self.data
        self.touch()

    def touch(self, buffers=None, parities=(0, 1)):
        """Note that these buffers and parities were written."""
        self.version += 1
        parities = (0, 1) if self.layout.mixed else parities
        for parity in parities:
            self.versions[parity] += 1
        for buffer in range(self.kind.buffers) if buffers is None else buffers:
            for parity in parities:
                self._fresh.pop((buffer, parity), None)
                if Exchange.poison and self.layout.ghosts:
                    self.data[buffer, self._item_blocks() :] = np.nan
                    self._fresh.pop((buffer, 1 - parity), None)

    def stale(self, buffer, halo):
        """Parities of a buffer whose ghosts in this halo are out of date."""
        return [p for p in (0, 1) if not self._covers(self._fresh.get((buffer, p)), halo)]

    @staticmethod
    def _covers(exchanged, halo):
        if not exchanged:
            return False
        return halo.displacements in exchanged or any(halo.displacements <= one for one in exchanged)

    def freshen(self, pieces):
        """Note that pieces (buffer, parity, halo) have been exchanged."""
        for buffer, parity, halo in pieces:
            self._fresh.setdefault((buffer, parity), set()).add(halo.displacements)

    def shared(self, key, make):
        """What belongs to this field under a key; made on first use."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def exchange(self, pieces):
        """The persistent exchange of pieces (buffer, parity, halo)."""
        key = tuple((b, p, id(h)) for b, p, h in pieces)
        if key not in self._exchanges:
            self._exchanges[key] = Exchange(self, pieces)
        return self._exchanges[key]

    def __repr__(self):
        return f"Field of {self.kind.name} ({self.precision}) on {self.lattice!r}"
