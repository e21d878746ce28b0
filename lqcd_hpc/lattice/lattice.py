"""The lattice: extents, boundaries, replicas, and the part of it that this rank owns."""

from __future__ import annotations

from math import prod
from operator import index

import numpy as np

from ..errors import LqcdError
from . import communicator
from .decomposition import choose_grid

MAX_SITES = 2**40
MAX_REPLICAS = 2**24
MAX_THREADS = 2**12


class Lattice:
    """A global lattice in 2 to 4 dimensions, divided over the ranks of a communicator.

    Parameters
    ----------
    shape : (Lx, Ly, ...) global extents, directions x, y, z, t; the last one is the time direction.
    ranks : the rank grid (one number per direction), or None for the one of least surface.
    boundary : "periodic" or "open" for each direction (all periodic if None). Links that would leave the lattice in
        an open direction are zero.
    replicas : number of independent systems that are updated together.
    comm : None (all processes), an mpi4py communicator, or one of ours; a sub-communicator is welcome.
    threads : threads per rank; the cores of this rank's share of the node if None.

    Raises `LqcdError` for an impossible shape, boundary or rank grid (the valid ones are listed).

    >>> lattice = Lattice((4, 4, 8))
    >>> lattice.volume, lattice.local_shape
    (128, (4, 4, 8))
    """

    def __init__(self, shape, ranks=None, boundary=None, replicas=1, comm=None, threads=None):
        self.shape = _extents(shape)
        self.ndim = len(self.shape)
        self.boundary = _boundaries(boundary, self.ndim)
        self.replicas = _number("replicas", replicas, MAX_REPLICAS)
        self.comm = communicator.wrap(comm)
        self.ranks = choose_grid(self.shape, self.comm.size, ranks)
        self.rank_coords = self.coords_of_rank(self.comm.rank)
        self.local_shape = tuple(n // r for n, r in zip(self.shape, self.ranks))
        self.origin = tuple(c * n for c, n in zip(self.rank_coords, self.local_shape))
        self.threads = None if threads is None else _number("threads", threads, MAX_THREADS)
        self.grain = (1,) * self.ndim  # lanes hold sub-lattices whose extents are multiples of this
        self.parent = None  # the lattice whose blocks are the sites of this one
        self._sites = object()  # what lattices with the same sites share
        self.cache = {}  # layouts, neighbour tables, halos and domains, made on demand

    @property
    def volume(self):
        """The number of sites of the global lattice."""
        return prod(self.shape)

    @property
    def local_volume(self):
        return prod(self.local_shape)

    @property
    def slab(self):
        """Slices of this rank's part in an array of canonical order (..., z, y, x)."""
        pairs = list(zip(self.origin, self.local_shape))
        return tuple(slice(start, start + count) for start, count in reversed(pairs))

    def grained(self, block):
        """The same lattice with fields whose lanes hold whole blocks of these extents.

        Raises `LqcdError` if the block does not divide the part of a rank.
        """
        self._check_block(block)
        other = self._like(self.shape, tuple(block), None)
        other._sites = self._sites
        return other

    def coarse(self, block):
        """The lattice whose sites are the blocks of this one, block by block in the same lanes.

        Raises `LqcdError` if the block does not divide the part of a rank.

        >>> Lattice((8, 8)).coarse((2, 4)).shape
        (4, 2)
        """
        self._check_block(block)
        return self._like(tuple(n // b for n, b in zip(self.shape, block)), (1,) * self.ndim, self)

    def has_the_sites_of(self, other):
        """Whether the two differ in nothing but the lanes that `grained` asked for."""
        return self._sites is other._sites

    def _like(self, shape, grain, parent):
        threads = self.threads
        other = Lattice(shape, self.ranks, self.boundary, self.replicas, self.comm, threads)
        other.grain, other.parent = grain, parent
        return other

    def _check_block(self, block):
        if len(block) != self.ndim or any(b < 1 or n % b for n, b in zip(self.local_shape, block)):
            valid = [[b for b in range(1, n + 1) if n % b == 0] for n in self.local_shape]
            raise LqcdError(
                f"blocks of {'x'.join(map(str, block))} do not divide the {'x'.join(map(str, self.local_shape))} sites "
                f"of a rank: choose extents from {', '.join(map(str, valid))}, or other ranks"
            )

    def is_open(self, mu):
        return self.boundary[mu] == "open"

    def coords_of_rank(self, rank):
        """Coordinates of a rank in the grid; x runs slowest, as in an MPI Cartesian communicator."""
        return tuple(int(c) for c in np.unravel_index(rank, self.ranks))

    def rank_of_coords(self, coords):
        return int(np.ravel_multi_index([c % r for c, r in zip(coords, self.ranks)], self.ranks))

    def __repr__(self):
        shape, grid, local = ("x".join(map(str, n)) for n in (self.shape, self.ranks, self.local_shape))
        copies = f", {self.replicas} replicas" if self.replicas > 1 else ""
        return f"Lattice {shape} over ranks {grid} (local {local}){copies}"


def _number(name, value, largest):
    try:
        if 1 <= index(value) <= largest:
            return index(value)
    except TypeError:
        pass
    raise LqcdError(f"{name} = {value!r}: choose an integer between 1 and {largest}")


def _extents(shape):
    try:
        extents = tuple(index(n) for n in shape)
    except TypeError:
        raise LqcdError(f"lattice shape {shape!r} is not a list of integers such as (8, 8, 8, 16)") from None
    if not 2 <= len(extents) <= 4:
        raise LqcdError(f"a lattice has 2, 3 or 4 dimensions, not {len(extents)}: {extents}")
    if min(extents) < 1:
        raise LqcdError(f"every extent must be at least 1: {extents}")
    if prod(extents) >= MAX_SITES:
        raise LqcdError(f"{extents} has more than 2^40 sites, which the random numbers cannot tell apart")
    return extents


def _boundaries(boundary, ndim):
    boundary = ("periodic",) * ndim if boundary is None else tuple(boundary)
    if len(boundary) != ndim or not set(boundary) <= {"periodic", "open"}:
        raise LqcdError(f'boundary {boundary!r}: give "periodic" or "open" for each of the {ndim} directions')
    return boundary
