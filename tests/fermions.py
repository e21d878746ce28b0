"""Every Dirac operator of the package beside its formula: descriptions, links and vectors that tests share.

A new file in lqcd_hpc/operators needs SAMPLES (values of its fields, each at least once) and a formula of
tests/reference in FORMULAS; all laws of tests/contracts/test_operators.py then hold it. Those of a file in $LQCD_PATH
are `SAMPLES` and `formula` of tests/operators/KIND.py there.
"""

import dataclasses
import importlib

import numpy as np
import own_files
from reference import algebra, dirac

from lqcd_hpc import Field, Lattice, Random, config, gauge
from lqcd_hpc.fields import kinds

KINDS = config.kinds("operator")
ANISOTROPIC = {"mass": 0.3, "anisotropy": 1.6, "nu": 1.2}
SAMPLES = {
    "wilson": {"": {"mass": 0.3}, "kappa": {"kappa": 0.17}, "anisotropic": ANISOTROPIC},
    "clover": {
        "": {"mass": 0.3, "csw": 1.3},
        "planes": {"mass": 0.3, "csw_r": 0.9, "csw_t": 1.7},
        "exponential": {"mass": -1.5, "csw": 1.3, "exponential": True},
        "anisotropic": ANISOTROPIC | {"csw_r": 0.9, "csw_t": 1.7},
    },
    "twisted_mass": {"": {"mass": 0.3, "mu": 0.4}},
    "twisted_clover": {
        "": {"mass": 0.3, "csw": 1.3, "mu": 0.4},
        "exponential": {"mass": 0.3, "csw": 1.3, "mu": 0.4, "exponential": True},
    },
    "staggered": {"": {"mass": 0.4}},
    "laplace": {"": {"mass_squared": 0.5}, "directions": {"mass_squared": 0.5, "directions": (0,)}}
    | {"spinors": {"mass_squared": 0.5, "spinors": True}},
}
TWIST = (0.3, -0.7, 0.2, 0.5)


def describe(kind, variant="", ndim=2, **changes):
    """The description of a sample, with an antiperiodic last direction and twisted ones."""
    keys = {"boundary": (*[1] * (ndim - 1), -1), "twist": TWIST[:ndim]} | SAMPLES[kind][variant] | changes
    return class_of(kind)(**keys)


def class_of(kind):
    module = importlib.import_module(f"lqcd_hpc.operators.{kind}")
    return next(c for c in vars(module).values() if isinstance(c, type) and hasattr(c, "on") and _is_of(c, module))


def _is_of(cls, module):
    return dataclasses.is_dataclass(cls) and cls.__module__ == module.__name__


# ---- formulas


def phases(description, ndim):
    """psi(x + L_mu mu) = phases[mu] psi(x)."""
    return np.array(description.boundary) * np.exp(1j * np.array(description.twist or [0.0] * ndim))


def _hops(d, u):
    """Mass, phases and weights of the hops."""
    weights = [d.nu / d.anisotropy] * (len(u) - 1) + [1.0]
    mass = 1 / (2 * d.kappa) - sum(weights) if d.mass is None else d.mass
    return mass, phases(d, len(u)), weights


def _clover(d, u, psi):
    mass, boundary, weights = _hops(d, u)
    csw = (d.csw, d.csw) if d.csw is not None else (d.csw_r, d.csw_t)
    return (dirac.exponential_clover if d.exponential else dirac.clover)(u, psi, mass, boundary, *csw, weights)


def _wilson(d, u, psi):
    return dirac.wilson(u, psi, *_hops(d, u))


def _twisted(plain):
    return lambda d, u, psi: plain(d, u, psi) + 1j * d.mu * dirac.times_gamma5(psi)


FORMULAS = {
    "wilson": _wilson,
    "clover": _clover,
    "twisted_mass": _twisted(_wilson),
    "twisted_clover": _twisted(_clover),
    "staggered": lambda d, u, psi: dirac.staggered(u, psi, d.mass, phases(d, len(u))),
    "laplace": lambda d, u, psi: dirac.laplace(u, psi, d.mass_squared, phases(d, len(u)), d.directions),
}
OWN = own_files.modules("operators")  # they may import what stands above
FORMULAS |= {kind: module.formula for kind, module in OWN.items()}
SAMPLES |= {kind: module.SAMPLES for kind, module in OWN.items()}
VARIANTS = [(kind, variant) for kind in KINDS for variant in SAMPLES.get(kind, {})]
WILSON_LIKE = [pair for pair in VARIANTS if pair[0] not in ("staggered", "laplace", *OWN)]


def formula(description, links, psi):
    """D psi by the formula, for one system and any number of right-hand sides."""
    kind = type(description).__module__.rpartition(".")[2]
    spinors = getattr(description, "spinors", kind != "staggered")
    if psi.ndim > len(links) + 1 + spinors:
        return np.array([formula(description, links, one) for one in psi])
    return FORMULAS[kind](description, links, psi)


# ---- numbers


def links_of(group, shape, seed=7, width=0.7):
    """Random links as numpy."""
    return algebra.random_links(shape, kinds.colours(group), np.random.default_rng(seed), width)


def gauge_field(links, lattice=None, precision="double"):
    """The field of links in numpy."""
    lattice = lattice or Lattice(links.shape[-3:0:-1])
    return Field(lattice, kinds.links(links.shape[-1], lattice.ndim), precision).from_numpy(links)


def operator(kind, variant="", group="SU(2)", shape=(4, 8), precision="double", **changes):
    """The operator of a sample on random links."""
    return describe(kind, variant, len(shape), **changes).on(gauge_field(links_of(group, shape), precision=precision))


def fill(vector, seed=1):
    """Random numbers in a vector."""
    re, im = np.random.default_rng(seed).normal(size=(2, *vector.to_numpy().shape))
    return vector.from_numpy(re + 1j * im)


def inner(a, b):
    """<a, b> of numpy arrays or fields."""
    return np.vdot(*(np.asarray(x if isinstance(x, np.ndarray) else x.to_numpy(), complex) for x in (a, b)))


def assert_close(found, expected, tolerance=1e-13):
    """Equal to a tolerance of the largest number."""
    found, expected = (np.asarray(x if isinstance(x, np.ndarray) else x.to_numpy()) for x in (found, expected))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def assert_covariant_and_linear(M, U):
    """M[U^g] g psi = g M[U] psi, and M of a combination is the combination, for an operator M on spinors."""
    psi, phi = fill(M.vector(), 1), fill(M.vector(), 2)
    before = M.apply(psi).to_numpy()
    both = M.vector().from_numpy(2 * psi.to_numpy() - 1j * phi.to_numpy())
    assert_close(M.apply(both), 2 * before - 1j * M.apply(phi).to_numpy())
    g = gauge.random_transformation(U, Random(3))
    gauge.transform(U, g)
    turned = M.vector().from_numpy(dirac.gauge_transform_vector(g.to_numpy(), psi.to_numpy()))
    assert_close(M.apply(turned), dirac.gauge_transform_vector(g.to_numpy(), before))
