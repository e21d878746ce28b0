"""Configurations as plain text, one real number per line (Bridge++ text as JuliaQCD writes it).

Order, slowest first: t, z, y, x, mu (x, y, z, t), row, column, re/im; no header. The shape comes from the
caller, the number of colours from the number of lines. There is no stored checksum; the computed one is the
SciDAC checksum of the numbers as big-endian doubles.

Lines differ in length, so ranks first find where the lines they need begin: each rank scans its share of the
bytes.
"""

from __future__ import annotations

import os
import re
from math import isqrt, prod

import numpy as np

from ..errors import LqcdError
from . import checksum, sites
from .atomic import reserve
from .collective import everywhere, on_root
from .header import Header, require_shape

FORMAT = "bridgetext"
_NUMBER = rb"[ \t]*[-+]?(\d+\.?\d*|\.\d+)([eEdD][-+]?\d+)?[ \t]*\r?"
_FIRST = re.compile(_NUMBER + rb"\n" + _NUMBER + rb"\n")
_CHUNK = 1 << 20
_LONGEST = 64  # bytes of a line
_NEWLINE = 10


def matches(path, head):
    """The file begins with two lines of one number each."""
    return _FIRST.match(head) is not None


def header(path, shape=None):
    """Header from the number of lines, which must be 8 V Nc^2 for some Nc."""
    shape = require_shape(path, shape, "is text without a header")
    lines = _count_lines(path)
    nc = isqrt(lines // (8 * prod(shape)))
    if nc < 1 or lines != 8 * prod(shape) * nc * nc:
        raise LqcdError(
            f"{path} has {lines} lines, which fits no number of colours on a lattice {shape}: "
            "give the right shape, or fetch the file again if it was cut"
        )
    return Header(FORMAT, shape, nc, "double")


def _count_lines(path):
    """Lines of the file; the last one may lack its newline."""
    size = os.path.getsize(path)
    count = sum(len(found) for found in _newlines(path, 0, size))
    return count + (size > 0 and _last_byte(path) != b"\n")


def _last_byte(path):
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def _newlines(path, first, last):
    """Positions of the newlines in bytes first to last, a chunk at a time."""
    with open(path, "rb") as file:
        file.seek(first)
        while first < last:
            part = np.frombuffer(file.read(min(_CHUNK, last - first)), np.uint8)
            yield np.flatnonzero(part == _NEWLINE) + first
            first += len(part)


def read(path, header, slab):
    """This rank's links, and the SciDAC checksum of the numbers as big-endian doubles."""
    per_site = 8 * header.nc**2
    bounds = _piece_bounds(path, slab, per_site)
    values = everywhere(slab.comm, lambda: _parse_pieces(path, bounds, slab, per_site))
    links = sites.decode(values.view(np.uint8), np.complex128, header.nc)
    return links, _fingerprint(links, slab)


def _fingerprint(links, slab):
    return checksum.scidac(sites.flat(sites.encode(links, ">c16")), slab)


def _piece_bounds(path, slab, per_site):
    """Byte where each x-row piece of the global lattice begins, and the end of the file (int64)."""
    comm, step = slab.comm, slab.local_shape[0] * per_site
    bounds = np.zeros(slab.volume // slab.local_shape[0] + 1, np.int64)
    size = on_root(comm, lambda: os.path.getsize(path))
    first, last = size * comm.rank // comm.size, size * (comm.rank + 1) // comm.size
    counts = comm.allgather(everywhere(comm, lambda: sum(len(found) for found in _newlines(path, first, last))))
    everywhere(comm, lambda: _mark_pieces(path, (first, last), sum(counts[: comm.rank]), step, bounds))
    bounds = comm.allreduce(bounds)
    bounds[-1] = size
    return bounds


def _mark_pieces(path, span, line, step, bounds):
    """Enter the pieces that begin behind a newline in the bytes `span`, before which `line` lines end."""
    for found in _newlines(path, *span):
        lines = np.arange(line + 1, line + 1 + len(found))  # the line that begins behind each newline
        starts = lines % step == 0
        pieces = lines[starts] // step
        inside = pieces < len(bounds)
        bounds[pieces[inside]] = found[starts][inside] + 1
        line += len(found)


def _parse_pieces(path, bounds, slab, per_site):
    """The numbers of this rank's sites, float64 (t, z, y, x, per_site)."""
    values = np.empty((*slab.count, per_site))
    rows = values.reshape(-1, slab.local_shape[0] * per_site)
    with open(path, "rb") as file:
        for row, piece in zip(rows, _own_pieces(slab)):
            file.seek(bounds[piece])
            length = int(bounds[piece + 1] - bounds[piece])
            if not 0 <= length <= _LONGEST * len(row):
                raise LqcdError(
                    f"{path} is damaged behind byte {bounds[piece]}: lines are too long for one number each"
                )
            text = file.read(length)
            row[:] = _numbers(path, text, len(row), bounds[piece])
    return values


def _own_pieces(slab):
    """Global index of each of this rank's x-row pieces."""
    return slab.site_index()[:: slab.local_shape[0]] // slab.local_shape[0]


def _numbers(path, text, count, position):
    """`count` finite reals, one on each line of `text`."""
    try:
        values = np.fromiter(map(float, text.replace(b"D", b"e").replace(b"d", b"e").split()), np.float64)
    except ValueError as error:
        raise LqcdError(f"{path} is damaged behind byte {position}: {error}") from None
    if len(values) != count or not np.isfinite(values).all():
        raise LqcdError(f"{path} is damaged behind byte {position}: {count} lines do not hold one finite number each")
    return values


def write(path, links, slab, precision, metadata):
    """Write the numbers with as many digits as each needs; returns the checksum that `read` computes."""
    if slab.ndim != 4 or precision != "double":
        raise LqcdError("text files hold 4 dimensions in double precision: write hdf5, or give precision double")
    values = sites.flat(sites.encode(links, np.complex128)).view(np.float64)
    rows = values.reshape(-1, slab.local_shape[0] * values.shape[1])
    texts = ["".join(map(_line, row.tolist())).encode() for row in rows]
    pieces = _own_pieces(slab)
    lengths = np.zeros(slab.volume // slab.local_shape[0], np.int64)
    lengths[pieces] = [len(text) for text in texts]
    lengths = slab.comm.allreduce(lengths)
    begins = np.cumsum(lengths) - lengths
    on_root(slab.comm, lambda: reserve(path, int(lengths.sum())))
    everywhere(slab.comm, lambda: _put(path, begins[pieces], texts))
    return _fingerprint(links.astype(np.complex128, copy=False), slab)


def _put(path, begins, texts):
    with open(path, "r+b") as file:
        for begin, text in zip(begins, texts):
            file.seek(begin)
            file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _line(value):
    """The shortest text that reads back as the same double, in the style of Julia.

    >>> _line(1e-05), _line(0.5)
    ('1.0e-5\\n', '0.5\\n')
    """
    mantissa, e, power = repr(value).partition("e")
    if not e:
        return f"{mantissa}\n"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(power)}\n"
