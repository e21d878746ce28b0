"""Coupling flows of lattices of unit vectors, for O(N) models."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..layers.components import ComponentsFirst
from ..layers.coupling import couplings
from ..layers.masks import Mask
from ..layers.spin_coupling import SpinCoupling
from ..nets.convolutional import Convolution, Window
from ..priors import UniformSphere


@description
class Spins:
    """`couplings` maps of the halves of the lattice in turn that turn every spin towards a vector of frozen ones, by
    splines of `bins` bins in the angle between them; they commute with all of O(N).

    vectors : sums of frozen spins with learned weights, over a cube of `kernel` sites a side; the first begins as the
    sum of the nearest neighbours. `net` sees their scalar products at active sites, and gives the splines and the
    combination of the vectors. Stripes in a `sequence` before a checkerboard do better than a checkerboard alone, where
    spins of one half never see each other (jobs/flow-xy.toml).

    >>> from lqcd_hpc.ml.nets.convolutional import Convolutional
    >>> from lqcd_hpc.ml.targets.scalar import SpinTarget
    >>> xy = SpinTarget(None, (4, 4), beta=0.5, components=2)
    >>> Spins(couplings=2, bins=6, vectors=2, kernel=3, net=Convolutional(hidden=[8], kernel=1)).on(xy).prior.shape
    (4, 4, 2)
    """

    couplings: PositiveInt
    bins: PositiveInt
    vectors: PositiveInt
    kernel: PositiveInt
    net: Any
    mask: Mask = "checkerboard"

    def __post_init__(self):
        if self.kernel % 2 == 0 or self.kernel < 3:
            raise LqcdError(f"kernel = {self.kernel}: vectors are sums over an odd number of sites a side, 3 or more")

    def on(self, target):
        """The flow to a density of one unit vector per site; raises `LqcdError` for other variables."""
        if not (isinstance(target.prior, UniformSphere) and hasattr(target, "sites")):
            raise LqcdError(f'flow kind = "spins" maps unit vectors on a lattice: {target} has other variables')

        def make(number, active, frozen):
            inputs, outputs = SpinCoupling.inputs(self.vectors), SpinCoupling.outputs(self.vectors, self.bins)
            net = self.net.on(target.shape, inputs, outputs, read=active, write=active, event=2 * number)
            return SpinCoupling(self._sums(target.shape, number, active, frozen), net)

        return Flow(
            target.prior, [ComponentsFirst(c) for c in couplings(self.mask, target.shape, self.couplings, make)]
        )

    def _sums(self, shape, number, active, frozen):
        """The vectors: the sum of nearest neighbours over sqrt(2 d), and random ones."""
        window = Window(shape, self.kernel, frozen, active)
        sums = Convolution(window, 1, self.vectors, False, 1.0, 100 * (2 * number + 1))
        sums.weight.data[0, 0] = window.neighbours / (2 * len(shape)) ** 0.5
        return sums
