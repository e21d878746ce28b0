"""What a network has to learn on a gauge field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lesson:
    """`module` shall be A^-1: |module A v - v|^2 is to be small on random vectors v of A.

    before : u ~ A^-1 b as a function of (b, u); the module then learns on the errors v - u that this leaves

    `module.works(A, copies)` is what `module(b, works)` needs for slots b of so many right-hand sides.
    """

    module: Any
    A: Any
    before: Callable | None = None
