"""Flows one after the other."""

from __future__ import annotations

from typing import Any

from ...description import description
from ...errors import LqcdError
from ..flow import Flow


@description
class Sequence:
    """x = f_n(... f_1(z)): the layers of every part in turn, from the prior of the target.

    >>> from lqcd_hpc.ml.flows.gaussian import Gaussian
    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> target = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
    >>> len(Sequence(parts=[Gaussian(spectrum="massive"), Gaussian(spectrum="modes")]).on(target).layers)
    2
    """

    parts: list[Any]

    def __post_init__(self):
        if not self.parts:
            raise LqcdError("a sequence needs parts: give the tables of one flow or more")

    def on(self, target):
        """The flow; raises what its parts raise."""
        return Flow(target.prior, [layer for part in self.parts for layer in part.on(target).layers])
