"""What every measurement of gauge fields must obey; a new file in measurements/ is tested by existing."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, LqcdError, Random, config, gauge

PARAMETERS = {
    "flow": {"eps": 0.05, "steps": 2},
    "wilson_loops": {"max_time": 2, "max_distance": 2},
    "loops": {"loops": {"chair": "+x +y -x +z -y -z"}},
}
WILSON = {"kind": "wilson", "mass": 1.0, "boundary": [1, 1, 1, -1]}
STAGGERED = {"kind": "staggered", "mass": 1.0, "boundary": [1, 1, 1, -1]}
POINT = {"kind": "point", "position": [0, 1, 2, 3]}
GAUSSIAN = {"kind": "gaussian", "position": [0, 1, 2, 3], "width": 1.0, "steps": 3}


def solver(inner):
    return {"kind": "schur", "inner": {"kind": inner, "tol": 1e-13}}


PARAMETERS |= {
    "spectrum": {
        "operator": WILSON, "solver": solver("normal"), "source": GAUSSIAN, "hadrons": ["mesons", "nucleon"]
    },
    "staggered_pion": {"operator": STAGGERED, "solver": solver("cg"), "source": POINT},
    "condensate": {"operator": STAGGERED, "solver": solver("cg"), "sources": 2, "seed": 1},
    "propagator": {"operator": STAGGERED, "solver": solver("cg"), "source": POINT},
}  # fmt: skip
SCALARS = {"scalar", "scalar_correlator"}  # tests/unit/test_scalars.py
KINDS = sorted(set(config.kinds("measure")) - SCALARS)
NOISY = {"condensate"}  # a draw of the noise is not gauge invariant, and other replicas have other noise
ONE_SYSTEM = {"propagator"}  # refuses replicas
QUARKS = {"spectrum", "staggered_pion", "condensate", "propagator"}
HOW_IT_WAS_REACHED = {"residual", "iterations"}


def on(kind, U):
    return config.described("measure", {"kind": kind} | PARAMETERS.get(kind, {}), f"measure.{kind}").on(U)


def smooth(lattice, seed=1, group="SU(3)"):
    """A field away from the unit one, the same for every replica count."""
    from lqcd_hpc.actions.wilson import Wilson
    from lqcd_hpc.sampling.heatbath import Heatbath

    rng = Random(seed)
    U = gauge.hot(lattice, rng, group)
    heatbath = Heatbath(Wilson(beta=6.0).on(U))
    for _ in range(3):
        heatbath.update(rng)
    return U


@pytest.fixture(scope="module")
def field():
    return smooth(Lattice((4, 4, 4, 4)))


def test_there_are_measurements_of_every_kind_the_documentation_names():
    assert {"plaquette", "polyakov", "topology", "wilson_loops", "loops", "flow"} | QUARKS <= set(KINDS)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NOISY))
def test_a_measurement_is_gauge_invariant(kind, field):
    U = field.copy()
    measure = on(kind, U)
    before = measure()
    gauge.transform(U, gauge.random_transformation(U, Random(9)))
    after = measure()
    assert set(before) == set(after)
    for name, value in before.items():
        if name in HOW_IT_WAS_REACHED:
            continue
        np.testing.assert_allclose(after[name], value, atol=1e-12, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_measurement_leaves_the_gauge_field_as_it_is_and_repeats_itself(kind, field):
    before = field.to_numpy()
    measure = on(kind, field)
    first, second = measure(), measure()
    assert np.array_equal(field.to_numpy(), before)
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ONE_SYSTEM - NOISY))
def test_a_measurement_of_replicas_is_that_of_each_system(kind, field):
    lattice = Lattice((4, 4, 4, 4), replicas=2)
    links = field.to_numpy()
    other = gauge.hot(field.lattice, Random(5)).to_numpy()
    U = gauge.unit(lattice).from_numpy(np.stack([links, other]))
    both = on(kind, U)()
    one = field.like()
    for replica, values in enumerate((links, other)):
        single = on(kind, one.from_numpy(values))()
        for name, value in single.items():
            if name in {"time"} | HOW_IT_WAS_REACHED:
                continue
            found = np.moveaxis(np.asarray(both[name]), -1, 0)[replica]
            if kind in QUARKS:  # all systems are solved together, until the last of them has converged
                np.testing.assert_allclose(found, value, atol=1e-12, rtol=0, err_msg=name)
            else:
                assert np.array_equal(found, value), name


@pytest.mark.parametrize("kind", sorted(ONE_SYSTEM))
def test_a_measurement_that_writes_files_refuses_replicas(kind):
    with pytest.raises(LqcdError, match="replicas"):
        on(kind, gauge.unit(Lattice((4, 4, 4, 4), replicas=2)))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - QUARKS))
def test_a_measurement_of_the_unit_field_is_trivial(kind, field):
    values = on(kind, gauge.unit(field.lattice))()
    for name, value in values.items():
        if name == "time":
            continue
        zero = any(word in name for word in ("energy", "charge", "_im"))
        np.testing.assert_allclose(value, 0 if zero else 1, atol=1e-13, err_msg=name)
