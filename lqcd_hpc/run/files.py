"""The configuration files that a run works on."""

from __future__ import annotations

import os
from glob import glob

from ..errors import LqcdError


def files_of(patterns, table="source"):
    """The files of a list of patterns, each once, in order of their names. Raises `LqcdError` where nothing matches."""
    files = []
    for pattern in patterns:
        found = sorted(glob(pattern))
        if not found:
            raise LqcdError(f"[{table}] files: nothing matches {pattern!r} in {os.getcwd()}")
        files += [name for name in found if name not in files]
    return files
