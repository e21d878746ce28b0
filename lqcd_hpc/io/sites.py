"""Links as site records: the one payload that ILDG, SciDAC, NERSC and MILC share, with x fastest, then y, z,
t.

A record is the links of one site, mu = x, y, z, t, each a row-major matrix of complex numbers (or its first
rows only). In memory records are `uint8 (t, z, y, x, bytes)`, exactly the bytes of the file.
"""

from __future__ import annotations

import numpy as np

from .atomic import reserve
from .collective import everywhere, on_root


def encode(links, number, rows=None):
    """Records of the first `rows` rows of links `(mu, t, z, y, x, Nc, Nc)` as numbers such as ">c16"."""
    ndim = links.shape[0]
    by_site = np.moveaxis(links, 0, ndim)[..., :rows, :].astype(number, order="C")
    return by_site.reshape(*by_site.shape[:ndim], -1).view(np.uint8)


def decode(records, number, nc, rows=None):
    """Links `(mu, t, z, y, x, rows, Nc)` of records, in the machine's byte order and the file's precision."""
    ndim = records.ndim - 1
    number = np.dtype(number)
    by_site = records.view(number).reshape(*records.shape[:ndim], ndim, rows or nc, nc)
    return np.moveaxis(by_site, ndim, 0).astype(number.newbyteorder("="), order="C")


def flat(records):
    """Records without their lattice shape: `(sites, bytes)`, as checksums want them."""
    return records.reshape(-1, records.shape[-1])


def read_records(path, offset, size, slab):
    """This rank's records of `size` bytes each from the payload that starts at byte `offset`. Collective."""
    comm, record = slab.comm, np.dtype(f"V{size}")
    read = everywhere(comm, lambda: comm.read_slab(path, offset, record, slab.sites, slab.start, slab.count))
    return read.view(np.uint8).reshape(*slab.count, size)


def write_records(path, before, records, after, slab):
    """Make the file `before`, payload, `after` (bytes), every rank writing its own records. Collective."""
    comm, size = slab.comm, records.shape[-1]
    behind = len(before) + slab.volume * size
    on_root(comm, lambda: _frame(path, before, behind, after))
    own = records.view(f"V{size}").reshape(slab.count)
    everywhere(comm, lambda: comm.write_slab(path, len(before), own, slab.sites, slab.start))


def _frame(path, before, behind, after):
    """Reserve the whole file and write what surrounds the payload."""
    reserve(path, behind + len(after))
    with open(path, "r+b") as file:
        file.write(before)
        file.seek(behind)
        file.write(after)
