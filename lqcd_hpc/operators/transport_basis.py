"""A coarse space from transports alone: what pooling of gauge-equivariant networks projects on (arXiv:2304.10438)."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from .aggregates import basis_of


def transport_basis(A, block):
    """The vectors psi(x) = V(x) e_i of an operator's fields, for the unit vectors e_i of one chirality, in both.

    V(x) is the product of links from x to the first site of its block, along -x first, then -y, .., as they stand, so
    that it is never led out of the block. With `Transfer(aggregates, transport_basis(A, block))` restriction sums what
    is transported to that site, and a coarse vector (chirality, i) is a spinor there: it has its gauge transformation.

    Raises `LqcdError` if the block does not divide this rank's part of the lattice.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.aggregates import Aggregates, Transfer
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.unit(Lattice((8, 8)).grained((4, 4)), "SU(2)"))
    >>> Transfer(Aggregates(D.lattice, (4, 4), "double"), transport_basis(D, (4, 4))).kind.shape
    (2, 2)
    """
    lattice = A.lattice
    if any(n % b for n, b in zip(lattice.local_shape, block)):
        raise LqcdError(f"blocks of {'x'.join(map(str, block))} do not divide the part {lattice.local_shape} of a rank")
    v = transports(A.U.to_numpy(), block)
    spins, nc = A.kind.shape
    half = spins // 2
    basis = basis_of(A, half * nc)
    values = np.zeros((half, nc, *v.shape[:-2], spins, nc), complex)
    for s in range(half):
        for chirality in (s, half + s):
            values[s, ..., chirality, :] = np.moveaxis(v, -1, 0)
    return basis.from_numpy(values.reshape(basis.to_numpy().shape))


def transports(links, block):
    """V(x) for local links (mu, .., y, x, Nc, Nc): one at first sites, else U_mu(x-mu)^dag V(x-mu)."""
    ndim, nc = len(links), links.shape[-1]
    v = np.broadcast_to(np.eye(nc, dtype=complex), links.shape[1:]).copy()
    for mu in range(ndim - 1, -1, -1):  # the way ends in the last direction: it is built from there
        for step in range(1, block[mu]):
            here, before = (_sites(ndim, mu, block, offset) for offset in (step, step - 1))
            v[here] = np.conj(np.swapaxes(links[mu][before], -1, -2)) @ v[before]
    return v


def _sites(ndim, mu, block, offset):
    """Slices of the sites that lie `offset` behind the first one in mu."""
    return tuple(slice(offset, None, block[mu]) if nu == mu else slice(None) for nu in range(ndim - 1, -1, -1))
