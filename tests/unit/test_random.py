"""Random numbers are a pure function of what they are for, and have the distributions they claim."""

import numpy as np
import pytest
import scipy.stats
import site_functions
from reference import random as reference
from site_functions import simd

from lqcd_hpc import Field, Lattice, LqcdError, Random, gauge
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.fields.random import philox

BYTES = [8, 16, 64]


def drawn(lattice, key, direction, trial, normal=0):
    """The pair of numbers of every site as the kernels draw it, shape (2, replicas, sites)."""
    target = Field(lattice, kinds.scalars(2))
    prepare(site_functions.draws(), out=target)(key=key, direction=direction, trial=trial, normal=normal)
    values = target.to_numpy().reshape(lattice.replicas, 2, lattice.volume)
    return values.swapaxes(0, 1)


@pytest.mark.parametrize("size", BYTES)
def test_every_bit_follows_the_counter(size):
    cases = [((8, 4, 4), 1), ((5, 7), 3), ((4, 2), 16), ((2, 3, 4, 5), 1)]
    keys = [(0, 0, 0, 0, 0), (2**32 - 1, 7, 11, 3, 513), (12345, 2**32 - 1, 2**32 - 1, 255, 65535)]
    with simd(size):
        for shape, replicas in cases:
            lattice = Lattice(shape, replicas=replicas)
            for seed, stream, event, direction, trial in keys:
                found = drawn(lattice, Random(seed, stream, event).key(), direction, trial)
                for r in range(replicas):
                    names = {"seed": seed, "stream": stream, "event": event, "replica": r}
                    expected = reference.uniform_pair(np.arange(lattice.volume), direction, trial, **names)
                    assert (found[:, r] == np.array(expected)).all()


def test_normal_deviates_follow_the_uniform_ones():
    lattice = Lattice((16, 16, 8), replicas=2)
    found = drawn(lattice, Random(5, 6, 7).key(), 2, 9, normal=1)
    for r in range(2):
        expected = reference.normal_pair(np.arange(lattice.volume), 2, 9, seed=5, stream=6, event=7, replica=r)
        assert np.abs(found[:, r] - np.array(expected)).max() < 1e-14


def test_numbers_that_belong_to_no_site():
    """Counter: site 0, direction 255, trial 0; `replica` counts them."""
    rng = Random(99, 3)
    rng.key()
    found = rng.uniform(1000)
    expected = reference.uniform_pair(0, 255, 0, seed=99, stream=3, event=1, replica=np.arange(1000))[0]
    assert (found == expected).all() and rng.event == 2
    words = philox(np.zeros((4, 3), np.uint64), (0, 0))
    assert [hex(int(w[0])) for w in words] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def test_uniform_numbers_are_never_zero_or_one():
    low = reference.unit_double(np.uint64(0), np.uint64(0))
    high = reference.unit_double(np.uint64(2**32 - 1), np.uint64(2**32 - 1))
    assert low == 2.0**-53 and high == 1 - 2.0**-53


def test_distributions():
    lattice = Lattice((32, 32, 32))
    u, v = drawn(lattice, Random(11).key(), 0, 0)[:, 0]
    a, b = drawn(lattice, Random(12).key(), 0, 0, normal=1)[:, 0]
    angle = np.arctan2(a, b) / (2 * np.pi) + 0.5
    for sample, law in ((u, "uniform"), (v, "uniform"), (a, "norm"), (b, "norm"), (angle, "uniform")):
        assert scipy.stats.kstest(sample, law).pvalue > 1e-3
    for x, y in ((u, v), (a, b), (u[1:], u[:-1]), (a[1:], a[:-1]), (a * a, b * b)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(len(x))


def test_neighbouring_counters_are_independent():
    """Other site, replica, direction, trial, event, stream or seed: other numbers."""
    lattice = Lattice((8, 8), replicas=2)
    draws = [
        drawn(lattice, Random(seed, stream, event).key(), direction, trial)
        for seed, stream, event, direction, trial in np.vstack([np.zeros((1, 5), int), np.eye(5, dtype=int)]).tolist()
    ]
    assert len(np.unique(draws)) == np.size(draws)


@pytest.mark.parametrize("group, nc", [("U(1)", 1), ("SU(2)", 2), ("SU(3)", 3)])
def test_hot_links_are_drawn_from_the_haar_measure(group, nc):
    """<|tr U|^2> = <|tr U|^4>/2 = 1 for SU(3); 1 and 2 for SU(2), <tr^4> = 2; U(1): moments of a uniform phase."""
    with simd(16):
        lattice = Lattice((64, 64))
        u = gauge.hot(lattice, Random(17), group).to_numpy().reshape(-1, nc, nc)
    assert np.abs(u @ np.conj(u.swapaxes(1, 2)) - np.eye(nc)).max() < 1e-14
    trace = np.trace(u, axis1=1, axis2=2)
    if nc > 1:
        assert np.abs(np.linalg.det(u) - 1).max() < 1e-13
    moments = {1: {2: 1, 4: 1}, 2: {2: 1, 4: 2}, 3: {2: 1, 4: 2, 6: 6}}[nc]
    samples = [(np.abs(trace) ** k, m) for k, m in moments.items()] + [(trace.real, 0), (trace.imag, 0)]
    samples += [((trace**3).real, {1: 0, 2: 0, 3: 1}[nc])]
    samples += [(np.abs(u[:, i, j]) ** 2, 1 / nc) for i in range(nc) for j in range(nc)]
    samples += [((u[:-1, 0, 0] * np.conj(u[1:, 0, 0])).real, 0)]
    for sample, expected in samples:
        error = sample.std() / np.sqrt(len(sample))
        assert abs(sample.mean() - expected) < 4 * error + 1e-12


def test_a_state_continues_the_chain():
    rng = Random(4, 2)
    rng.uniform(3)
    rng.key()
    other = Random(**rng.state)
    assert (rng.uniform(5) == other.uniform(5)).all() and rng.state == other.state


WRONG = [{"seed": -1}, {"seed": 2**32}, {"seed": 1, "stream": -1}, {"seed": 1.5}, {"seed": "7"}]


@pytest.mark.parametrize("wrong", WRONG)
def test_impossible_seeds_are_refused(wrong):
    with pytest.raises(LqcdError, match="integer from 0 to 4294967295"):
        Random(**wrong)


def test_a_chain_ends_after_all_its_events():
    rng = Random(1, event=2**32 - 1)
    rng.key()
    with pytest.raises(LqcdError, match="another stream"):
        rng.key()
