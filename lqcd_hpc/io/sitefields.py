"""Our HDF5 file of site fields and metadata: the container of configurations (`hdf5.py`) and of checkpoints.

One dataset per field in site order t, z, y, x (chunk: one time slice), then the leading axes of the array,
then its trailing ones; numbers in the machine's order. Each dataset carries the SciDAC checksum of its site
records and its number of leading axes; the file its shape and the version of the code. Metadata are
attributes where they are short, else JSON texts with a crc32. The HDF5 structure itself is checksummed by the
library (file format v1.10).

Parallel: one collective write where h5py was built with MPI; otherwise ranks write their own part one after
the other, and read at the same time. h5py is imported on first use.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from errno import ENOENT
from functools import partial

import numpy as np

from ..errors import LqcdError
from ..version import __version__
from . import checksum
from .atomic import replacing, reserve
from .collective import everywhere, on_root
from .header import agree_on_shape
from .slab import Slab

_KIND, _LAYOUT_VERSION = "lqcd_hpc", 1
_OVERHEAD = 1 << 20
_SHORT = 1024


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
    """Fields of a file (all, or those of `names`) as `SiteArray`s by name, and its metadata. Collective.

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
        return {name: data.attrs["checksum"] for name, data in found.items()}, metadata


def _check_fields(fields, slab):
    for name, field in fields.items():
        inner = field.values.shape[field.leading : field.leading + slab.ndim]
        if inner != slab.count:
            raise LqcdError(f"field {name}: site axes {inner} do not fit this rank's part {slab.count}")


@contextmanager
def open_file(path, mode, **options):
    """An h5py file; in mode "r" whatever the library cannot read is an `LqcdError`."""
    import h5py

    if mode == "r" and not os.path.exists(path):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), str(path))
    try:
        with h5py.File(path, mode, locking=False, libver=("v110", "v110"), **options) as file:
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        if mode != "r":
            raise
        raise LqcdError(f"{path} cannot be read as HDF5 ({error}): it is damaged or truncated") from None


def describe(path, file):
    """Shape, datasets by name, and metadata of an open file."""
    if file.attrs.get("format") != _KIND or "fields" not in file:
        raise LqcdError(
            f"{path} is HDF5 but was not written by lqcd_hpc: convert it to ILDG with the code that wrote it"
        )
    if file.attrs["layout"] > _LAYOUT_VERSION:
        raise LqcdError(
            f"{path} has layout {file.attrs['layout']}, newer than this version reads: update lqcd_hpc"
        )
    shape = tuple(int(n) for n in file.attrs["dims"])
    found = dict(file["fields"].items())
    for name, data in found.items():
        if data.shape[: len(shape)] != shape[::-1] or "checksum" not in data.attrs:
            raise LqcdError(
                f"{path} is damaged: field {name} of shape {data.shape} does not fit the lattice {shape}"
            )
    return shape, found, _read_metadata(path, file)


def _read_metadata(path, file):
    metadata = {}
    for key, value in file["metadata"].attrs.items():
        metadata[key] = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
    for key, data in file["metadata"].items():
        text = bytes(data[()])
        if zlib.crc32(text) != data.attrs["crc32"]:
            raise LqcdError(f"{path} is damaged: the checksum of its metadata {key!r} does not agree")
        metadata[key] = json.loads(text)
    return metadata


def _write_metadata(file, metadata):
    group = file.create_group("metadata")
    for key, value in metadata.items():
        if _is_short(value):
            group.attrs[key] = value
        else:
            text = json.dumps(value, default=lambda array: array.tolist()).encode()
            data = group.create_dataset(key, data=np.void(text))
            data.attrs["crc32"] = zlib.crc32(text)


def _is_short(value):
    """Whether an HDF5 attribute can hold the value as it is."""
    if isinstance(value, str):
        return 0 < len(value) <= _SHORT and "\0" not in value
    return isinstance(value, float) or isinstance(value, int) and abs(value) < 2**63


def create(path, fields, slab, metadata):
    """Make the file at `path` (a temporary name) with fields and metadata; checksums by name. Collective."""
    records = {name: _site_major(field, slab) for name, field in fields.items()}
    sums = {name: checksum.scidac(_bytes(data, slab), slab) for name, data in records.items()}
    on_root(slab.comm, lambda: _allocate(path, fields, records, sums, slab, metadata))
    if _parallel(slab.comm):
        everywhere(slab.comm, lambda: _put(path, records, slab, driver="mpio", comm=slab.comm.mpi))
    else:
        for turn in range(slab.comm.size):
            step = _put if turn == slab.comm.rank else _wait
            everywhere(slab.comm, partial(step, path, records, slab))
    return sums


def _allocate(path, fields, records, sums, slab, metadata):
    """The whole structure with allocated, still empty datasets, on a disk that has the space for it."""
    sizes = [data.nbytes // slab.local_volume * slab.volume for data in records.values()]
    reserve(path, sum(sizes) + _OVERHEAD)
    import h5py

    with open_file(path, "w") as file:
        file.attrs.update(format=_KIND, layout=_LAYOUT_VERSION, dims=slab.shape, code_version=__version__)
        group = file.create_group("fields")
        for name, data in records.items():
            shape = (*slab.sites, *data.shape[slab.ndim :])
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_chunk((1, *shape[1:]))
            plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            space, kind = h5py.h5s.create_simple(shape), h5py.h5t.py_create(data.dtype, logical=True)
            made = h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, dcpl=plan))
            made.attrs.update(checksum=sums[name], leading=fields[name].leading)
        _write_metadata(file, metadata)


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
        return data[slab.box], int(data.attrs["leading"])


def _site_major(field, slab):
    """Values with the site axes first."""
    axes = range(field.leading)
    return np.ascontiguousarray(np.moveaxis(field.values, axes, range(slab.ndim, slab.ndim + field.leading)))


def _bytes(data, slab):
    """Site-major values as uint8 (sites, bytes per site)."""
    return data.reshape(slab.local_volume, -1).view(np.uint8)
