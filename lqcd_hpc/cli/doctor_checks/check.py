"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOTE, FAULT = "ok", "note", "fault"


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, whether that is "ok", a "note" (works, could be better) or a
    "fault", and what mends it.

    >>> Check("compiler", None, FAULT, "apt-get install g++").remedy
    'apt-get install g++'
    """

    name: str
    value: object
    state: str = OK
    remedy: str | None = None
    text: str | None = None  # how people read the value


def attempt(name, look, remedy=None):
    """The check that `look()` makes; a fault with its message where that raises."""
    from ...errors import LqcdError

    try:
        return look()
    except (LqcdError, OSError, RuntimeError, ValueError) as error:
        return Check(name, str(error), FAULT, remedy)
