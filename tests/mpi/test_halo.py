"""A divided lattice is the same lattice: neighbours, loops and updates agree to the bit with one process."""

import itertools

import numpy as np
import pytest
import site_functions
from site_functions import simd

from lqcd_hpc import Field, Lattice, Random, gauge
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import Colour, Parity, Slice
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.fields.launch import Kernel, Sequence, in_, inout, prepare
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.paths.loops import loop_traces
from lqcd_hpc.paths.plaquette import plaquette_planes

SHAPES = [(8, 16), (10, 4), (4, 8, 6), (4, 4, 2, 8)]
BYTES = [8, 32]


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    """Halos are not a number from the moment they are stale."""
    monkeypatch.setattr(Exchange, "poison", True)


def divided(shape, **arguments):
    """The lattice over every grid of the ranks of this job."""
    return [Lattice(shape, ranks=grid, **arguments) for grid in grids(shape, world().size)]


def alone(lattice):
    """The same lattice, whole on every rank."""
    names = {"boundary": lattice.boundary, "replicas": lattice.replicas}
    return Lattice(lattice.shape, comm=SerialCommunicator(), **names)


def numbers(lattice):
    shape = lattice.shape[::-1] if lattice.replicas == 1 else (lattice.replicas, *lattice.shape[::-1])
    return np.arange(np.prod(shape), dtype=float).reshape(shape)


def numbered(lattice, precision="double"):
    """Complex numbers that tell where they are."""
    values = numbers(lattice)[..., None, None] * (1 - 1j)
    return Field(lattice, kinds.matrices(1), precision).from_numpy(values, gathered=True)


def gathered(field, displacements):
    """The field seen from x + d for every displacement d, on the whole lattice."""
    count = len(displacements)
    target = field.like(kinds.matrices(1, count))
    prepare(site_functions.gather(displacements), **{"in": field, "out": target})(count=count)
    values = target.to_numpy(gather=True)[..., 0, 0]
    return values if count > 1 else np.expand_dims(values, -1 - field.lattice.ndim)


def rolled(lattice, displacements):
    """The same by numpy."""
    ndim, values = lattice.ndim, numbers(lattice) * (1 - 1j)
    axes = tuple(range(-1, -1 - ndim, -1))
    return np.stack([np.roll(values, [-n for n in d], axes) for d in displacements], axis=-1 - ndim)


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_neighbour_up_to_three_steps_and_all_corners(shape, size):
    ndim = len(shape)
    everything = [d for d in itertools.product(range(-3, 4), repeat=ndim) if any(d)]
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(everything), min(12, len(everything)), replace=False)
    near = [tuple(s if nu == mu else 0 for nu in range(ndim)) for mu in range(ndim) for s in (-3, 1)]
    displacements = [everything[k] for k in chosen] + near
    with simd(size):
        for lattice in divided(shape):
            found = gathered(numbered(lattice), displacements)
            assert (found == rolled(lattice, displacements)).all(), lattice


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("shape", [(8, 16), (4, 8, 4)])
def test_neighbours_further_away_than_a_rank_is_wide(shape, size):
    rng = np.random.default_rng(2)
    ndim = len(shape)
    lists = [[tuple(d) for d in rng.integers(-20, 21, (12, ndim)).tolist()] for _ in range(2)]
    rest = (0,) * (ndim - 1)
    lists += [[(s, *rest) for s in range(-20, 21, 2)], [(*rest, s) for s in range(-20, 21, 2)]]
    with simd(size):
        for lattice, displacements in itertools.product(divided(shape), lists):
            found = gathered(numbered(lattice), displacements)
            assert (found == rolled(lattice, displacements)).all(), (lattice, displacements)


@pytest.mark.parametrize("size", BYTES)
def test_lanes_that_happen_to_make_whole_blocks_on_one_side(size):
    """Two ghosts of one lane each can come from both lanes of one block: no reason to send it as a block."""
    ranks = world().size
    with simd(size):
        for shape, grid in (((1, 4 * ranks), (1, ranks)), ((4 * ranks, 1), (ranks, 1)), ((2, 8 * ranks), (1, ranks))):
            lattice = Lattice(shape, ranks=grid)
            for steps in ((2, 6), (6, 2), (-2, -6), (4, 12), (2, 6, 10, 14)):
                displacements = [(s, 0) if grid[0] > 1 else (0, s) for s in steps]
                found = gathered(numbered(lattice), displacements)
                assert (found == rolled(lattice, displacements)).all(), (lattice, steps)


@pytest.mark.parametrize("size, precision, replicas", [(8, "double", 3), (32, "double", 12), (16, "single", 8)])
def test_replicas_and_single_precision(size, precision, replicas):
    displacements = [(1, 0), (0, -1), (-2, 3), (5, 0), (0, 0)]
    with simd(size):
        for shape in [(8, 16), (4, 5 * world().size)]:
            for lattice in divided(shape, replicas=replicas):
                found = gathered(numbered(lattice, precision), displacements)
                assert (found == rolled(lattice, displacements)).all(), lattice


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("shape", [(5, 2), (3, 2), (5, 1), (1, 1), (3, 3)])
def test_odd_local_extents(size, shape):
    """Parities run on across ranks of odd extents, and odd lattices have neighbours of the same parity."""
    with simd(size):
        for grid in grids((64, 64), world().size):
            extents = tuple(n * r for n, r in zip(shape, grid))
            lattice = Lattice(extents, ranks=grid)
            displacements = [d for d in itertools.product(range(-2, 3), repeat=2) if any(d)]
            found = gathered(numbered(lattice), displacements)
            assert (found == rolled(lattice, displacements)).all(), lattice
            check_updates(lattice)


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("poisoned", [True, False])
def test_updates_by_parity_and_colour_refresh_what_they_wrote(size, poisoned, monkeypatch):
    """Without poison stale halos hold old numbers, and those of the other parity stay fresh."""
    monkeypatch.setattr(Exchange, "poison", poisoned)
    shape = (8, 16) if poisoned else (12, 8)
    with simd(size):
        for lattice in divided(shape):
            check_updates(lattice)
        for lattice in divided(shape, replicas=4):
            check_updates(lattice)


def check_updates(lattice):
    """Many updates in place on single parities, colours and slices, with different reach, alone and in a sequence."""
    star, knights = ((1, 0), (-1, 0), (0, 1), (0, -1)), ((1, 2), (-2, 1), (-1, -2), (2, -1))
    domains = [Parity(0), Parity(1), Parity(1), Slice(0, 0), Parity(0), Slice(1, 2 % lattice.shape[1])]
    domains += [Colour((1, 2), 4, v) for v in range(4)] if lattice.shape[0] % 4 == lattice.shape[1] % 2 == 0 else []
    results = []
    for each in (lattice, alone(lattice)):
        field, launches = Field(each, kinds.scalars()).from_numpy(numbers(each), gathered=True), []
        for k, domain in enumerate(domains):
            kernel = site_functions.relax(knights if k % 3 == 2 else star)
            if not independent(domain, kernel.displacements, lattice.shape):
                continue
            launches.append(prepare(kernel, domain, f=field).set(count=4, factor=0.25))
        Sequence(launches)(repeat=2)
        for launch in launches[::-1]:
            launch()
        results.append(field.to_numpy(gather=True))
    assert results[0].tobytes() == results[1].tobytes(), lattice
    assert np.isfinite(results[0]).all()


def independent(domain, displacements, shape):
    """Whether no site of the domain reads another one (an update in place depends on the order otherwise)."""
    sites = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    inside = domain.contains(sites)
    others = [domain.contains((sites + d) % shape) for d in displacements if any(np.array(d) % shape)]
    return not any((inside & other).any() for other in others)


LOOPS = {
    2: ["+x +y -x -y", "+x3 +y2 -x3 -y2", "+y3 +x -y3 -x", "+x +y +x +y -x2 -y2", "+x -y2 -x +y2"],
    3: ["+x +y -x -y", "+x3 +z2 -x3 -z2", "+x +y +z -x -y -z", "+z3 +y3 -z3 -y3"],
}


BOUNDARIES = [((8, 16), None), ((8, 20), ("periodic", "open")), ((8, 4, 8), ("open", "periodic", "open"))]


@pytest.mark.parametrize("shape, boundary", BOUNDARIES)
def test_loops_plaquettes_and_transformations_agree_to_the_bit(shape, boundary):
    group = "SU(2)" if len(shape) == 2 else "U(1)"
    with simd(16):
        for lattice in divided(shape, boundary=boundary):
            assert observed(lattice, group) == observed(alone(lattice), group), lattice


def test_loops_of_replicas_agree_to_the_bit():
    with simd(16):
        for lattice in divided((8, 12), replicas=6):
            assert observed(lattice, "SU(2)") == observed(alone(lattice), "SU(2)"), lattice


def observed(lattice, group):
    """The bytes of a random field, of its loops and plaquettes, before and after a gauge transformation."""
    U = gauge.hot(lattice, Random(1), group)
    seen = []
    for _ in range(2):
        traces = loop_traces(U, [[loop] for loop in LOOPS[lattice.ndim]])
        planes = list(plaquette_planes(U).values())
        seen += [U.to_numpy(gather=True).tobytes(), np.array(traces).tobytes(), np.array(planes).tobytes()]
        assert np.isfinite(traces).all() and np.isfinite(planes).all()
        gauge.transform(U, gauge.random_transformation(U, Random(2)))
    return seen


def test_the_poison_shows_where_a_halo_is_not_exchanged():
    """The check of the checks: without an exchange the numbers of other ranks are not a number."""
    lattice = divided((8, 16))[0]
    field = numbered(lattice)
    target = field.like(kinds.matrices(1, 2))
    launch = prepare(site_functions.gather([(0, 1), (1, 0)]), **{"in": field, "out": target}).set(count=2)
    launch()
    assert np.isfinite(target.to_numpy()).all()
    field.touch()
    launch._halos = []
    launch()
    assert np.isnan(target.to_numpy()).any()


def test_a_halo_that_is_fresh_is_not_exchanged_again(monkeypatch):
    lattice = divided((8, 16))[0]
    field = numbered(lattice)
    starts = []
    start = Exchange.start
    monkeypatch.setattr(Exchange, "start", lambda self: (starts.append(self), start(self)))
    gathered(field, [(0, 1), (1, 0), (1, 1)])
    gathered(field, [(0, 1), (1, 0), (1, 1)])
    gathered(field, [(0, 1)])  # lies within what is fresh
    assert len(starts) == 1
    field.touch(parities=(1,))
    gathered(field, [(1, 0), (0, 1)])
    assert len(starts) == 2


def write_by_hand(field, other):
    blocks = field.layout.first_ghost * field.layout.lanes // field.layout.group
    with field.writing() as data:
        data[:, :blocks] = other.data[:, :blocks]


def write_by_kernel(field, other):
    args = (in_("source"), inout("target"))
    prepare(Kernel("fill.h", "copy", (field.reals, field.kind.buffers), args), source=other, target=field)()


WAYS_OF_WRITING = {
    "assign": lambda field, other: field.assign(other),
    "replicas": lambda field, other: field.assign_replicas(other, [True, True]),
    "canonical": lambda field, other: field.from_numpy(other.to_numpy()),
    "by hand": write_by_hand,
    "by kernel": write_by_kernel,
}


@pytest.mark.parametrize("way", WAYS_OF_WRITING)
def test_every_way_of_writing_makes_halos_stale(way, monkeypatch):
    monkeypatch.setattr(Exchange, "poison", False)
    displacements = [(0, 1), (1, 0), (-1, -1)]
    for lattice in divided((8, 16), replicas=2):
        field, other = numbered(lattice), numbered(lattice)
        gathered(field, displacements)
        other.from_numpy(other.to_numpy() + 1)
        WAYS_OF_WRITING[way](field, other)
        assert (gathered(field, displacements) == rolled(lattice, displacements) + 1).all(), lattice


def test_sub_communicators_and_serial_lattices_side_by_side():
    """Halves of the job work on lattices of their own while every rank keeps a small one to itself."""
    comm = world()
    half = comm.split(comm.rank % 2)
    assert half.size == comm.size // 2
    with simd(16):
        check_side_by_side(comm, half)


def check_side_by_side(comm, half):
    for each, seed in ((half, comm.rank % 2), (SerialCommunicator(), comm.rank)):
        lattice = Lattice((8, 16), comm=each)
        U = gauge.hot(lattice, Random(seed), "SU(2)")
        expected = gauge.hot(alone(lattice), Random(seed), "SU(2)")
        assert U.to_numpy(gather=True).tobytes() == expected.to_numpy().tobytes()
        assert loop_traces(U, [["+x3 +y2 -x3 -y2"]]) == loop_traces(expected, [["+x3 +y2 -x3 -y2"]])
    digests = comm.allgather(float(np.abs(U.to_numpy()[0, 0, 0] - 1).sum()))
    assert len(set(digests)) == comm.size


def test_an_mpi4py_communicator_is_welcome():
    from mpi4py import MPI

    lattice = Lattice((8, 16), comm=MPI.COMM_WORLD)
    assert lattice.comm.size == world().size
    assert (gathered(numbered(lattice), [(1, 0)]) == rolled(lattice, [(1, 0)])).all()
