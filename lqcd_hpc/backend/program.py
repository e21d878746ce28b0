"""A kernel instance as text: the argument struct and the loop around a site function of `kernels/`."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

KERNELS = Path(__file__).parent.parent / "kernels"


class RandomKey(ctypes.Structure):
    """Key and event of counter-based random numbers (kernels/random.h)."""

    _fields_ = [("seed", ctypes.c_uint32), ("stream", ctypes.c_uint32), ("event", ctypes.c_uint32)]


class ViewStruct(ctypes.Structure):
    """A field's memory and the distance between its buffers, in reals."""

    _fields_ = [("data", ctypes.c_void_p), ("stride", ctypes.c_int64)]


SCALARS = {"double": ctypes.c_double, "i64": ctypes.c_int64, "RandomKey": RandomKey}

# What every launch needs to know about the lattice, before the kernel's own arguments.
COMMON = (
    ("neighbours", "const u32*"),
    ("displacements", "i64"),
    ("first_ghost", "i64"),
    ("items", "const i64*"),
    ("lane_masks", "const u32*"),
    ("ids", "const u64*"),
    ("permutations", "const void*"),
    ("replica_of_item", "const int*"),
    ("replica_of_lane", "const int*"),
    ("bins", "i64*"),
    ("numbers", "double*"),
    ("replicas", "i64"),
    ("threads", "i64"),
)


@dataclass(frozen=True)
class Program:
    """One site function with all its compile-time choices.

    header, function : file and name of the site function, in `kernels/` or by an absolute path
    constants : values of its template parameters after the lanes, e.g. (Nc, Nd)
    real, lanes, group : "double" or "float"; lanes of a number and of a memory block
    views, tables, scalars : names of fields; (name, C type) of arrays; (name, type) of numbers
    sums : how many exact sums it returns
    """

    header: str
    function: str
    constants: tuple[int, ...]
    real: str
    lanes: int
    group: int
    masked: bool
    views: tuple[str, ...]
    tables: tuple[tuple[str, str], ...]
    scalars: tuple[tuple[str, str], ...]
    sums: int

    @cached_property
    def arguments(self):
        """The ctypes structure that mirrors `struct Args`."""
        fields = [(n, ctypes.c_int64 if t == "i64" else ctypes.c_void_p) for n, t in COMMON]
        fields += [(n, ViewStruct) for n in self.views]
        fields += [(n, ctypes.c_void_p) for n, _ in self.tables]
        fields += [(n, SCALARS[t]) for n, t in self.scalars]
        return type("Args", (ctypes.Structure,), {"_fields_": fields})

    @property
    def preamble(self):
        """Includes, the lanes type and `struct Args`."""
        members = [f"  {t} {n};" for n, t in COMMON]
        members += [f"  View<L> {n};" for n in self.views]
        members += [f"  const {t}* {n};" for n, t in self.tables]
        members += [f"  {t} {n};" for n, t in self.scalars]
        masked = "true" if self.masked else "false"
        return "\n".join(
            [
                '#include "exact_sum.h"',
                '#include "random.h"',
                f'#include "{self.header}"{self._own_digest()}',
                f"typedef Lanes<{self.real}, {self.lanes}, {self.group}, {masked}> L;",
                "struct Args {",
                *members,
                "};",
            ]
        )

    def _own_digest(self):
        """A header outside `kernels/` (an absolute path) is known to the cache by a digest of its text."""
        path = Path(self.header)
        return f"  // {hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_absolute() else ""

    @property
    def call(self):
        """The call of the site function inside the loop."""
        constants = "".join(f", {c}" for c in self.constants)
        return f"{self.function}<L{constants}>(x, a{', sum' if self.sums else ''});"
