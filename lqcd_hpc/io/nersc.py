"""NERSC archive configurations: an ASCII header, then the links with two or all rows.

The third row of SU(3) is rebuilt as conj(row1 x row2), in double precision. FLOATING_POINT names precision
and byte order, CHECKSUM is the 32-bit word sum of the payload. PLAQUETTE and LINK_TRACE are given as metadata
"plaquette" and "link_trace": the caller who measures them compares.
"""

from __future__ import annotations

import os
import re
from math import prod

import numpy as np

from ..errors import LqcdError
from . import checksum, sites
from .header import BYTES, Header, agree_on_shape, require_size

FORMAT = "nersc"
_LIMIT = 1 << 16
_NUMBERS = {
    "IEEE32BIG": (">", "single"),
    "IEEE32": ("<", "single"),
    "IEEE32LITTLE": ("<", "single"),
    "IEEE64BIG": (">", "double"),
    "IEEE64": ("<", "double"),
    "IEEE64LITTLE": ("<", "double"),
}


def matches(path, head):
    """The file begins with a NERSC header."""
    return head.startswith(b"BEGIN_HEADER")


def header(path, shape=None):
    """Header of a NERSC file; metadata["nersc"] holds its lines."""
    lines, offset = _lines(path)
    shape = agree_on_shape(path, [_whole(path, lines, f"DIMENSION_{i}") for i in (1, 2, 3, 4)], shape)
    nc, rows = _matrix(path, _required(path, lines, "DATATYPE"))
    kind = _required(path, lines, "FLOATING_POINT")
    if kind not in _NUMBERS:
        raise LqcdError(f"{path} has FLOATING_POINT = {kind}: only {', '.join(_NUMBERS)} can be read")
    precision = _NUMBERS[kind][1]
    size = 4 * rows * nc * 2 * BYTES[precision]
    require_size(path, offset + prod(shape) * size, os.path.getsize(path), "the file")
    return Header(FORMAT, shape, nc, precision, _stored(path, lines), offset=offset, metadata=_metadata(path, lines))


def _lines(path):
    """The header as a dict of text, and where the payload begins."""
    with open(path, "rb") as file:
        head = file.read(_LIMIT)
    end = re.search(rb"^END_HEADER[ \t\r]*\n", head, re.MULTILINE)
    if not end:
        raise LqcdError(f"{path} is truncated or damaged: it has no END_HEADER line; fetch it again")
    pairs = [line.split("=", 1) for line in head[: end.start()].decode("latin-1").splitlines() if "=" in line]
    return {key.strip(): text.strip() for key, text in pairs}, end.end()


def _required(path, lines, key):
    if key not in lines:
        raise LqcdError(f"{path} is damaged: its header has no line {key}; fetch it again")
    return lines[key]


def _whole(path, lines, key):
    text = _required(path, lines, key)
    if not re.fullmatch("0*[1-9][0-9]{0,8}", text):
        raise LqcdError(f"{path} is damaged: its header says {key} = {text[:40]}")
    return int(text)


def _matrix(path, kind):
    """Colours and stored rows of a DATATYPE such as 4D_SU3_GAUGE (two rows) or 4D_SU3_GAUGE_3x3."""
    found = re.fullmatch(r"4D_SU(\d{1,3})_GAUGE(?:_(\d{1,3})[xX](\d{1,3}))?", kind)
    nc = int(found[1]) if found else 0
    if found and found[2] is None and nc == 3:
        return 3, 2
    if found and found[2] == found[3] == found[1] and nc > 0:
        return nc, nc
    raise LqcdError(f"{path} has DATATYPE = {kind}: only 4D_SU3_GAUGE and 4D_SUn_GAUGE_nxn can be read")


def _stored(path, lines):
    text = _required(path, lines, "CHECKSUM")
    try:
        return checksum.normalise(text)
    except ValueError:
        raise LqcdError(f"{path} is damaged: its header says CHECKSUM = {text}") from None


def _metadata(path, lines):
    result = {"nersc": lines}
    for name in ("plaquette", "link_trace"):
        try:
            result[name] = float(lines[name.upper()])
        except KeyError:
            continue
        except ValueError:
            raise LqcdError(f"{path} is damaged: {name.upper()} = {lines[name.upper()]} is no number") from None
    return result


def read(path, header, slab):
    """This rank's links, and the checksum of the payload."""
    lines = header.metadata["nersc"]
    nc, rows = _matrix(path, lines["DATATYPE"])
    order, precision = _NUMBERS[lines["FLOATING_POINT"]]
    size = 4 * rows * nc * 2 * BYTES[precision]
    records = sites.read_records(path, header.offset, size, slab)
    links = sites.decode(records, f"{order}c{2 * BYTES[precision]}", nc, rows)
    computed = checksum.nersc(sites.flat(records), slab, order)
    return (third_row(links) if rows < nc else links), computed


def third_row(rows):
    """SU(3) links, complex128, of their first two rows `(..., 2, 3)`: u3 = conj(u1 x u2)."""
    links = np.empty((*rows.shape[:-2], 3, 3), np.complex128)
    links[..., :2, :] = rows
    first, second = links[..., 0, :], links[..., 1, :]
    for c in range(3):
        a, b = (c + 1) % 3, (c + 2) % 3
        links[..., 2, c] = np.conj(first[..., a] * second[..., b] - first[..., b] * second[..., a])
    return links


def write(path, links, slab, precision, metadata):
    """Write as `metadata["nersc"]` says, else all rows, big-endian. Returns the checksum."""
    if slab.ndim != 4:
        raise LqcdError(f"NERSC files hold 4 dimensions, not {slab.ndim}: write hdf5 or scidac")
    missing = [name for name in ("plaquette", "link_trace") if name not in metadata]
    if missing:
        raise LqcdError(f"NERSC headers state plaquette and link trace: give {' and '.join(missing)} in the metadata")
    old, nc = metadata.get("nersc", {}), links.shape[-1]
    datatype = old.get("DATATYPE", f"4D_SU{nc}_GAUGE_{nc}x{nc}")
    stored_nc, rows = _matrix("the metadata", datatype)
    if stored_nc != nc:
        raise LqcdError(f"links of {nc} colours cannot be written as {datatype}: leave DATATYPE out of the metadata")
    kind = _floating_point(old.get("FLOATING_POINT"), precision)
    order = _NUMBERS[kind][0]
    records = sites.encode(links, f"{order}c{2 * BYTES[precision]}", rows)
    computed = checksum.nersc(sites.flat(records), slab, order)
    lines = _header_lines(slab, metadata, old, computed, datatype, kind)
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    sites.write_records(path, f"BEGIN_HEADER\n{text}END_HEADER\n".encode("latin-1", "replace"), records, b"", slab)
    return computed


def _floating_point(old, precision):
    """The kind of the file that was read where it has the precision wanted, else big-endian."""
    if old in _NUMBERS and _NUMBERS[old][1] == precision:
        return old
    return f"IEEE{8 * BYTES[precision]}BIG"


def _header_lines(slab, metadata, old, computed, datatype, kind):
    lines = {
        "CHECKSUM": computed,
        "LINK_TRACE": f"{metadata['link_trace']:.10f}",
        "PLAQUETTE": f"{metadata['plaquette']:.10f}",
        "DATATYPE": datatype,
        "HDR_VERSION": "1.0",
        "STORAGE_FORMAT": "1.0",
        **{f"DIMENSION_{i}": n for i, n in enumerate(slab.shape, 1)},
        **{f"BOUNDARY_{i}": old.get(f"BOUNDARY_{i}", "PERIODIC") for i in (1, 2, 3, 4)},
        "ENSEMBLE_ID": "unknown",
        "ENSEMBLE_LABEL": "lqcd_hpc",
        "SEQUENCE_NUMBER": metadata.get("sequence_number", 0),
    }
    kept = {key: text for key, text in old.items() if key not in lines or key.startswith(("ENSEMBLE", "SEQ", "STOR"))}
    return {**lines, **kept, "FLOATING_POINT": kind}
