"""What every measurement must obey; a new file in measurements/ is tested by existing."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, Random, config, gauge

PARAMETERS = {
    "flow": {"eps": 0.05, "steps": 2},
    "wilson_loops": {"max_time": 2, "max_distance": 2},
    "loops": {"loops": {"chair": "+x +y -x +z -y -z"}},
}
KINDS = config.kinds("measure")


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
    assert {"plaquette", "polyakov", "topology", "wilson_loops", "loops", "flow"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_measurement_is_gauge_invariant(kind, field):
    U = field.copy()
    measure = on(kind, U)
    before = measure()
    gauge.transform(U, gauge.random_transformation(U, Random(9)))
    after = measure()
    assert set(before) == set(after)
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, atol=1e-12, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_measurement_leaves_the_gauge_field_as_it_is_and_repeats_itself(kind, field):
    before = field.to_numpy()
    measure = on(kind, field)
    first, second = measure(), measure()
    assert np.array_equal(field.to_numpy(), before)
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


@pytest.mark.parametrize("kind", KINDS)
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
            if name == "time":
                continue
            found = np.moveaxis(np.asarray(both[name]), -1, 0)[replica]
            assert np.array_equal(found, value), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_measurement_of_the_unit_field_is_trivial(kind, field):
    values = on(kind, gauge.unit(field.lattice))()
    for name, value in values.items():
        if name == "time":
            continue
        zero = any(word in name for word in ("energy", "charge", "_im"))
        np.testing.assert_allclose(value, 0 if zero else 1, atol=1e-13, err_msg=name)
