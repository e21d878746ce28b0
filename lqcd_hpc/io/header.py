"""What a file says about the configuration inside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import LqcdError

BYTES = {"single": 4, "double": 8}


@dataclass(frozen=True)
class Header:
    """Format, lattice shape (Lx, Ly, ..), colours, precision ("single" or "double") and checksums of a file.

    `checksum_stored` is None where the file has none; `checksum_computed` is None until the payload was read.
    Both are lower-case hex as the format's own tools print them: "a2c41090/11193c39" (SciDAC), "717938df"
    (NERSC), "13f3b413/161f7dde" (MILC). `offset` is the byte where the payload begins. `metadata` holds what
    else the file says: "plaquette" and "link_trace" as numbers where it states them, and under the format's
    name its own fields.

    >>> Header("ildg", (4, 4, 4, 8), 3, "double").group
    'SU(3)'
    """

    format: str
    shape: tuple[int, ...]
    nc: int
    precision: str
    checksum_stored: str | None = None
    checksum_computed: str | None = None
    offset: int = 0
    metadata: dict = field(default_factory=dict)

    @property
    def group(self):
        return "U(1)" if self.nc == 1 else f"SU({self.nc})"


def agree_on_shape(path, stored, given):
    """The shape stored in the file, after checking it against the one the caller gave (or None)."""
    stored = tuple(stored)
    if given is not None and tuple(given) != stored:
        raise LqcdError(f"{path} holds a lattice {x(stored)}, not {x(given)}: use the shape of the file")
    return stored


def require_shape(path, given, what, ndim=4):
    """The shape given by the caller for a file that does not state one."""
    if given is None:
        raise LqcdError(f"{path} {what}: give the lattice shape X,Y,Z,T yourself")
    if len(given) != ndim or min(given) < 1:
        raise LqcdError(f"{path} needs {ndim} positive extents, not {x(given)}")
    return tuple(int(n) for n in given)


def require_size(path, expected, found, what):
    """Refuse a file that is longer or shorter than its header says, before anything is allocated."""
    if found != expected:
        fault = "is truncated" if found < expected else "has bytes that its header does not account for"
        raise LqcdError(f"{path} {fault}: {what} should be {expected} bytes but is {found}; fetch the file again")


def x(shape):
    """A shape as people write it: 4x4x4x8."""
    return "x".join(map(str, shape))
