"""openQCD configurations are recognised, so that the message can say what to do; they cannot be read yet.

Header: extents T X Y Z as 32-bit integers and the plaquette as a double, little-endian; DDalphaAMG's files
look alike.
"""

from __future__ import annotations

import os
import struct
from math import prod

from ..errors import LqcdError

FORMAT = "openqcd"
_HEAD = struct.Struct("<4id")


def matches(path, head):
    """The size of the file is what openQCD's header at its front implies."""
    if len(head) < _HEAD.size:
        return False
    *extents, _ = _HEAD.unpack(head[: _HEAD.size])
    return min(extents) > 0 and os.path.getsize(path) == _HEAD.size + prod(extents) * 4 * 9 * 16


def header(path, shape=None):
    """Not readable yet."""
    _refuse(path)


def read(path, header, slab):
    """Not readable yet."""
    _refuse(path)


def write(path, links, slab, precision, metadata):
    """Not writable yet."""
    _refuse(path)


def _refuse(path):
    raise LqcdError(f"{path} is an openQCD (or DDalphaAMG) file, which cannot be read or written yet: use ildg")
