"""Memory order is nobody's business: canonical arrays survive it, and neighbours are where numpy rolls them."""

import itertools

import numpy as np
import pytest
import site_functions
from site_functions import simd

from lqcd_hpc import Field, Lattice
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.field import layout_of
from lqcd_hpc.fields.launch import prepare

SHAPES = [(4, 4), (8, 12), (5, 7), (3, 4), (1, 8), (8, 4, 6), (3, 5, 2), (4, 4, 4, 8), (2, 3, 4, 5), (1, 1, 1, 2)]
BYTES = [8, 16, 32, 64]
REPLICAS = [1, 3, 12, 16]


def random_values(field, rng):
    shape = field.to_numpy().shape
    values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if field.kind.number == "complex" else 0)
    return values.astype(field.to_numpy().dtype)


@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize("precision", ["double", "single"])
def test_canonical_values_survive_memory_order(size, precision):
    rng = np.random.default_rng(1)
    with simd(size):
        for shape, replicas, copies in itertools.product(SHAPES, REPLICAS, (1, 3)):
            lattice = Lattice(shape, replicas=replicas)
            for kind in (kinds.links(2, len(shape)), kinds.scalars(), kinds.algebra(3, len(shape))):
                field = Field(lattice, kind, precision, copies)
                values = random_values(field, rng)
                assert field.from_numpy(values).to_numpy().tobytes() == values.tobytes()
                assert field.to_numpy(gather=True).tobytes() == values.tobytes()


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("replicas", REPLICAS)
def test_every_site_has_one_place_sorted_by_parity(size, replicas):
    with simd(size):
        for shape in SHAPES:
            lattice = Lattice(shape, replicas=replicas)
            layout = layout_of(lattice, "double")
            assert sorted(layout.site_of_slot.reshape(-1)) == list(range(lattice.volume * replicas))
            parity = layout.local_coords().sum(axis=-1) % 2
            assert (parity == parity[:, :1]).all(), "lanes of an item have one parity"
            (begin, middle), (_, end) = layout.parity_ranges
            assert (begin, end) == (0, layout.items)
            assert (parity[:middle] == 0).all() and (parity[middle:] == 1).all()


def test_lanes_are_as_many_as_extents_and_replicas_allow():
    cases = [((8, 8), 1, 8), ((4, 4), 1, 4), ((5, 7), 1, 1), ((4, 6), 1, 2), ((5, 7), 16, 8), ((5, 7), 12, 4)]
    with simd(64):
        for shape, replicas, lanes in cases:
            assert layout_of(Lattice(shape, replicas=replicas), "double").lanes == lanes, (shape, replicas)
        assert layout_of(Lattice((8, 8, 4)), "single").lanes == 16


@pytest.mark.parametrize("size", [16, 32, 64])
def test_lane_permutations_form_the_group_of_shifts(size):
    with simd(size):
        for shape in [(8, 8), (4, 4, 4, 4), (16, 3)]:
            layout = layout_of(Lattice(shape), "double")
            table = layout.permutations(np.int64)
            assert (np.sort(table, axis=1) == np.arange(layout.lanes)).all()
            assert (table[0] == np.arange(layout.lanes)).all()
            shifts = np.stack(np.unravel_index(np.arange(len(table)), layout.virtual[::-1])[::-1], axis=1)
            for (a, p), (b, q) in itertools.product(zip(shifts, table), repeat=2):
                both = np.ravel_multi_index(((a + b) % layout.virtual)[::-1], layout.virtual[::-1])
                assert (p[q] == table[both]).all()


@pytest.mark.parametrize("size", BYTES)
def test_random_numbers_know_the_global_site_and_the_replica(size):
    with simd(size):
        for shape, replicas in itertools.product(SHAPES, REPLICAS):
            lattice = Lattice(shape, replicas=replicas)
            layout = layout_of(lattice, "double")
            site = layout.site_of_slot % lattice.volume
            replica = layout.site_of_slot // lattice.volume
            assert (layout.ids == (site.astype(np.uint64) | replica.astype(np.uint64) << np.uint64(40))).all()


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("shape", SHAPES)
def test_neighbours_are_where_numpy_rolls_them(size, shape):
    rng = np.random.default_rng(2)
    ndim = len(shape)
    displacements = [tuple(d) for d in rng.integers(-9, 10, size=(6, ndim)).tolist()]
    displacements += [(0,) * ndim, (-1, 1) + (0,) * (ndim - 2), (3,) * ndim]
    cases = [(1, "double"), (12, "double")] + ([(4, "single")] if size == 16 else [])
    with simd(size):
        for replicas, precision in cases:
            lattice = Lattice(shape, replicas=replicas)
            source = Field(lattice, kinds.matrices(1), precision)
            numbers = np.arange(source.to_numpy().size).reshape(source.to_numpy().shape)
            source.from_numpy(numbers * (1 - 1j))
            target = source.like(kinds.matrices(1, len(displacements)))
            kernel = site_functions.gather(displacements)
            prepare(kernel, **{"in": source, "out": target})(count=len(displacements))
            values, found = source.to_numpy()[..., 0, 0], target.to_numpy()[..., 0, 0]
            axes = tuple(range(-1, -1 - ndim, -1))
            rolled = [np.roll(values, [-n for n in d], axes) for d in displacements]
            assert (found == np.stack(rolled, axis=-1 - ndim)).all()
