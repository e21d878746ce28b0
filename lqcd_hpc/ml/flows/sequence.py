"""Flows one after the other."""

from __future__ import annotations

from typing import Any

import torch

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..noise import seeded


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
        layers = []
        for number, part in enumerate(self.parts):
            with seeded(torch.initial_seed(), number):  # parts begin with numbers of their own
                layers += part.on(target).layers
        return Flow(target.prior, layers)
