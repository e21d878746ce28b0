"""Which sites of the global lattice this process holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..errors import LqcdError
from ..lattice.communicator import SerialCommunicator


@dataclass(frozen=True)
class Slab:
    """A box of sites, equal in size on all ranks of `comm`: what io needs to know of a lattice.

    `shape`, `origin` and `local_shape` are in the order x, y, z, t; `sites`, `start` and `count` are the same
    three in the order of arrays and files, t, z, y, x.

    >>> Slab.whole((2, 4)).count
    (4, 2)
    """

    shape: tuple[int, ...]
    origin: tuple[int, ...]
    local_shape: tuple[int, ...]
    comm: Any

    @classmethod
    def of(cls, lattice):
        """The slab of a lattice (or of anything with the four attributes)."""
        return cls(tuple(lattice.shape), tuple(lattice.origin), tuple(lattice.local_shape), lattice.comm)

    @classmethod
    def whole(cls, shape):
        """All sites on this process alone."""
        shape = tuple(shape)
        return cls(shape, (0,) * len(shape), shape, SerialCommunicator())

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def volume(self):
        return prod(self.shape)

    @property
    def local_volume(self):
        return prod(self.local_shape)

    @property
    def sites(self):
        return self.shape[::-1]

    @property
    def start(self):
        return self.origin[::-1]

    @property
    def count(self):
        return self.local_shape[::-1]

    @property
    def box(self):
        """Slices of this slab in a global array of site order."""
        return tuple(slice(first, first + n) for first, n in zip(self.start, self.count))

    def site_index(self):
        """Global lexicographic index (x fastest) of every local site, flat, int64."""
        index = np.zeros((1,) * self.ndim, np.int64)
        for axis, (total, first, n) in enumerate(zip(self.sites, self.start, self.count)):
            along = np.arange(first, first + n).reshape([-1 if a == axis else 1 for a in range(self.ndim)])
            index = index * total + along
        return index.reshape(-1)

    def check_links(self, links):
        """Number of colours of a local links array; `LqcdError` if its shape does not fit this slab."""
        expected = (self.ndim, *self.count)
        if links.ndim != self.ndim + 3 or links.shape[:-2] != expected or links.shape[-1] != links.shape[-2]:
            wanted = ", ".join(map(str, expected))
            raise LqcdError(f"links of shape {links.shape} do not fit: this rank's part is ({wanted}, Nc, Nc)")
        if links.dtype not in (np.complex64, np.complex128):
            raise LqcdError(f"links are {links.dtype}: give complex64 or complex128")
        return links.shape[-1]
