"""Projections before sending: the same result as without ranks, with half the bytes on the wire."""

from pathlib import Path

import numpy as np
import pytest

from lqcd_hpc import Lattice
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.fields.field import Field
from lqcd_hpc.fields.kinds import Kind
from lqcd_hpc.fields.launch import Kernel, in_, out, prepare
from lqcd_hpc.fields.projection import Projection
from lqcd_hpc.lattice import world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.lattice.displacements import star

HEADER = str(Path(__file__).resolve().parent / "projection.h")
SHAPE = (4, 6, 8)
REACH = star(3)[:6]


def hop_kernel():
    psi = in_("psi", REACH, projection=Projection(HEADER, "project_half", (3,), 2))
    return Kernel(HEADER, "half_hop", (3,), (psi, out("out")), REACH)


def spinors(lattice, values):
    return Field(lattice, Kind("pairs", 1, (4,), "real", "scalar")).from_numpy(values, gathered=True)


def textbook(values):
    """The same sum by numpy: values of shape (z, y, x, 4)."""
    result = 0
    for number, displacement in enumerate(REACH):
        moved = np.roll(values, [-d for d in displacement[::-1]], axis=(0, 1, 2))
        sign = 1 if number < 3 else -1
        plus = [moved[..., 0] + moved[..., 2], moved[..., 1] - moved[..., 3]]
        minus = [moved[..., 0] - moved[..., 3], moved[..., 1] + moved[..., 2]]
        result = result + np.stack(plus if sign > 0 else minus, axis=-1)
    return result


@pytest.mark.parametrize("grid", grids(SHAPE, world().size))
@pytest.mark.parametrize("poison", [False, True])
def test_a_projected_hop_equals_the_textbook_on_every_grid(grid, poison, monkeypatch):
    monkeypatch.setattr(Exchange, "poison", poison)
    lattice = Lattice(SHAPE, ranks=grid)
    generator = np.random.default_rng(1)
    values = generator.normal(size=(*SHAPE[::-1], 4))
    psi = spinors(lattice, values)
    chi = Field(lattice, Kind("halves", 1, (2,), "real", "scalar"))
    hop = prepare(hop_kernel(), psi=psi, out=chi)
    hop()
    np.testing.assert_allclose(chi.to_numpy(gather=True), textbook(values), atol=1e-14)
    values = generator.normal(size=values.shape)  # a write makes the projected halo stale
    psi.from_numpy(values, gathered=True)
    hop()
    np.testing.assert_allclose(chi.to_numpy(gather=True), textbook(values), atol=1e-14)


def test_only_projected_numbers_are_sent():
    lattice = Lattice(SHAPE)
    psi = spinors(lattice, np.ones((*SHAPE[::-1], 4)))
    hop = prepare(hop_kernel(), psi=psi, out=Field(lattice, Kind("halves", 1, (2,), "real", "scalar")))
    assert all(field.reals == 2 for field, _, _ in hop._halos)
    assert bool(hop._halos) == (lattice.comm.size > 1)
