"""Site fields and metadata in our HDF5 file: what configurations (`hdf5.py`) and checkpoints are made of.

One dataset per field in site order t, z, y, x (chunk: one time slice), then the leading axes of the array,
then its trailing ones; numbers in the machine's order. Each dataset carries the SciDAC checksum of its site
records. The structure of the file is in `container.py`.

Parallel: one collective write where h5py was built with MPI; otherwise ranks write their own part one after
the other, and read at the same time.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..errors import LqcdError
from . import checksum
from .atomic import replacing
from .collective import everywhere, on_root
from .container import allocate, attributes, describe, open_file
from .header import agree_on_shape
from .slab import Slab


@dataclass(frozen=True)
class SiteArray:
    """This rank's part of a field: `values` of shape (leading axes, t, z, y, x, trailing axes)."""

    values: np.ndarray
    leading: int = 0


def write_fields(path, lattice, fields, metadata=None):
    """Write named fields (name -> `SiteArray`) and metadata into one file, whole or not at all. Collective.

    Returns the checksum of each field.

    >>> write_fields("check.h5", lattice, {"p": SiteArray(momenta, leading=1)}, {"step": 7})  # doctest: +SKIP
    {'p': 'a2c41090/11193c39'}
    """
    slab = Slab.of(lattice)
    everywhere(slab.comm, lambda: _check_fields(fields, slab))
    with replacing(path, slab.comm) as temporary:
        written = create(temporary, fields, slab, dict(metadata or {}))
        read_fields(temporary, slab)
    return written


def read_fields(path, lattice, names=None, verify=True):
    """Fields of a file (all, or those of `names`) by name, each a `SiteArray`, and its metadata. Collective.

    Raises `LqcdError` for missing fields, another lattice shape, damage.
    """
    slab = Slab.of(lattice)
    stored, metadata = on_root(slab.comm, lambda: _contents(path, slab.shape, names))
    fields = {}
    for name in stored if names is None else names:
        fields[name], computed = read_field(path, name, slab)
        if verify and computed != stored[name]:
            raise LqcdError(
                f"{path} is damaged: field {name} has checksum {computed} but {stored[name]} is stored in it"
            )
    return fields, metadata


def _contents(path, shape, names):
    """Stored checksum of every field, and the metadata."""
    with open_file(path, "r") as file:
        own, found, metadata = describe(path, file)
        agree_on_shape(path, own, shape)
        missing = [name for name in names or () if name not in found]
        if missing:
            raise LqcdError(f"{path} has no field {missing[0]!r}: it holds {', '.join(found)}")
        return {name: attributes(path, data)["checksum"] for name, data in found.items()}, metadata


def _check_fields(fields, slab):
    for name, field in fields.items():
        inner = field.values.shape[field.leading : field.leading + slab.ndim]
        if inner != slab.count:
            raise LqcdError(f"field {name}: site axes {inner} do not fit this rank's part {slab.count}")


def create(path, fields, slab, metadata):
    """Make the file at `path` (a temporary name) with fields and metadata; checksums by name. Collective."""
    records = {name: _site_major(field, slab) for name, field in fields.items()}
    sums = {name: checksum.scidac(_bytes(data, slab), slab) for name, data in records.items()}
    datasets = {
        name: (data.dtype, data.shape[slab.ndim :], {"checksum": sums[name], "leading": fields[name].leading})
        for name, data in records.items()
    }
    on_root(slab.comm, lambda: allocate(path, slab, datasets, metadata))
    if _parallel(slab.comm):
        everywhere(slab.comm, lambda: _put(path, records, slab, driver="mpio", comm=slab.comm.mpi))
    else:
        for turn in range(slab.comm.size):
            step = _put if turn == slab.comm.rank else _wait
            everywhere(slab.comm, partial(step, path, records, slab))
    return sums


def _put(path, records, slab, **options):
    """Write this rank's part of every dataset, collectively if `options` open it on all ranks."""
    with open_file(path, "r+", **options) as file:
        for name, data in records.items():
            target = file["fields"][name]
            with target.collective if options else nullcontext():
                target[slab.box] = data


def _wait(path, records, slab):
    """Another rank's turn."""


def _parallel(comm):
    """Whether all ranks can write one HDF5 file at once."""
    import h5py

    return bool(comm.size > 1 and h5py.get_config().mpi and hasattr(comm, "mpi"))


def read_field(path, name, slab):
    """This rank's part of a field as `SiteArray`, and its checksum."""
    data, leading = everywhere(slab.comm, lambda: _get(path, name, slab))
    computed = checksum.scidac(_bytes(data, slab), slab)
    axes = range(slab.ndim, slab.ndim + leading)
    return SiteArray(np.ascontiguousarray(np.moveaxis(data, axes, range(leading))), leading), computed


def _get(path, name, slab):
    with open_file(path, "r") as file:
        data = file["fields"][name]
        return data[slab.box], attributes(path, data)["leading"]


def _site_major(field, slab):
    """Values with the site axes first."""
    axes = range(field.leading)
    return np.ascontiguousarray(np.moveaxis(field.values, axes, range(slab.ndim, slab.ndim + field.leading)))


def _bytes(data, slab):
    """Site-major values as uint8 (sites, bytes per site)."""
    return data.reshape(slab.local_volume, -1).view(np.uint8)
