"""Readers of gauge configurations in a few numpy lines each.

All return U[mu, t, z, y, x, a, b] in double precision. They check nothing and serve only tests.
"""

import re
import struct
from pathlib import Path

import numpy as np


def canonical(flat, shape, nc):
    """Sites with x fastest, mu innermost -> U[mu, t, z, y, x, a, b]."""
    sites = flat.reshape(*reversed(shape), len(shape), nc, nc).astype(complex)
    return np.ascontiguousarray(np.moveaxis(sites, -3, 0))


def read_bridge_text(path, shape, nc=3):
    """One real number a line, order t, z, y, x, mu, a, b, (re, im); no header."""
    return canonical(np.loadtxt(path).view(complex), shape, nc)


def read_milc(path):
    """MILC version 5: 96-byte header, the magic number 20103 tells the byte order, single precision."""
    raw = Path(path).read_bytes()
    order = "<" if struct.unpack("<i", raw[:4])[0] == 20103 else ">"
    shape = struct.unpack(order + "4i", raw[4:20])
    return canonical(np.frombuffer(raw[96:], order + "c8"), shape, 3)


def lime_records(path):
    """{name: payload} of a LIME file: 144-byte big-endian headers, payloads padded to eight bytes."""
    raw, place, records = Path(path).read_bytes(), 0, {}
    while place < len(raw):
        length, name = struct.unpack(">8xQ128s", raw[place : place + 144])
        records[name.split(b"\0")[0].decode()] = raw[place + 144 : place + 144 + length]
        place += 144 + (length + 7) // 8 * 8
    return records


def lime_shape(records):
    """(Lx, Ly, Lz, Lt) from the ILDG format record or from <dims> of the SciDAC file record."""
    if "ildg-format" in records:
        return tuple(int(re.search(rb"<l%c>\s*(\d+)" % axis, records["ildg-format"])[1]) for axis in b"xyzt")
    text = next(data for name, data in records.items() if "private-file-xml" in name)
    return tuple(int(number) for number in re.search(rb"<dims>([\d ]+)</dims>", text)[1].split())


def read_lime(path, shape=None, nc=3):
    """ILDG or SciDAC gauge field; precision follows from the size of the big-endian payload."""
    records = lime_records(path)
    shape = shape or lime_shape(records)
    data = records.get("ildg-binary-data") or records["scidac-binary-data"]
    size = len(data) // (np.prod(shape) * len(shape) * nc * nc)
    return canonical(np.frombuffer(data, f">c{size}"), shape, nc)


def read_nersc(path):
    """NERSC archive with two rows in single precision, big endian; row three is conj(row one x row two)."""
    raw = Path(path).read_bytes()
    end = raw.index(b"END_HEADER\n") + len(b"END_HEADER\n")
    shape = tuple(int(re.search(rb"DIMENSION_%d\s*=\s*(\d+)" % k, raw)[1]) for k in (1, 2, 3, 4))
    rows = np.frombuffer(raw[end:], ">c8").reshape(-1, 2, 3).astype(complex)
    third = np.conj(np.cross(rows[:, 0], rows[:, 1]))
    return canonical(np.concatenate([rows, third[:, None]], axis=1), shape, 3)


def read_openqcd(path):
    """openQCD: T, X, Y, Z, the plaquette, for every odd site U_0(x), U_0(x-0), U_1(x), ..; z fastest."""
    raw = Path(path).read_bytes()
    sizes = np.array(struct.unpack("<4i", raw[:16]))
    data = np.frombuffer(raw[24:], "<c16").reshape(-1, 4, 2, 3, 3)
    sites = np.indices(sizes).reshape(4, -1)
    odd = sites[:, sites.sum(axis=0) % 2 == 1]
    links = np.empty((4, *sizes, 3, 3), complex)
    for k in range(4):
        behind = odd - np.eye(4, dtype=int)[:, k : k + 1]
        links[k][tuple(odd)] = data[:, k, 0]
        links[k][tuple(behind % sizes[:, None])] = data[:, k, 1]
    return np.ascontiguousarray(links[[1, 2, 3, 0]].transpose(0, 1, 4, 3, 2, 5, 6))
