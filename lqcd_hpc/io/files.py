"""Reading and writing configurations of any format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import LqcdError
from . import formats
from .atomic import replacing
from .collective import everywhere, on_root, os_message
from .header import BYTES, Header
from .slab import Slab

_HEAD = 4096


def sniff(path):
    """Name of the format of a file, decided by its content.

    Raises `LqcdError` if the file cannot be read or is of no known format.

    >>> sniff("../shared/data/configs/weak_field.lime")  # doctest: +SKIP
    'ildg'
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise LqcdError(f"{path} is no file but a directory, a pipe or a device; name a file")
        with open(path, "rb") as file:
            head = file.read(_HEAD)
        for name, module in formats.modules().items():
            if module.matches(path, head):
                return name
    except OSError as error:
        raise LqcdError(os_message(error)) from None
    known = ", ".join(formats.modules())
    raise LqcdError(f"{path} ({'empty' if not head else 'unknown content'}) is none of the formats {known}")


def inspect_header(path, shape=None):
    """What the file says about itself, without reading its payload; all sizes are checked.

    `shape` (Lx, Ly, ..) is needed for files that do not state theirs, and must agree with those that do. Not
    collective: call it on one rank, or on all.

    >>> inspect_header("../shared/data/configs/lat.sample.l4448").checksum_stored  # doctest: +SKIP
    '13f3b413/161f7dde'
    """
    try:
        return formats.named(sniff(path)).header(path, shape)
    except OSError as error:
        raise LqcdError(os_message(error)) from None


def read_links(path, lattice=None, shape=None, verify=True):
    """This rank's links `(mu, t, z, y, x, Nc, Nc)` of a file, and its `Header` with both checksums.
    Collective.

    Parameters ---------- lattice : a `Lattice` or `Slab`; None reads the whole file on this process. shape :
    for files that do not state theirs; that of the lattice if None. verify : raise `LqcdError` when the
    stored checksum differs; with False the caller compares the two in the header.

    The numbers are complex64 or complex128 as in the file; only where a file leaves out the third row (NERSC)
    are they complex128, so that the row is as exact as the two stored ones.

    Raises `LqcdError` for damaged, truncated or unknown files and for shapes that do not agree.

    >>> links, header = read_links("../shared/data/configs/weak_field.lime")  # doctest: +SKIP
    >>> links.shape, header.checksum_computed  # doctest: +SKIP
    ((4, 8, 4, 4, 4, 3, 3), 'a2c41090/11193c39')
    """
    if lattice is None:
        slab = Slab.whole(inspect_header(path, shape).shape)
    else:
        slab = Slab.of(lattice)
    wanted = slab.shape if shape is None else tuple(shape)
    header = on_root(slab.comm, lambda: inspect_header(path, wanted))
    if header.shape != slab.shape:
        raise LqcdError(f"{path} holds a lattice {header.shape} but the lattice at hand is {slab.shape}")
    links, computed = formats.named(header.format).read(path, header, slab)
    header = replace(header, checksum_computed=computed)
    if verify:
        _compare(path, header)
    return links, header


def write_links(path, format, links, lattice, *, precision=None, metadata=None):
    """Write this rank's links to `path`, all ranks into one file, and return the `Header` of what was
    written.

    The file is written under a temporary name, synced, read back by checksum and renamed: after any failure
    the old file, or none, is there. Collective.

    Parameters ---------- format : a name that `sniff` gives, such as "ildg". precision : "single" or
        "double"; that of the array if None. metadata : as in `Header.metadata`; what was read with a file
        makes `write_links` repeat its byte order, rows and texts. NERSC needs "plaquette" and "link_trace".

    Raises `LqcdError` for an unwritable path, a full disk, and what the format cannot hold.
    """
    module, slab = formats.named(format), Slab.of(lattice)
    everywhere(slab.comm, lambda: slab.check_links(links))
    precision = precision or ("single" if links.dtype == np.complex64 else "double")
    if precision not in BYTES:
        raise LqcdError(f'precision {precision!r}: choose "single" or "double"')
    with replacing(path, slab.comm) as temporary:
        written = module.write(temporary, links, slab, precision, dict(metadata or {}))
        return _read_back(module, temporary, path, written, slab)


def _read_back(module, temporary, path, written, slab) -> Header:
    """Compare what is in the file with what was meant to be written."""
    header = on_root(slab.comm, lambda: module.header(temporary, slab.shape))
    _, computed = module.read(temporary, header, slab)
    if computed != written or header.checksum_stored not in (None, written):
        raise LqcdError(
            f"{path}: the file reads back with checksum {computed} instead of {written}, it was not kept: "
            "check the disk or write somewhere else"
        )
    return replace(header, checksum_computed=computed)


def _compare(path, header):
    stored, computed = header.checksum_stored, header.checksum_computed
    if stored is not None and stored != computed:
        raise LqcdError(
            f"{path} is damaged: its stored checksum is {stored} but its data give {computed}; fetch it again"
        )
