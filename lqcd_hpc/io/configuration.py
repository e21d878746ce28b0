"""Gauge fields from and to files."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from ..fields import kinds
from ..fields.field import Field
from ..fields.gauge import unitarity_deviation
from ..lattice import Lattice
from .files import inspect_header, read_links, write_links

UNITARITY = {"single": 1e-5, "double": 1e-10}  # largest |(U U^dag - 1)_ij| of a sound file, by its precision


def load(path, lattice=None, shape=None, precision="double", comm=None):
    """The gauge field of a file, its checksum and unitarity verified, and its `Header`.

    lattice : None makes one of the file's shape; shape : for files that do not state theirs.
    Raises `LqcdError` for a damaged or unknown file, another shape, or links that are not unitary.

    >>> from lqcd_hpc import gauge
    >>> written = save("unit.scidac", gauge.unit(Lattice((4, 4)), "SU(2)"), format="scidac")
    >>> U, header = load("unit.scidac")
    >>> header.shape, header.checksum_stored == header.checksum_computed
    ((4, 4), True)
    """
    if lattice is None:
        lattice = Lattice(inspect_header(path, shape).shape, comm=comm)
    links, header = read_links(path, lattice, shape)
    U = Field(lattice, kinds.links(header.nc, lattice.ndim), precision)
    U.from_numpy(np.broadcast_to(links, U.to_numpy().shape))
    deviation = unitarity_deviation(U)
    if not deviation <= UNITARITY[header.precision]:
        raise LqcdError(
            f"{path}: links deviate from unitarity by {deviation:.2g}; the file is damaged or not a gauge field"
        )
    return U, header


def save(path, U, format="ildg", precision=None, metadata=None):
    """Write the gauge field to a file in one of the formats; returns the `Header` written.

    Raises `LqcdError` for a field of several replicas, an unwritable path, a full disk.

    >>> from lqcd_hpc import gauge
    >>> save("unit.ildg", gauge.unit(Lattice((4, 4, 4, 4)), "SU(3)"), precision="single").precision
    'single'
    """
    if U.lattice.replicas > 1:
        raise LqcdError("a configuration file holds one system: this field has several replicas")
    return write_links(path, format, U.to_numpy(), U.lattice, precision=precision, metadata=metadata)
