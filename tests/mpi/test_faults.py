"""What goes wrong on one rank ends the job, or is raised on all, within seconds."""

from fractions import Fraction

import numpy as np
import pytest
import site_functions
from site_functions import simd

from lqcd_hpc import Field, Lattice, LqcdError
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import EVERYWHERE, Colour, Parity
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.lattice import communicator, world
from lqcd_hpc.lattice.decomposition import grids


def test_an_impossible_grid_is_refused_on_every_rank():
    size = world().size
    with pytest.raises(LqcdError, match=f"valid grids for {size} ranks: "):
        Lattice((8, 8), ranks=(size + 1, 1))
    with pytest.raises(LqcdError, match="cannot be divided over .* numbers of ranks that work: 1"):
        Lattice((7, 5))


def test_a_launcher_that_started_another_number_is_refused(monkeypatch):
    communicator.world.cache_clear()
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", str(world().size + 1))
    communicator.world.cache_clear()
    try:
        with pytest.raises(LqcdError, match="launcher and MPI library are of different families"):
            communicator.world()
    finally:
        monkeypatch.undo()
        communicator.world.cache_clear()
    assert world().size > 1


@pytest.mark.parametrize("size", [8, 32])
def test_exact_sums_do_not_know_the_ranks(size):
    """40 decades, what cancels, and terms that are not finite, over all grids."""
    shape = (16, 8)
    rng = np.random.default_rng(1)
    values = rng.choice([-1.0, 1.0], (2, 8, 16)) * 10.0 ** rng.uniform(-20, 20, (2, 8, 16))
    values[1, ::2] = -values[1, 1::2]
    values[1, 3, 5] += 1
    y, x = np.indices((8, 16))
    domains = {EVERYWHERE: x >= 0, Parity(1): (x + y) % 2 == 1, Colour((2, 1), 4, 3): (2 * x + y) % 4 == 3}
    with simd(size):
        for grid in grids(shape, world().size):
            lattice = Lattice(shape, ranks=grid)
            field = Field(lattice, kinds.scalars(2)).from_numpy(values, gathered=True)
            for domain, inside in domains.items():
                sums = prepare(site_functions.scalar_sums(), domain, f=field)()
                expected = [float(sum(map(Fraction, v[inside].tolist()))) for v in values]
                assert [sums["first"], sums["second"]] == expected, (grid, domain)
            bad = values.copy()
            bad[0, 7, 15] = np.inf
            sums = prepare(site_functions.scalar_sums(), f=field.from_numpy(bad, gathered=True))()
            assert np.isnan(sums["first"]) and np.isfinite(sums["second"])
