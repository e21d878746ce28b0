"""Spectral flows of SU(N): couplings of plaquettes in two dimensions, and maps of single matrices."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ...fields.kinds import colours
from ..flow import Flow
from ..layers.plaquette_masks import Stripes
from ..layers.sun_coupling import SingleMatrix, SpectralCoupling, SUNCoupling, channels


@description
class Spectral:
    """Maps of the eigenvalues of plaquettes (2008.05456), whose active rows visit every link in 8 layers.

    layers : couplings; bins : of the splines; net : a network description, on the lattice of active links (one site
    for targets of a single matrix).

    Raises `LqcdError` for groups other than SU(N), and for lattices that are not two-dimensional with extents
    multiples of 4.
    """

    layers: PositiveInt
    bins: PositiveInt
    net: Any

    def on(self, target):
        """The flow from Haar-distributed matrices to the links, or the one matrix, of a target."""
        group = getattr(target, "group", None)
        if group is None or colours(group) == 1:
            raise LqcdError(
                "a spectral flow moves SU(N) matrices: give an SU(N) target, or use a circular flow for U(1)"
            )
        return Flow(target.prior, [self._layer(target, colours(group), number) for number in range(self.layers)])

    def _layer(self, target, nc, number):
        if len(target.prior.shape) == 2:
            return SingleMatrix(self._coupling(nc, 1, (1,), number))
        stripes = Stripes(tuple(target.shape), number)
        return SUNCoupling(stripes, self._coupling(nc, channels(nc), stripes.rows, number))

    def _coupling(self, nc, inputs, shape, number):
        def network(j, inputs, outputs):
            return self.net.on(shape, inputs, outputs, event=number * (nc - 1) + j)

        return SpectralCoupling(nc, self.bins, inputs, network)
