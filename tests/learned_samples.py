"""Values of every learned preconditioner of the package, for two dimensions, and what their laws need."""

import torch
from reference import dirac

from lqcd_hpc import Random, gauge
from lqcd_hpc.fields.field import Field
from lqcd_hpc.ml.preconditioners.models import description_of

LEVELS = {"kind": "multigrid", "blocks": [[4, 4]], "vectors": 2, "refinements": 1}
SMOOTHER = {"kind": "smoother", "features": [1, 1, 1]}
COARSE = {"kind": "coarse", "layers": 2, "solver": LEVELS}
TABLES = {
    "smoother": SMOOTHER,
    "smoother features": {"kind": "smoother", "features": [1, 2, 1]},
    "smoother steps": {"kind": "smoother", "features": [1, 1], "steps": 2},
    "smoother long": {"kind": "smoother", "features": [1, 1, 1, 1], "lengths": [1, 2, 4], "skip": True},
    "polynomial": {"kind": "polynomial", "degree": 5},
    "coarse": COARSE,
    "multigrid": {"kind": "multigrid", "solver": LEVELS, "smoother": SMOOTHER},
    "multigrid polynomial": {"kind": "multigrid", "solver": LEVELS, "smoother": {"kind": "polynomial", "degree": 3}},
    "multigrid learned": {"kind": "multigrid", "coarse": COARSE, "smoother": SMOOTHER},
}
DESCRIPTIONS = {name: description_of(table) for name, table in TABLES.items()}


def shaken(network, size=0.1, seed=3):
    """A network whose weights are moved at random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(size * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return network


def gauge_carried_along(network, D, seed=3):
    """(D[U^g], g), with the test vectors of the network's levels transformed with the links."""
    U = D.U.copy()
    g = gauge.random_transformation(U, Random(seed))
    gauge.transform(U, g)
    other, g = type(D)(D.description, U, D.precision), g.to_numpy()
    if hasattr(network, "level"):
        basis, level = network.level(D).transfer.basis, network.level(other)
        vectors = Field(level.A.lattice, basis.kind, basis.precision, basis.copies)
        level.span(vectors.from_numpy([dirac.gauge_transform_vector(g, one) for one in basis.to_numpy()]))
    return other, g
