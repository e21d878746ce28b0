"""The elementary functions of the kernels against longer arithmetic, and exponentials of the algebra against scipy."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import site_functions
from reference import algebra
from site_functions import simd

from lqcd_hpc import Field, Lattice
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.smearing.gradient_flow import exponential_kernel

SHAPE = (16, 16, 8)
COUNT = math.prod(SHAPE)
NAMES = ("exp", "log", "sin", "cos", "sin_turns", "cos_turns", "atan2")
TWO_PI = Fraction(Decimal("6.28318530717958647692528676655900576839433879875021164194988918461563281257241799725606"))


def evaluate(x, y=None, size=64):
    """All functions of the kernels at x (and y), as a dictionary of arrays."""
    with simd(size):
        source = Field(Lattice(SHAPE), kinds.scalars(2))
        source.from_numpy(np.stack([x, np.zeros_like(x) if y is None else y]).reshape(2, *SHAPE[::-1]))
        target = source.like(kinds.scalars(7))
        prepare(site_functions.functions(), **{"in": source, "out": target})()
        return dict(zip(NAMES, target.to_numpy().reshape(7, -1)))


def units(found, exact):
    """The largest error in units of the last place; `exact` are fractions or long doubles."""
    worst = 0.0
    for a, b in zip(found.tolist(), exact):
        b = Fraction(b) if not isinstance(b, Fraction) else b
        worst = max(worst, float(abs(Fraction(a) - b) / Fraction(math.ulp(float(b)))))
    return worst


def taylor(x, first, ratio):
    """sum of terms, each the one before times ratio(k), of the fraction x to 60 digits."""
    with localcontext() as context:
        context.prec = 70
        x = Decimal(x.numerator) / Decimal(x.denominator)
        term = first(x)
        total, k = term, 0
        while abs(term) > Decimal("1e-60") * max(abs(total), Decimal("1e-40")):
            k += 1
            term *= ratio(x, k)
            total += term
        return Fraction(total)


def exact_sin(x):
    x = x - TWO_PI * round(x / TWO_PI)
    return taylor(x, lambda x: x, lambda x, k: -x * x / (2 * k * (2 * k + 1)))


def exact_cos(x):
    x = x - TWO_PI * round(x / TWO_PI)
    return taylor(x, lambda x: Decimal(1), lambda x, k: -x * x / (2 * k * (2 * k - 1)))


def sample(rng, low, high, count=COUNT):
    return rng.choice([-1.0, 1.0], count) * np.exp(rng.uniform(np.log(low), np.log(high), count))


def test_exp_and_log():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-708, 709, COUNT // 2), sample(rng, 1e-20, 30, COUNT // 2)])
    with localcontext() as context:
        context.prec = 40
        assert units(evaluate(x)["exp"], [Fraction(Decimal(v).exp()) for v in x.tolist()]) < 2
        x = np.exp(rng.uniform(-700, 700, COUNT))
        x[: COUNT // 2] = 1 + sample(rng, 2e-16, 0.4, COUNT // 2)
        x[:4] = 1, 2.0**-53, 2.0**-1022, 1.7e308
        assert units(evaluate(x)["log"], [Fraction(Decimal(v).ln()) for v in x.tolist()]) < 2


def test_exp_beyond_its_range_is_zero_or_huge():
    x = np.full(COUNT, -708.5)
    x[1:4] = -1e300, 709.5, 1e300
    found = evaluate(x)["exp"]
    assert found[0] == found[1] == 0 and found[2] == found[3] > 8e307


def test_sin_and_cos():
    rng = np.random.default_rng(2)
    x = np.concatenate([sample(rng, 1e-12, 1e5, COUNT // 2), rng.uniform(-10, 10, COUNT // 2)])
    x[: COUNT // 4] = np.arange(-COUNT // 8, COUNT // 8) * (np.pi / 2)  # where either is as small as it gets
    x[:4] = 0, 99999.5, np.pi, 1e-300
    found, angles = evaluate(x), [Fraction(v) for v in x.tolist()]
    assert units(found["sin"], [exact_sin(a) for a in angles]) < 2
    assert units(found["cos"], [exact_cos(a) for a in angles]) < 2


def test_sin_and_cos_of_turns():
    rng = np.random.default_rng(3)
    x = rng.uniform(-2, 2, COUNT)
    x[: COUNT // 2] = sample(rng, 1e-15, 1e5, COUNT // 2)
    x[:17] = np.arange(-8, 9) / 8
    found, angles = evaluate(x), [Fraction(v) * TWO_PI for v in x.tolist()]

    def exact(function):
        values = [function(a) for a in angles]
        return [v if abs(v) > 1e-50 else Fraction(0) for v in values]  # pi has 80 digits here

    assert units(found["sin_turns"], exact(exact_sin)) < 2
    assert units(found["cos_turns"], exact(exact_cos)) < 2


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs long doubles of 64 bits")
def test_atan2():
    rng = np.random.default_rng(4)
    x, y = sample(rng, 1e-3, 1e3), sample(rng, 1e-3, 1e3)
    x[: COUNT // 2] *= 10.0 ** rng.uniform(-100, 100, COUNT // 2)
    x[:8] = 1, 0, -1, 0, 0, 1, -1, -1
    y[:8] = 0, 1, 0, -1, 0, 1, 1, -1
    exact = np.arctan2(y.astype(np.longdouble), x.astype(np.longdouble))
    ulp = np.spacing(np.maximum(np.abs(exact).astype(float), 1e-300))
    assert (np.abs(evaluate(x, y)["atan2"] - exact) / ulp).max() < 2.5


def test_one_lane_and_eight_agree_to_the_bit():
    rng = np.random.default_rng(5)
    x, y = sample(rng, 1e-6, 600), sample(rng, 1e-6, 600)
    many = evaluate(x, y, 64)
    for size in (8,):
        few = evaluate(x, y, size)
        assert all(many[name].tobytes() == few[name].tobytes() for name in NAMES)


@pytest.mark.parametrize("nc", [1, 2, 3, 4, *[pytest.param(n, marks=pytest.mark.long) for n in (5, 6)]])
def test_link_update_is_the_matrix_exponential(nc):
    """exp(i eps P) U for norms from 1e-12 to 300; rounding grows with the number of squarings."""
    rng = np.random.default_rng(nc)
    with simd(16):
        lattice = Lattice((8, 8))
        U = Field(lattice, kinds.links(nc, 2))
        P = U.like(kinds.algebra(nc, 2))
        p = rng.normal(size=P.to_numpy().shape)
        size = 10.0 ** rng.uniform(-12, 2.5, p.shape[:-1])
        p *= (size / np.sqrt((p**2).sum(axis=-1)))[..., None]
        p[0, 0, 0] = 0
        links = algebra.random_links((8, 8), nc, rng)
        U.from_numpy(links)
        P.from_numpy(p)
        prepare(exponential_kernel(nc, 2), U=U, P=P)(eps=0.5)
        expected = scipy.linalg.expm(0.5j * algebra.from_coefficients(p)) @ links
        error = np.abs(U.to_numpy() - expected).max(axis=(-1, -2)) / (1 + size)
        assert error.max() < 1e-14
        u = U.to_numpy()
        assert np.abs(u @ np.conj(np.swapaxes(u, -1, -2)) - np.eye(nc)).max() < 2e-13
