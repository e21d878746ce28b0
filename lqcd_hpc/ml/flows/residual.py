"""Residual flows of U(1) and SU(N) links in any number of dimensions."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ...fields.kinds import colours
from ..flow import Flow
from ..layers.checkerboard_links import CheckerboardLinks
from ..layers.stout_residual import Angles, Matrices, StoutResidual


@description
class Residual:
    """Stout steps of half the links of a direction at a time, with coefficients from networks (2401.10874).

    layers : steps, 2 d of them update every link; contraction : the bound below 1 on the sum of the coefficients of a
    step, which keeps it invertible; net : a network description, on the sites of the lattice.

    Raises `LqcdError` for targets without a gauge group, odd extents, and a contraction that is not between 0 and 1.
    """

    layers: PositiveInt
    contraction: float
    net: Any

    def __post_init__(self):
        if not 0 < self.contraction < 1:
            raise LqcdError(f"contraction = {self.contraction}: give a number between 0 and 1, such as 0.9")

    def on(self, target):
        """The flow from the invariant measure to the links of a target."""
        if getattr(target, "group", None) is None or not hasattr(target, "shape"):
            raise LqcdError("a residual flow moves gauge links: give a gauge target")
        return Flow(target.prior, [self._layer(target, number) for number in range(self.layers)])

    def _layer(self, target, number):
        nc, links = colours(target.group), CheckerboardLinks(tuple(target.shape), number)
        group, staples = Matrices(nc) if nc > 1 else Angles(), 2 * (len(target.shape) - 1)
        sites = links.active.tolist()
        net = self.net.on(target.shape, group.channels(staples), staples, read=sites, write=sites, event=number)
        return StoutResidual(links, group, net, self.contraction)
