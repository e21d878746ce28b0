"""The structure of our HDF5 files: attributes, datasets and metadata, all but the numbers of the fields.

The file holds its shape and the version of the code, each dataset of the group "fields" its checksum and its
number of leading axes. Metadata are attributes of the group "metadata" where they are short, else JSON texts
with a crc32. The library checksums the structure itself (file format v1.10). Time stamps are left out: equal
content, equal bytes. h5py is imported on first use.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager
from errno import ENOENT

import numpy as np

from ..errors import LqcdError
from ..version import __version__
from .atomic import reserve

_KIND, _LAYOUT_VERSION = "lqcd_hpc", 2
_OVERHEAD = 1 << 20
_SHORT = 1024
_HEADER = 1 << 16  # bytes: what HDF5 allows the attributes in the header of an object


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
    about = attributes(path, file)
    if about.get("format") != _KIND or not {"fields", "metadata"} <= set(file):
        raise LqcdError(
            f"{path} is HDF5 but was not written by lqcd_hpc: convert it to ILDG with the code that wrote it"
        )
    if about["layout"] > _LAYOUT_VERSION:
        raise LqcdError(f"{path} has layout {about['layout']}, newer than this version reads: update lqcd_hpc")
    shape = tuple(int(n) for n in about["dims"])
    found = {name: own_dataset(path, file["fields"], name) for name in file["fields"]}
    for name, data in found.items():
        own = attributes(path, data)
        fits = data.shape[: len(shape)] == shape[::-1] and 0 <= own.get("leading", -1) <= data.ndim - len(shape)
        if not fits or data.dtype.kind not in "cfiu" or "checksum" not in own:
            raise LqcdError(f"{path} is damaged: field {name} of shape {data.shape} does not fit the lattice {shape}")
    return shape, found, _read_metadata(path, file)


def own_dataset(path, group, name):
    """A dataset whose numbers lie in this very file, all of them: no link to another file, no external or virtual
    storage, no filter that makes much of little, and no more bytes than the file has.

    Raises `LqcdError` for all others.
    """
    import h5py

    data = group.get(name) if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(data, h5py.Dataset):
        raise LqcdError(f"{path} is damaged or not of ours: {name!r} is no dataset of this file")
    plan, size = data.id.get_create_plist(), data.id.get_type().get_size() * int(np.prod(data.shape, dtype=object))
    if data.is_virtual or data.external or plan.get_nfilters() or data.dtype.hasobject:
        raise LqcdError(f"{path} is not of ours: the numbers of {name!r} are stored elsewhere, or packed")
    if not size <= min(data.id.get_storage_size(), os.path.getsize(path)):
        raise LqcdError(f"{path} is damaged: {name!r} claims {size} bytes, more than the file holds")
    return data


def attributes(path, place):
    """The attributes of an object by name: numbers, lists of numbers, texts.

    Raises `LqcdError` for what claims more bytes than a header holds, and for texts of variable length, whose heap no
    checksum covers and in which the library can lose itself.
    """
    import h5py

    found = {}
    for number in range(h5py.h5a.get_num_attrs(place.id)):
        one = h5py.h5a.open(place.id, index=number)
        if one.get_storage_size() > _HEADER or one.dtype.hasobject:
            raise LqcdError(
                f"{path} is damaged, or of a version before 0.1: its attribute {one.name!r} is no plain number or text"
            )
        value = place.attrs[one.name.decode()]
        value = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
        found[one.name.decode()] = value.decode() if isinstance(value, bytes) else value
    return found


def _read_metadata(path, file):
    metadata = attributes(path, file["metadata"])
    for key in file["metadata"]:
        data = own_dataset(path, file["metadata"], key)
        text = bytes(data[()])
        if zlib.crc32(text) != attributes(path, data).get("crc32"):
            raise LqcdError(f"{path} is damaged: the checksum of its metadata {key!r} does not agree")
        metadata[key] = json.loads(text)
    return metadata


def allocate(path, slab, datasets, metadata):
    """Make a file on a disk that has the space for it, with metadata and allocated, still empty datasets.

    `datasets`: name -> (dtype, shape of a site, attributes).
    """
    sizes = [np.dtype(dtype).itemsize * int(np.prod(inner)) for dtype, inner, _ in datasets.values()]
    reserve(path, sum(sizes) * slab.volume + _OVERHEAD)
    with _create_file(path) as file:
        about = {"format": _KIND, "layout": _LAYOUT_VERSION, "dims": slab.shape, "code_version": __version__}
        _set_attributes(file, about)
        group = _create_group(file, "fields")
        for name, (dtype, inner, about) in datasets.items():
            _set_attributes(_create_dataset(group, name, dtype, (*slab.sites, *inner)), about)
        _write_metadata(_create_group(file, "metadata"), metadata)


def _create_file(path):
    import h5py

    plan, access = _plan(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    return h5py.File(h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_TRUNC, plan, access))


def _create_group(file, name):
    import h5py

    return h5py.Group(h5py.h5g.create(file.id, name.encode(), gcpl=_plan(h5py.h5p.GROUP_CREATE)))


def _create_dataset(group, name, dtype, shape):
    """A dataset with one chunk for each time slice, allocated at once so that any rank can write its part."""
    import h5py

    plan = _plan(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((1, *shape[1:]))
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    kind, space = h5py.h5t.py_create(np.dtype(dtype), logical=True), h5py.h5s.create_simple(shape)
    return h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, dcpl=plan))


def _plan(kind):
    """Creation properties of an object without time stamps."""
    import h5py

    plan = h5py.h5p.create(kind)
    plan.set_obj_track_times(False)
    return plan


def _write_metadata(group, metadata):
    _set_attributes(group, {key: value for key, value in metadata.items() if _is_short(value)})
    for key, value in metadata.items():
        if not _is_short(value):
            text = json.dumps(value, default=lambda array: array.tolist()).encode()
            data = group.create_dataset(key, data=np.void(text))
            data.attrs["crc32"] = zlib.crc32(text)


def _set_attributes(place, values):
    """Write attributes, texts with a fixed length: they lie in the header, which the library checksums."""
    import h5py

    for key, value in values.items():
        if isinstance(value, str):
            text = value.encode()
            place.attrs.create(key, text, dtype=h5py.string_dtype("utf-8", len(text)))
        else:
            place.attrs[key] = value


def _is_short(value):
    """Whether an HDF5 attribute can hold the value as it is."""
    if isinstance(value, str):
        return 0 < len(value) <= _SHORT and "\0" not in value
    return isinstance(value, float) or isinstance(value, int) and abs(value) < 2**63
