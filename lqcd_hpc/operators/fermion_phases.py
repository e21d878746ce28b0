"""What happens to a fermion that goes once around the lattice: psi(x + L_mu) = boundary_mu exp(i twist_mu) psi(x)."""

from __future__ import annotations

import cmath

from ..errors import LqcdError


def phases_of(description, lattice):
    """The phases of a description's `boundary` (1 or -1) and `twist` (angles in radians), one per direction.

    Raises `LqcdError` if their number is not that of the directions, or if an open direction has one.
    """
    boundary, twist = description.boundary, description.twist or (0.0,) * lattice.ndim
    for name, values in (("boundary", boundary), ("twist", twist)):
        if len(values) != lattice.ndim:
            raise LqcdError(f"{name} = {list(values)}: give one number for each of {lattice.ndim} directions")
    phases = tuple(complex(b) * cmath.exp(1j * t) if t else complex(b) for b, t in zip(boundary, twist))
    for mu, phase in enumerate(phases):
        if lattice.is_open(mu) and phase != 1:
            raise LqcdError(f"direction {mu} is open: nothing goes around it, its boundary must be 1 and its twist 0")
    return phases
