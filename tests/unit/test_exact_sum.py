"""Sums are exact: they do not know the order of their terms, nor lanes, threads, replicas."""

import math
from fractions import Fraction

import numpy as np
import pytest
import site_functions
from site_functions import simd

from lqcd_hpc import Field, Lattice
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.domain import EVERYWHERE, Colour, Parity, Slice
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.fields.sums import BINS, round_bins

SHAPE = (16, 8, 8)
COUNT = math.prod(SHAPE)
BYTES = [8, 16, 64]


def kernel_sum(values, shape=SHAPE, domain=EVERYWHERE, precision="double", **lattice):
    """The exact sum of an array of values as the kernels make it (first buffer)."""
    lattice = Lattice(shape, **lattice)
    field = Field(lattice, kinds.scalars(2), precision)
    field.from_numpy(np.stack([values, values[..., ::-1] / -2], axis=int(lattice.replicas > 1)))
    sums = prepare(site_functions.scalar_sums(), domain, f=field)()
    if domain is EVERYWHERE and not np.any(np.abs(values) < 1e-300):
        assert np.array_equal(2 * sums["second"], -sums["first"], equal_nan=True)
    return sums["first"]


def exact(values):
    """The nearest double of the exact sum."""
    return math.fsum(values.reshape(-1).tolist())


def decades(rng, low, high, count=COUNT):
    """Numbers of both signs spread evenly over decades."""
    return rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(low, high, count) * rng.uniform(1, 10, count)


def sites(values, shape=SHAPE):
    return values.reshape(shape[::-1])


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("threads", [1, 2])
def test_forty_decades_in_any_order(size, threads):
    rng = np.random.default_rng(3)
    values = decades(rng, -20, 20)
    with simd(size):
        for _ in range(4):
            assert kernel_sum(sites(values), threads=threads) == exact(values)
            values = rng.permutation(values)
        values = values[np.argsort(np.abs(values))]
        assert kernel_sum(sites(values), threads=threads) == exact(values)
        assert kernel_sum(sites(values[::-1]), threads=threads) == exact(values)


@pytest.mark.parametrize("size", BYTES)
def test_the_whole_range_of_doubles(size):
    rng = np.random.default_rng(4)
    with simd(size):
        for low, high in [(-323, 300), (-323, -290), (-310, -300), (290, 303), (-5, 5)]:
            values = decades(rng, low, high)
            for _ in range(2):
                assert kernel_sum(sites(values)) == exact(values), (low, high)
                values = rng.permutation(values)


@pytest.mark.parametrize("size", [8, 64])
def test_what_cancels_leaves_the_rest(size):
    rng = np.random.default_rng(5)
    half = decades(rng, -300, 300, COUNT // 2 - 1)
    with simd(size):
        for rest in (0.0, 1e-300, 5e-324, -3.0, 1e20):
            values = rng.permutation(np.concatenate([half, -half, [rest, 0.0]]))
            assert kernel_sum(sites(values)) == rest
        values = np.zeros(COUNT)
        values[:3] = 1e20, 1e-20, -1e20
        assert kernel_sum(sites(values)) == 1e-20


@pytest.mark.parametrize("size", [8, 64])
def test_rounding_is_to_the_nearest_and_ties_go_to_even(size):
    half, tiny = 2.0**-53, 2.0**-1074
    cases = [[1.0, half], [1.0, 3 * half], [1.0, half, tiny], [1.0, half, -tiny]]
    cases += [[1.0, -half / 2], [1.0, -half / 2, -tiny]]
    cases += [[2.0**-1022, -tiny], [2.0**53, 1.0], [2.0**53, 1.0, 2.0**-300]]
    with simd(size):
        for sign in (1, -1):
            for case in cases:
                values = np.zeros(16)
                values[: len(case)] = case
                values = sign * np.roll(values, 5)
                expected = float(sum(map(Fraction, values.tolist())))
                assert kernel_sum(values.reshape(4, 4), (4, 4)) == exact(values) == expected


@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_terms_that_are_not_finite_give_nan(size, bad):
    values = np.ones(COUNT)
    values[COUNT // 3] = bad
    with simd(size):
        assert math.isnan(kernel_sum(sites(values)))
        values[COUNT // 2] = -bad
        assert math.isnan(kernel_sum(sites(values)))


def test_sums_beyond_the_largest_double_come_back():
    values = np.zeros(COUNT)
    values[:500], values[500:999] = 1e306, -1e306
    assert kernel_sum(sites(values)) == 1e306
    assert kernel_sum(np.full(SHAPE[::-1], 1.5e308)) == np.inf


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("threads", [1, 2])
def test_domains_sum_their_own_sites(size, threads):
    rng = np.random.default_rng(6)
    values = sites(decades(rng, -15, 15))
    z, y, x = np.indices(values.shape)
    domains = {
        Parity(0): (x + y + z) % 2 == 0,
        Parity(1): (x + y + z) % 2 == 1,
        Colour((2, 1, 1), 4, 3): (2 * x + y + z) % 4 == 3,
        Colour((1, 0, 0), 5, 2): x % 5 == 2,
        Slice(0, 7): x == 7,
        Slice(2, 0): z == 0,
    }
    values[(z == 5) & (x == 1) & (y == 1)] = np.nan  # of another colour, slice and parity: must not be seen
    with simd(size):
        for domain, inside in domains.items():
            expected = exact(values[inside]) if np.isfinite(values[inside]).all() else np.nan
            assert np.array_equal(kernel_sum(values, domain=domain, threads=threads), expected, equal_nan=True)


@pytest.mark.parametrize("size", BYTES)
@pytest.mark.parametrize("replicas", [3, 12, 16])
def test_replicas_have_sums_of_their_own(size, replicas):
    rng = np.random.default_rng(7)
    shape = (4, 6)
    values = decades(rng, -20, 20, replicas * 24).reshape(replicas, *shape[::-1])
    with simd(size):
        for threads in (1, 2):
            sums = kernel_sum(values, shape, replicas=replicas, threads=threads)
            assert sums.tolist() == [exact(v) for v in values]


@pytest.mark.parametrize("threads", [1, 2])
def test_long_sums_pass_their_carries_on(threads):
    """More terms than the accumulators take at once, all of one sign, and odd multiples of a bin's unit."""
    shape = (64, 64, 32)
    odd = 2.0 ** np.random.default_rng(10).uniform(38, 39, math.prod(shape)) // 2 * 2 - 1
    for scale in (1.0, -(2.0**-960), 2.0**600 + 2.0**560):
        with simd(16):
            assert kernel_sum(sites(odd * scale, shape), shape, threads=threads) == exact(odd * scale)


def test_single_precision_terms_are_summed_in_double():
    values = sites(decades(np.random.default_rng(8), -20, 15)).astype(np.float32)
    with simd(16):
        assert kernel_sum(values, precision="single") == exact(values)


def test_bins_round_as_their_value():
    rng = np.random.default_rng(9)
    bins = rng.integers(-(2**60), 2**60, size=(20, BINS))
    bins[:, -1] = 0
    bins[::2, :30] = 0
    bins[:, 50:] = 0
    bins[1::2, 25:] = 0
    for row, value in zip(bins, round_bins(bins)):
        assert value == float(sum(int(b) * Fraction(2) ** (40 * (j - 27)) for j, b in enumerate(row)))
