"""The formats: every file of this folder that defines `FORMAT`.

Such a file offers
- `matches(path, head)`: is this file of this format, by its content (`head`: its first bytes)?
- `header(path, shape=None)` -> `Header`, reading no payload, checking all sizes;
- `read(path, header, slab)` -> (this rank's links, checksum computed from the payload), collective;
- `write(path, links, slab, precision, metadata)` -> that checksum, collective; `path` is a temporary name.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from ..errors import LqcdError


@cache
def modules():
    """Format name -> module."""
    package = __name__.rpartition(".")[0]
    names = [found.name for found in pkgutil.iter_modules(import_module(package).__path__)]
    found = [import_module(f"{package}.{name}") for name in sorted(names)]
    return {module.FORMAT: module for module in found if hasattr(module, "FORMAT")}


def named(name):
    """The module of a format; `LqcdError` listing the formats if there is none of that name."""
    known = modules()
    if name not in known:
        raise LqcdError(f"unknown file format {name!r}: choose one of {', '.join(known)}")
    return known[name]
