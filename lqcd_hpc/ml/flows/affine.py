"""Affine coupling flows of scalar fields (1904.12072; with phi -> -phi: 2105.12481)."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ..layers.affine import AffineCoupling
from ..layers.masks import Mask
from .scalar_fields import components, coupling_flow, require_scalars


@description
class Affine:
    """`couplings` maps phi_A' = phi_A e^{s(phi_P)} + t(phi_P) of the halves of the lattice in turn, s and t by `net`.

    z2 : s even and t odd in phi, so that q(-phi) = q(phi); the network needs activation = "tanh"
    rescale : a learned factor of the whole field comes last

    >>> from lqcd_hpc.ml.nets.convolutional import Convolutional
    >>> from lqcd_hpc.ml.targets.scalar import ScalarTarget
    >>> free = ScalarTarget(None, (4, 4), hopping=1.0, quadratic=2.5, quartic=0.0)
    >>> flow = Affine(couplings=4, net=Convolutional(hidden=[8], kernel=3)).on(free)
    >>> sum(p.numel() for p in flow.parameters())
    904
    """

    couplings: PositiveInt
    net: Any
    mask: Mask = "checkerboard"
    z2: bool = False
    rescale: bool = False

    def on(self, target):
        """The flow to a scalar target; raises `LqcdError` for other variables."""
        require_scalars(target, "affine")
        c = components(target)
        odd = c if self.z2 else None

        def make(number, active, frozen):
            return AffineCoupling(self.net.on(target.shape, c, 2 * c, odd=odd, read=frozen, write=active, event=number))

        return coupling_flow(self, target, make)
