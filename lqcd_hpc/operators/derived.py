"""Fields that are made from a gauge field, kept with it, and made anew when it has changed."""

from __future__ import annotations

from ..fields.field import Field


def derived(U, key, precision, make):
    """The field `make()` (in the precision of U) in a precision. It stays the same object, also when U changes."""
    slot = U.shared((key, precision), dict)
    if slot.get("version") != U.version:
        fresh = make()
        if "field" not in slot:
            slot["field"] = fresh if precision == U.precision else Field(U.lattice, fresh.kind, precision)
        if slot["field"] is not fresh:
            slot["field"].assign(fresh)
        slot["version"] = U.version
    return slot["field"]
