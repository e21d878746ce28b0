r"""The low-mode preconditioner: a model of the inverse of the Galerkin operator D~ = P^dag D P (arXiv:2302.05419)."""

from __future__ import annotations

from cmath import exp, pi

import numpy as np
import torch
from pydantic import PositiveInt

from ...backend.program import RandomKey
from ...description import description
from ...errors import LqcdError
from ...fields.noise import draw_signs
from ...operators.block_stencil import neighbours
from ...operators.chain import Chain
from ...solvers.multigrid import Cycles
from ...solvers.multigrid import Multigrid as Classical
from ..bridge import slots
from ..layers.block_convolution import BlockConvolutionLayer
from ..layers.path_convolution import Work, set_numbers, sum_over_ranks
from .lesson import Lesson

WORSE = 2.0  # times that a model may be worse than weights without training


@description
class Coarse:
    """M~ = A_n .. A_2 A_1 ~ D~^-1, layers with a matrix for every block and each of its hops.

    solver : the adaptive multigrid whose test vectors, smoother and setup serve, M~ in the place of its coarse solver
    layers : of them

    It belongs to one gauge field and mass (on any rank grid), for its matrices are in the basis of the test vectors
    there. The first weights are those of the Neumann series of D~^-1 about its blocks, with as many hops as layers.

    Raises `LqcdError` if a matrix of a block is singular.

    >>> from lqcd_hpc import Lattice, Random, gauge
    >>> from lqcd_hpc.operators.wilson import Wilson
    >>> D = Wilson(mass=0.1, boundary=(1, -1)).on(gauge.hot(Lattice((8, 8)), Random(1), "U(1)"))
    >>> network = Coarse(solver=Classical(blocks=[[4, 4]], vectors=2), layers=2).on(D)
    >>> [tuple(p.shape) for p in network.parameters()]      # hops, y, x, rows, columns, re and im
    [(5, 2, 2, 4, 4, 2), (5, 2, 2, 4, 4, 2)]
    """

    solver: Classical
    layers: PositiveInt

    def on(self, D):
        """The network for an operator."""
        return CoarseNetwork(self, D)


class CoarseNetwork(torch.nn.Module):
    """The layers of a `Coarse`."""

    def __init__(self, description, D):
        super().__init__()
        self.description, coarse = description, self._of(description, D).coarse
        self.layers = torch.nn.ModuleList(BlockConvolutionLayer(coarse.vector()) for _ in range(description.layers))
        for layer, matrices in zip(self.layers, neumann(coarse, description.layers)):
            layer.set_matrices(matrices)

    def _of(self, description, D):
        return description.solver.made(D).level

    def level(self, D):
        """The finest level for D, kept with its gauge field: its `coarse` is D~."""
        return self._of(self.description, D)

    def lessons(self, D):
        """What is to be learnt on D."""
        return [Lesson(self, self.level(D).coarse)]

    def works(self, coarse, copies):
        """What `forward` needs for so many right-hand sides of D~."""
        return [Work(layer.on(coarse.vector()), copies) for layer in self.layers]

    def forward(self, x, works):
        """M~ x of slots."""
        for layer, work in zip(self.layers, works):
            x = layer(x, work)
        return x

    def solver(self, coarse):
        """M~ as a solver of D~, that follows the weights."""
        return CoarseModel(self, coarse)

    def kernels(self, D):
        """The cycle of classical multigrid with M~ as its coarse solver, with the weights as they are now."""
        level = self.level(D)
        return Cycles(level, Chain([layer.on(level.coarse.vector()) for layer in self.layers]))

    def identity(self, D):
        """What the weights belong to: models of another one are refused."""
        table = self.description.solver
        sizes = {"blocks": " ".join("x".join(map(str, b)) for b in table.blocks), "vectors": table.vectors}
        return {"lattice": "x".join(map(str, D.lattice.shape))} | sizes

    def check(self, D, origin):
        """Raises `LqcdError` if M~ is no better an inverse of the D~ of this operator than first weights are."""
        coarse = self.level(D).coarse
        cost, first = self.cost(coarse), CoarseNetwork(self.description, D).cost(coarse)
        if not cost < min(1.0, WORSE * first):
            raise LqcdError(
                f"the model {origin} does not fit this gauge field: |M D v - v|^2 is {cost:.3g} |v|^2 on its blocks, "
                f"{first:.3g} |v|^2 without training; a coarse model belongs to one gauge field and mass: train one "
                "here (lqcd-hpc train FILE --from MODEL)"
            )

    def cost(self, coarse, copies=4):
        """<|M~ D~ v - v|^2/|v|^2>."""
        v, b = coarse.vector(copies), coarse.vector(copies)
        draw_signs(v, RandomKey(0, 0, 0))
        coarse.apply(v, b)
        with torch.no_grad():
            missed = (self(slots(b).clone(), self.works(coarse, copies)) - slots(v)).double().square().sum()
            scale, comm = slots(v).double().square().sum(), coarse.lattice.comm
            return float(sum_over_ranks(missed, comm) / sum_over_ranks(scale, comm))


class CoarseModel:
    """z = M~ r by kernels with weights that may change between calls."""

    def __init__(self, network, coarse):
        self.layers = list(network.layers)
        self.chain = Chain([layer.on(coarse.vector()) for layer in self.layers])

    def apply(self, r, z):
        """z = M~ r."""
        for layer, A in zip(self.layers, self.chain.layers):
            set_numbers(A.weights, layer.weights)
        self.chain.apply(r, z)


def neumann(coarse, count):
    """Matrices (1 + hops, sites, N, N) of layers whose product is (1 + K + .. + K^n) A_0^-1, D~ = A_0 (1 - K).

    It is prod_j (1 - K/w_j) A_0^-1 with w_j^{n+1} = 1, w_j != 1.
    """
    matrices = coarse.gathered().astype(complex)
    try:
        inverse = np.linalg.inv(matrices[0])
    except np.linalg.LinAlgError:
        inverse = np.full_like(matrices[0], np.nan)
    if not np.isfinite(inverse).all():
        raise LqcdError(f"a block of {coarse!r} is singular: choose another mass, or other test vectors")
    one, found = np.broadcast_to(np.eye(coarse.size), inverse.shape), []
    for number in range(1, count + 1):
        hops = exp(-2j * pi * number / (count + 1)) * (inverse @ matrices[1:])
        found.append(np.concatenate([one[None], hops]))
    for term, there in enumerate(neighbours(coarse.lattice.shape)):
        found[0][term] = found[0][term] @ inverse[there]
    return found
