"""Two-dimensional exact results, random numbers and gamma matrices of tests/reference."""

import re
from pathlib import Path

import numpy as np
import pytest
from reference import exact2d, gammas, paths, random

ROOT = Path(__file__).parents[2]


def same_digits(value, stated, digits):
    """``value`` agrees with a number stated with so many decimals, within one unit of the last."""
    return abs(value - stated) <= 10.0**-digits


def test_exact_u1_plaquette():
    plane = [0.446389965897, 0.697774657964, 0.809985293957, 0.863522611025]
    plane += [0.893383137044, 0.912359304353, 0.925532210794]
    for beta, stated in enumerate(plane, start=1):
        assert same_digits(exact2d.plaquette_u1(beta), stated, 12)
        assert exact2d.plaquette_u1(beta, 4096) == pytest.approx(stated, abs=1e-12)
    torus = {(2, 16): 0.699251926818, (4, 16): 0.870697751885}
    torus |= {(4, 64): 0.863530042512, (6, 64): 0.912454914877}
    for (beta, volume), stated in torus.items():
        assert same_digits(exact2d.plaquette_u1(beta, volume), stated, 12)
    assert exact2d.plaquette_u1(3.0, 1) == pytest.approx(1), "one plaquette on a torus is trivial"


def test_exact_u1_susceptibility():
    plane = [0.0406362361, 0.0193640456, 0.0110607997, 0.0075542131, 0.0057558073, 0.0046668026, 0.0039313061]
    for beta, stated in enumerate(plane, start=1):
        assert same_digits(exact2d.susceptibility_u1(beta), stated, 10)
        assert same_digits(exact2d.susceptibility_u1(beta, 4096), stated, 10)
    assert exact2d.susceptibility_u1(8.0, 1) == pytest.approx(0, abs=1e-6), "no flux through one plaquette"


def test_exact_u1_torus_of_two_plaquettes():
    """Two plaquettes have opposite angles: one integral over phi, and no charge."""
    phi = 2 * np.pi * np.arange(4000) / 4000
    weight = np.exp(2 * 3.0 * np.cos(phi))
    plaquette = np.sum(weight * np.cos(phi)) / np.sum(weight)
    assert exact2d.plaquette_u1(3.0, 2) == pytest.approx(plaquette, abs=1e-13)
    assert exact2d.susceptibility_u1(8.0, 2) == pytest.approx(0, abs=1e-12)


def test_exact_u1_torus_of_three_plaquettes():
    """The third angle is -(a + b) mod 2 pi, so |Q| = 1 where |a + b| > pi and 0 elsewhere (midpoint rule)."""
    n, beta = 2000, 1.3
    a = -np.pi + 2 * np.pi * (np.arange(n) + 0.5) / n
    total = a[:, None] + a[None, :]
    weight = np.exp(beta * (np.cos(a)[:, None] + np.cos(a)[None, :] + np.cos(total)))
    charged = np.where(np.abs(total) > np.pi, 1.0, 0.0)
    charged[np.isclose(np.abs(total), np.pi)] = 0.5
    plaquette = np.sum(weight * np.cos(a)) / np.sum(weight)
    mean_charge_squared = np.sum(weight * charged) / np.sum(weight)
    assert exact2d.susceptibility_u1(beta, 3) == pytest.approx(mean_charge_squared / 3, rel=1e-5)
    assert exact2d.plaquette_u1(beta, 3) == pytest.approx(plaquette, rel=1e-12)


def test_exact_sun_plaquette():
    su2 = {2: 0.433127426722, 2.2: 0.464479025270, 4: 0.658047267359, 6: 0.762726075749}
    for beta, stated in su2.items():
        assert same_digits(exact2d.plaquette_su2(beta), stated, 12)
        assert exact2d.plaquette_sun(2, beta) == pytest.approx(exact2d.plaquette_su2(beta), abs=1e-14)
    su3 = {2: 0.128627785322, 3: 0.203075050030, 5.7: 0.402716607316, 6.0: 0.422531739650, 9: 0.580375566473}
    for beta, stated in su3.items():
        assert same_digits(exact2d.plaquette_sun(3, beta), stated, 12)
    assert same_digits(exact2d.plaquette_sun(3, 0.1), 5.60184644e-3, 11)
    assert same_digits(exact2d.plaquette_sun(3, 0.5), 2.893167e-2, 8)


def test_exact_su2_torus_is_a_sum_of_bessel_functions():
    """Z = sum_n (2 I_n(beta) / beta)^V over dimensions n; <P> = (1/V) d ln Z / d beta."""
    from scipy.special import iv

    def log_z(beta, volume=9):
        return np.log(np.sum((2 * iv(np.arange(1, 20), beta) / beta) ** volume))

    slope = (log_z(4 + 1e-4) - log_z(4 - 1e-4)) / 2e-4 / 9
    assert exact2d.plaquette_sun(2, 4.0, 9) == pytest.approx(slope, abs=1e-8)
    assert exact2d.plaquette_sun(3, 6.0, 400) == pytest.approx(exact2d.plaquette_sun(3, 6.0), abs=1e-13)


@pytest.mark.parametrize(
    "counter, key, words",
    [
        ((0,) * 4, (0,) * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_known_answers(counter, key, words):
    assert " ".join(f"{int(word):08x}" for word in random.philox(counter, key)) == words


def test_uniform_and_normal_doubles():
    sites = np.arange(100_000)
    names = {"seed": 1, "stream": 2, "event": 3}
    uniform = np.concatenate(random.uniform_pair(sites, 1, 0, **names))
    assert uniform.min() > 0 and uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * uniform.size))
    assert np.array_equal(random.uniform_pair(sites[5:7], 1, 0, **names)[0], uniform[5:7])
    assert not np.any(random.uniform_pair(sites, 2, 0, **names)[0] == uniform[: sites.size])
    normal = np.concatenate(random.normal_pair(sites, 0, 0, **names))
    assert normal.mean() == pytest.approx(0, abs=4 / np.sqrt(normal.size))
    assert normal.var() == pytest.approx(1, abs=4 * np.sqrt(2 / normal.size))
    first, last = random.unit_double(np.uint64([0, 0xFFFFFFFF]), np.uint64([0, 0xFFFFFFFF]))
    assert first == 2.0**-53 and last == 1 - 2.0**-53


@pytest.mark.parametrize("dims", [2, 3, 4])
def test_gamma_matrices(dims):
    g = gammas.gammas(dims)
    anticommutators = np.einsum("mab,nbc->mnac", g, g) + np.einsum("nab,mbc->mnac", g, g)
    assert np.allclose(anticommutators, 2 * np.einsum("mn,ab->mnab", np.eye(dims), np.eye(g.shape[-1])))
    assert np.allclose(g, paths.dagger(g))
    if dims == 4:
        assert np.array_equal(gammas.gamma5(4), np.diag([1, 1, -1, -1]))
    if dims != 3:
        assert np.allclose(g @ gammas.gamma5(dims) + gammas.gamma5(dims) @ g, 0)


def test_gamma_matrices_printed_in_the_documentation():
    text = (ROOT / "docs" / "conventions.md").read_text()
    block = re.search(r"gamma_x +gamma_y +gamma_z +gamma_t\n(.*?)```", text, re.S)[1]
    number = {"0": 0, "1": 1, "-1": -1, "i": 1j, "-i": -1j}
    lines = [line.split("|") for line in block.splitlines()]
    printed = np.array([[[number[entry] for entry in part.split()] for part in line] for line in lines])
    assert np.array_equal(printed.transpose(1, 0, 2), gammas.gammas(4))
