"""Our HDF5 configurations: the dataset "links" of a file of site fields (`sitefields.py`), in 2 to 4
dimensions.

Plaquette, link trace, boundary, random numbers, run file and whatever else is given as metadata come back as
given.
"""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from .container import attributes, describe, open_file
from .header import Header, agree_on_shape
from .sitefields import SiteArray, create, read_field

FORMAT = "hdf5"
LINKS = "links"


def matches(path, head):
    """The file has the signature of HDF5."""
    return head.startswith(b"\x89HDF\r\n\x1a\n")


def header(path, shape=None):
    """Header of a configuration file; metadata are what was written with it."""
    with open_file(path, "r") as file:
        stored, found, metadata = describe(path, file)
        if LINKS not in found:
            raise LqcdError(
                f"{path} holds {', '.join(found) or 'no fields'} but no dataset {LINKS!r}: no configuration"
            )
        shape = agree_on_shape(path, stored, shape)
        data = found[LINKS]
        ndim = len(shape)
        if data.shape[ndim:-2] != (ndim,) or data.shape[-1] != data.shape[-2] or data.dtype.kind != "c":
            raise LqcdError(f"{path}: its dataset {LINKS!r} of shape {data.shape} does not hold links")
        precision = "single" if data.dtype.itemsize == 8 else "double"
        return Header(FORMAT, shape, data.shape[-1], precision, attributes(path, data)["checksum"], metadata=metadata)


def read(path, header, slab):
    """This rank's links, and the SciDAC checksum of the site records."""
    site_array, computed = read_field(path, LINKS, slab)
    return site_array.values, computed


def write(path, links, slab, precision, metadata):
    """Write the links and metadata; returns the checksum of the links."""
    number = np.complex64 if precision == "single" else np.complex128
    links = links.astype(number, copy=False)
    nc = links.shape[-1]
    extra = {"precision": precision, "group": "U(1)" if nc == 1 else f"SU({nc})"}
    return create(path, {LINKS: SiteArray(links, 1)}, slab, {**_own(metadata), **extra})[LINKS]


def _own(metadata):
    """Metadata without the texts of other formats."""
    return {key: value for key, value in metadata.items() if key not in ("lime", "nersc", "milc")}
