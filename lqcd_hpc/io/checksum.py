"""Checksums of site records, combined over ranks.

Every function takes this rank's records as `uint8 (sites, bytes per site)` and the slab they belong to, and
returns lower-case hex text that does not depend on how the lattice is divided.
"""

from __future__ import annotations

import zlib

import numpy as np

_CHUNK = 1 << 16  # sites whose bytes are held as Python objects at a time


def scidac(records, slab):
    """SciDAC checksum "a/b": a = xor of rotl32(crc32 of site r, r mod 29), b the same with r mod 31."""
    crcs = site_crcs(records)
    index = slab.site_index()
    sums = np.array([_rotated_xor(crcs[:, None], index, period) for period in (29, 31)])
    return _pair(slab.comm.allreduce(sums, op="xor"))


def milc(records, slab, byte_order):
    """MILC checksum "sum29/sum31": xor of rotl32(word k, k mod 29 or 31) over all 32-bit words."""
    words = records.view(f"{byte_order}u4").astype(np.uint32, copy=False)
    index = slab.site_index() * words.shape[1]
    sums = np.array([_rotated_xor(words, index, period) for period in (29, 31)])
    return _pair(slab.comm.allreduce(sums, op="xor"))


def nersc(records, slab, byte_order):
    """NERSC checksum: sum modulo 2^32 of the 32-bit words of the payload, in the byte order of the file."""
    total = records.view(f"{byte_order}u4").sum(dtype=np.uint64) & np.uint64(0xFFFFFFFF)
    return f"{int(slab.comm.allreduce(np.array([total]))[0]) & 0xFFFFFFFF:08x}"


def site_crcs(records):
    """crc32 of each row of `records`, uint32."""
    whole = np.ascontiguousarray(records).view(f"V{records.shape[1]}").reshape(-1)
    crcs = np.empty(len(whole), np.uint32)
    for first in range(0, len(whole), _CHUNK):
        part = whole[first : first + _CHUNK]
        crcs[first : first + len(part)] = np.fromiter(map(zlib.crc32, part.tolist()), np.uint32, len(part))
    return crcs


def normalise(text):
    """A stored checksum word as 8 hex digits (files write it with a 0x prefix or without leading zeros).

    >>> normalise("0x9ABC")
    '00009abc'
    """
    return f"{int(text, 16):08x}"


def _rotated_xor(words, first_index, period):
    """xor over rows and columns of rotl32(words[row, column], (first_index[row] + column) mod period).

    Rotation commutes with xor: rows of equal index modulo the period are combined before anything is rotated.
    """
    classes = first_index % period
    total = np.uint64(0)
    for rest in np.unique(classes):
        row = np.bitwise_xor.reduce(words[classes == rest], axis=0).astype(np.uint64)
        shift = ((int(rest) + np.arange(len(row))) % period).astype(np.uint64)
        turned = (row << shift | row >> (np.uint64(32) - shift)) & np.uint64(0xFFFFFFFF)
        total ^= np.bitwise_xor.reduce(turned)
    return np.uint32(total)


def _pair(sums):
    return "/".join(f"{int(word):08x}" for word in sums)
