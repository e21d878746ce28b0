"""The numbers of a solver, kept where kernels reduce into and read them, and the steps that compute them.

A solver runs many systems at once: every copy (right-hand side) and replica has numbers of its own. Vector kernels
leave exact sums; a `Step` rounds them and computes what the next kernel needs. The host looks only now and then.
"""

from __future__ import annotations

import ctypes
from functools import cached_property

import numpy as np

from ..backend import device
from ..backend.program import Program
from .domain import Items
from .sums import BINS


class Numbers:
    """`values[name, copy, replica]` in double precision, and room for `sums` exact sums per system.

    Without such room kernels read these numbers, but their sums go to the host.

    >>> from lqcd_hpc import Lattice
    >>> Numbers(Lattice((4, 4)), copies=2, names=3).read().shape
    (3, 2, 1)
    """

    def __init__(self, lattice, copies, names, sums=0):
        self.lattice, self.copies = lattice, copies
        self.values = device.zeros((names, copies, lattice.replicas), np.float64)
        self.bins = device.zeros((lattice.replicas * copies * sums, BINS), np.int64) if sums else None

    @property
    def systems(self):
        return self.copies * self.lattice.replicas

    def read(self):
        """A copy of all values on the host, shape (names, copies, replicas)."""
        return np.array(device.to_host(self.values))

    def write_all(self, values):
        """Set all numbers of every system, shape (names, copies, replicas)."""
        device.write(self.values, np.asarray(values, np.float64))

    def write(self, name, values):
        """Set one number of every system, shape (copies, replicas) or a scalar."""
        device.write(self.values[name], np.broadcast_to(np.asarray(values, np.float64), self.values[name].shape))


class Step:
    """The function of kernels/krylov.h that turns the sums of launch `after` (if any) into numbers."""

    SCALARS = (("sums", "i64"), ("shift", "double"), ("limit", "double"), ("first", "i64"), ("shifts", "i64"))

    def __init__(self, numbers, function, after=None, header="krylov.h", **scalars):
        self.numbers, self.lattice = numbers, numbers.lattice
        self._sums = len(after.kernel.sums) if after else 0
        program = Program(header, function, (numbers.copies,), "double", 1, 1, False, (), (), self.SCALARS, 0)
        self.function, self.arguments = device.load(program), program.arguments()
        self.address, self.items = ctypes.addressof(self.arguments), Items(0, numbers.systems)
        a = self.arguments
        a.sums, a.replicas, a.threads = self._sums, self.lattice.replicas, 1
        for name, value in scalars.items():
            setattr(a, name, value)
        a.neighbours, a.displacements = device.table(_NOWHERE), 0
        a.numbers, a.bins = device.address(numbers.values), device.address(numbers.bins)

    @cached_property
    def silent(self):
        """Whether nothing has to be done on the host before it."""
        return self.lattice.comm.size == 1 or not self._sums

    def moved(self):
        """Numbers stay where they are."""
        return False

    def note_writes(self):
        """No field is written."""

    def __call__(self):
        if not self.silent:
            mine = self.numbers.bins[: self._sums * self.lattice.replicas]
            device.write(mine, self.lattice.comm.allreduce(np.array(device.to_host(mine))))
        self.function(self.address, self.items.begin, self.items.end, self.lattice.replicas)


_NOWHERE = np.zeros((1, 1), np.uint32)
