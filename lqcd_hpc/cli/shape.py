"""Lattice shapes and rank grids as people write them."""

from __future__ import annotations

import re

from ..errors import LqcdError


def parse_shape(text):
    """The extents (x, y, z, t) of "4,4,4,8" or "4x4x4x8"; None for None.

    >>> parse_shape("4x4x4x8")
    (4, 4, 4, 8)
    """
    if text is None:
        return None
    words = re.split(r"[x,\s]+", text.strip().strip("()[]"))
    if not all(word.isdecimal() and int(word) > 0 for word in words):
        raise LqcdError(f"{text!r} is no lattice shape: write the extents as 8,8,8,16 or 8x8x8x16 (x, y, z, t)")
    return tuple(int(word) for word in words)


def write_shape(shape):
    """A shape as people read it.

    >>> write_shape((4, 4, 4, 8))
    '4x4x4x8'
    """
    return "x".join(map(str, shape))
