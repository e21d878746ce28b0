"""The three checksums against their definitions, word by word."""

import struct
import zlib

import numpy as np
import pytest

from lqcd_hpc.io import Slab, checksum

SHAPE = (3, 5, 2, 7)


def rotl(word, n):
    return (word << n | word >> (32 - n)) & 0xFFFFFFFF


def records(size=72 * 4, seed=5):
    return np.random.default_rng(seed).integers(0, 256, (np.prod(SHAPE), size), dtype=np.uint8)


def test_scidac():
    a = b = 0
    for r, site in enumerate(records()):
        word = zlib.crc32(site.tobytes())
        a, b = a ^ rotl(word, r % 29), b ^ rotl(word, r % 31)
    assert checksum.scidac(records(), Slab.whole(SHAPE)) == f"{a:08x}/{b:08x}"


@pytest.mark.parametrize("order", "<>")
def test_milc(order):
    raw = records().tobytes()
    a = b = 0
    for k, word in enumerate(struct.unpack(f"{order}{len(raw) // 4}I", raw)):
        a, b = a ^ rotl(word, k % 29), b ^ rotl(word, k % 31)
    assert checksum.milc(records(), Slab.whole(SHAPE), order) == f"{a:08x}/{b:08x}"


@pytest.mark.parametrize("order", "<>")
def test_nersc(order):
    raw = records().tobytes()
    total = sum(struct.unpack(f"{order}{len(raw) // 4}I", raw)) % 2**32
    assert checksum.nersc(records(), Slab.whole(SHAPE), order) == f"{total:08x}"


def test_site_index_is_lexicographic_with_x_fastest():
    whole = Slab.whole(SHAPE).site_index()
    assert (whole == np.arange(np.prod(SHAPE))).all()
    part = Slab((4, 6), (2, 3), (2, 3), None).site_index()
    assert part.tolist() == [14, 15, 18, 19, 22, 23]


def test_crc_of_sites_that_end_in_zeros():
    data = np.zeros((3, 8), np.uint8)
    data[1, 0] = 1
    assert checksum.site_crcs(data).tolist() == [zlib.crc32(row.tobytes()) for row in data]
