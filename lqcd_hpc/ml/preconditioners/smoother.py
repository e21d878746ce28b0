"""The high-mode preconditioner: a chain of convolutions along paths (arXiv:2302.05419; arXiv:2602.23840)."""

from __future__ import annotations

from cmath import exp, pi

import numpy as np
import torch
from pydantic import Field, PositiveInt, model_validator

from ...description import description
from ...operators.chain import Chain
from ...operators.path_links import Transport, straight, walks
from ..layers.path_convolution import PathConvolutionLayer, Work, add_scaled
from ..noise import first
from .gammas import gammas
from .lesson import Lesson

NOISE = 1e-3  # of weights that begin at zero: it tells features apart


@description
class Smoother:
    """M = A_n .. A_2 A_1, layers that are convolutions along paths with spin matrices, the same on all sites.

    features : numbers of them before, between and after the layers: (1, 2, 1) are two layers
    steps : layers transport along all paths of at most so many steps that do not go back
    lengths : or along straight paths of these lengths, such as (1, 2, 4)
    skip : the source, times a learned number, is added after every layer but the first

    The first weights are those of the Neumann series of D^-1 with as many hops as layers.

    >>> from lqcd_hpc import Lattice, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.unit(Lattice((4, 4)), "U(1)"))
    >>> len(Smoother(features=(1, 1, 1)).on(D).layers)
    2
    """

    features: tuple[PositiveInt, ...]
    steps: PositiveInt | None = None
    lengths: tuple[PositiveInt, ...] | None = Field(default=None, min_length=1)
    skip: bool = False

    @model_validator(mode="after")
    def _sound(self):
        if len(self.features) < 2:
            raise ValueError(f"features = {list(self.features)}: give the numbers before and after every layer")
        if self.steps and self.lengths:
            raise ValueError("give steps or lengths, not both")
        if self.skip and set(self.features[1:]) != {self.features[0]}:
            raise ValueError(
                f"skip adds the source to what layers make: features = {list(self.features)} must be equal"
            )
        return self

    def paths(self, ndim):
        """The paths of every layer."""
        return straight(self.lengths, ndim) if self.lengths else walks(self.steps or 1, ndim)

    def on(self, D):
        """The network for operators like D, on any lattice of as many dimensions."""
        return SmootherNetwork(self, D)


class SmootherNetwork(torch.nn.Module):
    """The layers of a `Smoother`."""

    def __init__(self, description, D):
        super().__init__()
        ndim = D.lattice.ndim
        self.description, self.ndim = description, ndim
        paths, spins, sizes = description.paths(ndim), 4 if ndim == 4 else 2, description.features
        layers = [PathConvolutionLayer(paths, a, b, spins) for a, b in zip(sizes, sizes[1:])]
        self.layers = torch.nn.ModuleList(layers)
        self.skips = torch.nn.Parameter(torch.zeros(len(layers) - 1, dtype=torch.float64)) if description.skip else None
        self._begin(D.description.diagonal(ndim))

    def _begin(self, diagonal):
        r"""The Neumann series of D = a (1 - K): (1 + K + .. + K^n)/a = prod_j (1 - K/w_j)/a, w_j^{n+1} = 1, w_j != 1.

        With skips by Horner's scheme: psi_{k+1} = K psi_k + psi/a.
        """
        count, one = len(self.layers), np.eye(self.layers[0].weights.shape[-2])
        hops = {f"{s}{'xyzt'[mu]}": (one - (1 if s == "+" else -1) * g) / (2 * diagonal)
                for mu, g in enumerate(gammas(self.ndim)) for s in "+-"}  # fmt: skip
        for number, layer in enumerate(self.layers):
            w = np.zeros((*layer.weights.shape[:3], *one.shape), complex)
            noise = first(number).normal(w.size * 2).numpy().reshape(*w.shape, 2) if max(layer.features) > 1 else None
            factor, scale = -exp(-2j * pi * (number + 1) / (count + 1)), diagonal ** (-1 / count)
            if self.skips is not None:
                factor, scale = 1.0, 1 / diagonal if number == 0 else 1.0
            w[layer.paths.index(""), 0, 0] = scale * one if self.skips is None or number == 0 else 0
            for path, matrix in hops.items():
                if path in layer.paths:
                    w[layer.paths.index(path), 0, 0] = factor * scale * matrix
            with torch.no_grad():
                layer.weights.copy_(torch.view_as_real(torch.from_numpy(w)))
                if noise is not None:
                    layer.weights.add_(torch.from_numpy(NOISE * noise))
        if self.skips is not None:
            torch.nn.init.constant_(self.skips, 1 / diagonal)

    def lessons(self, D):
        """What is to be learnt on D."""
        return [Lesson(self, D)]

    def transport(self, operator):
        """The paths with the phases of an operator's description."""
        return Transport(paths=self.layers[0].paths, boundary=operator.boundary, twist=operator.twist)

    def kernels(self, D):
        """M by kernels, as an operator like D, with the weights as they are now."""
        transport = self.transport(D.description)
        layers = [layer.on(transport, D.U, D.precision) for layer in self.layers]
        return Chain(layers, None if self.skips is None else self.skips.tolist())

    def works(self, D, copies):
        """What `forward` needs on the gauge field of D for so many right-hand sides."""
        found, transport = [], self.transport(D.description)
        for layer in self.layers:
            found.append(Work(layer.on(transport, D.U, D.precision), copies * layer.features[1]))
        return found

    def forward(self, x, works):
        """M x of slots."""
        y, comm = x, works[0].A.lattice.comm
        for number, (layer, work) in enumerate(zip(self.layers, works)):
            y = layer(y, work)
            if number and self.skips is not None:
                y = add_scaled(y, self.skips[number - 1], x, comm)
        return y
