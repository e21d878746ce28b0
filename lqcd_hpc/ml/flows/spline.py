"""Rational-quadratic spline coupling flows of scalar fields (1906.04032; for phi^4 2105.12481)."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveFloat, PositiveInt

from ...description import description
from ..layers.masks import Mask
from ..layers.spline import SplineCoupling
from .scalar_fields import components, coupling_flow, require_scalars


@description
class Spline:
    """`couplings` monotone splines of the halves of the lattice in turn, with parameters by `net` from the other half.

    Splines act in [-bound, bound]; larger fields stay as they are.

    z2 : splines are odd and their parameters even in phi, so that q(-phi) = q(phi); the network needs "tanh"
    rescale : a learned factor of the whole field comes last

    >>> from lqcd_hpc.ml.nets.fully_connected import FullyConnected
    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> free = ScalarTarget(None, (4, 4), hopping=1.0, quadratic=2.5, quartic=0.0)
    >>> import torch
    >>> flow = Spline(couplings=2, bins=8, bound=4.0, net=FullyConnected(hidden=[16])).on(free)
    >>> flow(torch.zeros(3, 4, 4, dtype=torch.float64))[0].shape
    torch.Size([3, 4, 4])
    """

    couplings: PositiveInt
    bins: PositiveInt
    bound: PositiveFloat
    net: Any
    mask: Mask = "checkerboard"
    z2: bool = False
    rescale: bool = False

    def on(self, target):
        """The flow to a scalar target; raises `LqcdError` for other variables."""
        require_scalars(target, "spline")
        c = components(target)
        outputs = c * SplineCoupling.outputs(self.bins, self.z2)

        def make(number, active, frozen):
            odd = 0 if self.z2 else None
            net = self.net.on(target.shape, c, outputs, odd=odd, read=frozen, write=active, event=number)
            return SplineCoupling(net, self.bound, self.z2)

        return coupling_flow(self, target, make)
