"""A lattice divides as asked or says how it could; what cannot be is refused with the ways that work."""

from itertools import product
from math import prod

import numpy as np
import pytest

from lqcd_hpc import Lattice, LqcdError
from lqcd_hpc.lattice import SerialCommunicator, communicator
from lqcd_hpc.lattice.decomposition import choose_grid, grids, surface


@pytest.mark.parametrize("shape", [(6, 4), (12, 5, 8), (4, 4, 6, 8)])
@pytest.mark.parametrize("size", [1, 2, 4, 6, 8, 12])
def test_grids_are_all_that_divide_and_least_surface_comes_first(shape, size):
    ranges = [[r for r in range(1, size + 1) if n % r == 0] for n in shape]
    expected = {grid for grid in product(*ranges) if prod(grid) == size}
    found = grids(shape, size)
    assert set(found) == expected and len(found) == len(expected)
    assert [surface(shape, g) for g in found] == sorted(surface(shape, g) for g in found)


def test_surface_counts_the_sites_that_one_rank_receives():
    assert surface((8, 8), (1, 1)) == 0
    assert surface((8, 8), (2, 1)) == 2 * 8
    assert surface((8, 4, 4), (2, 1, 2)) == 2 * 4 * 2 + 2 * 4 * 4


@pytest.mark.parametrize(
    "wanted, problem",
    [
        ((3, 1), "has 3 ranks but the job runs 4"),
        ((1, 1), "has 1 ranks but the job runs 4"),
        ((4, 1), "does not divide 6x8"),
        ((2, 2, 1), "needs 2 positive numbers"),
        ((-2, -2), "needs 2 positive numbers"),
        ((2.0, 2), "one number of ranks per direction"),
        ("22", "one number of ranks per direction"),
        (4, "one number of ranks per direction"),
    ],
)
def test_an_impossible_grid_is_refused_with_the_valid_ones(wanted, problem):
    with pytest.raises(LqcdError, match=problem) as caught:
        choose_grid((6, 8), 4, wanted)
    if "number of ranks" not in problem:
        assert "valid grids for 4 ranks: 1x4, 2x2" in str(caught.value)


def test_sizes_that_work_are_named_where_none_divides():
    with pytest.raises(LqcdError, match="6x5 cannot be divided over 4 ranks: numbers .* that work: 1, 2, 3, 5, 6"):
        choose_grid((6, 5), 4)


SHAPES = [(4,), (2,) * 5, (4, 0), (4, -2), (4.5, 4), "44", 16, None, (2**20, 2**20), ("4", "4")]


@pytest.mark.parametrize("shape", SHAPES)
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(LqcdError, match="dimensions|extent|integers|2\\^40"):
        Lattice(shape)


@pytest.mark.parametrize("boundary", ["periodic", ("periodic",), ("open", "closed"), ("open",) * 3, (1, -1)])
def test_impossible_boundaries_are_refused(boundary):
    with pytest.raises(LqcdError, match='"periodic" or "open" for each of the 2 directions'):
        Lattice((4, 4), boundary=boundary)


@pytest.mark.parametrize("name", ["replicas", "threads"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", 2**30])
def test_impossible_numbers_of_replicas_and_threads_are_refused(name, value):
    with pytest.raises(LqcdError, match=f"{name} = .*choose an integer between 1 and"):
        Lattice((4, 4), **{name: value})


def test_numpy_integers_are_integers():
    lattice = Lattice(np.array([4, 6]), ranks=np.array([1, 1]), replicas=np.int64(2))
    assert lattice.shape == (4, 6) and lattice.ranks == (1, 1) and lattice.volume == 24
    assert all(type(n) is int for n in (*lattice.shape, *lattice.ranks, lattice.replicas))


def test_the_last_direction_is_time_and_canonical_order_is_reversed():
    lattice = Lattice((4, 6, 8), boundary=("periodic", "periodic", "open"))
    assert lattice.slab == (slice(0, 8), slice(0, 6), slice(0, 4))
    assert [lattice.is_open(mu) for mu in range(3)] == [False, False, True]
    assert "4x6x8" in repr(lattice)


def test_ranks_tile_the_lattice():
    lattice = Lattice((4, 6, 8))
    lattice.ranks = (2, 3, 2)
    coords = [lattice.coords_of_rank(r) for r in range(12)]
    assert len(set(coords)) == 12
    assert [lattice.rank_of_coords(c) for c in coords] == list(range(12))
    assert lattice.rank_of_coords((-1, 3, 2)) == lattice.rank_of_coords((1, 0, 0))


def test_one_process_is_its_own_communicator():
    comm = SerialCommunicator()
    assert comm.allgather("a") == ["a"] and comm.bcast(3) == 3 and comm.split(0) is comm
    assert comm.allreduce(np.arange(3), "max").tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="sum, max, min, xor"):
        comm.allreduce(1, "mean")


def test_a_launcher_of_another_family_is_noticed(monkeypatch):
    """It starts several processes that each see an MPI of one."""

    class One:
        size = 1

    communicator.world.cache_clear()
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    monkeypatch.setattr(communicator, "_mpi", lambda: type("MPI", (), {"COMM_WORLD": None}))
    monkeypatch.setattr(communicator, "MpiCommunicator", lambda comm: One())
    with pytest.raises(LqcdError, match="started 4 processes but MPI sees 1"):
        communicator.world()
    communicator.world.cache_clear()
