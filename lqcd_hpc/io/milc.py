"""MILC version 5 configurations: a header of 96 bytes and single-precision links, in either byte order.

Header: magic 20103, extents x y z t, time stamp of 64 bytes, site order (0), checksums sum29 and sum31.
"""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime
from math import prod

from ..errors import LqcdError
from . import checksum, sites
from .header import Header, agree_on_shape, require_size

FORMAT = "milc"
_MAGIC, _MAGIC_V4 = 20103, 59354
_SIZE, _SITE = 96, 4 * 9 * 8


def matches(path, head):
    """The file has the magic number of MILC, version 4 or 5, in either byte order."""
    return _order(head) is not None


def _order(head):
    """Byte order of a file by its magic number, None if it is no MILC file."""
    for order in "<>":
        if len(head) >= 4 and struct.unpack(f"{order}i", head[:4])[0] in (_MAGIC, _MAGIC_V4):
            return order
    return None


def header(path, shape=None):
    """Header of a MILC file; metadata["milc"] holds time stamp and byte order."""
    with open(path, "rb") as file:
        head = file.read(_SIZE)
    order = _order(head)
    if len(head) < _SIZE:
        raise LqcdError(f"{path} is truncated: it ends inside its header; fetch it again")
    magic, *extents, stamp, site_order, sum29, sum31 = struct.unpack(f"{order}5i64si2I", head)
    if magic == _MAGIC_V4:
        raise LqcdError(f"{path} is a MILC version 4 file: convert it to version 5 with MILC's tools")
    if min(extents) < 1 or site_order != 0:
        raise LqcdError(f"{path}: extents {extents} with site order {site_order} cannot be read (only order 0)")
    shape = agree_on_shape(path, extents, shape)
    require_size(path, _SIZE + prod(shape) * _SITE, os.path.getsize(path), "the file")
    about = {"time_stamp": stamp.split(b"\0")[0].decode("latin-1"), "byte_order": _NAMES[order]}
    return Header(FORMAT, shape, 3, "single", f"{sum29:08x}/{sum31:08x}", offset=_SIZE, metadata={"milc": about})


_NAMES = {"<": "little", ">": "big"}
_ORDERS = {name: order for order, name in _NAMES.items()}


def read(path, header, slab):
    """This rank's links, and the checksum of the payload."""
    order = _ORDERS[header.metadata["milc"]["byte_order"]]
    records = sites.read_records(path, header.offset, _SITE, slab)
    return sites.decode(records, f"{order}c8", 3), checksum.milc(sites.flat(records), slab, order)


def write(path, links, slab, precision, metadata):
    """Write single precision; `metadata["milc"]` gives time stamp and byte order. Returns the checksum."""
    if slab.ndim != 4 or links.shape[-1] != 3:
        raise LqcdError("MILC files hold SU(3) links in 4 dimensions: write hdf5 or scidac")
    if precision != "single":
        raise LqcdError('MILC files hold single precision only: ask for precision "single", or write ildg or hdf5')
    old = metadata.get("milc", {})
    order = _ORDERS[old.get("byte_order", "little")]
    records = sites.encode(links, f"{order}c8")
    computed = checksum.milc(sites.flat(records), slab, order)
    words = [int(word, 16) for word in computed.split("/")]
    stamp = old.get("time_stamp", _now()).encode("latin-1", "replace")
    head = struct.pack(f"{order}5i64si2I", _MAGIC, *slab.shape, stamp, 0, *words)
    sites.write_records(path, head, records, b"", slab)
    return computed


def _now():
    return datetime.now(UTC).strftime("%a %b %d %H:%M:%S %Y")
