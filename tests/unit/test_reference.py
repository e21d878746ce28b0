"""The numpy oracles of tests/reference against the numbers published with real configurations."""

from pathlib import Path

import numpy as np
import pytest
from reference import flow, paths, polyakov, readers, topology, wilson_loops

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT.parent / "shared" / "data" / "configs"
needs_configs = pytest.mark.skipif(not CONFIGS.is_dir(), reason=f"gauge configurations are not in {CONFIGS}")

READ = {
    "weak_field.lime": readers.read_lime,
    "testconf.txt": lambda path: readers.read_bridge_text(path, (4, 4, 4, 4)),
    "lat.sample.l4448": readers.read_milc,
    "lat.sample.l4448.scidac": readers.read_lime,
    "lat.sample.l8888": readers.read_milc,
    "lat.sample.5p7": readers.read_milc,
    "t_nersc.cfg": readers.read_nersc,
    "openqcd_8x8x8x8": readers.read_openqcd,
    "su2_4444_bare.ildg": lambda path: readers.read_lime(path, (4, 4, 4, 4), 2),
}
# mean plaquette of each file and how many decimals of it are documented
PLAQUETTES = {
    "weak_field.lime": (0.994804132266700, 15),
    "testconf.txt": (0.587818337847024, 15),
    "lat.sample.l4448": (0.569055724369011, 15),
    "lat.sample.l4448.scidac": (0.569055724369011, 15),
    "lat.sample.l8888": (0.593560240432841, 15),
    "lat.sample.5p7": (0.572689, 6),
    "t_nersc.cfg": (0.0382422893, 10),
    "openqcd_8x8x8x8": (0.005009043432310447 / 3, 15),
    "su2_4444_bare.ildg": (0.668474886835987, 15),
}


def config(name):
    return READ[name](CONFIGS / name)


def same_digits(value, stated, digits):
    """``value`` agrees with a number stated with so many decimals, within one unit of the last."""
    return abs(value - stated) <= 10.0**-digits


@needs_configs
@pytest.mark.parametrize("name", PLAQUETTES)
def test_plaquette_of_published_configuration(name):
    stated, digits = PLAQUETTES[name]
    assert same_digits(paths.plaquette(config(name))[0], stated, digits)


@needs_configs
@pytest.mark.parametrize(
    "name, spatial, temporal",
    [
        ("weak_field.lime", 0.994798578341303, 0.994809686192096),
        ("testconf.txt", 0.589348919787699, 0.586287755906349),
        ("lat.sample.l8888", 1.779002 / 3, 1.782359 / 3),
    ],
)
def test_spatial_and_temporal_plaquette(name, spatial, temporal):
    digits = 6 if name == "lat.sample.l8888" else 15
    _, ss, st = paths.plaquette(config(name))
    assert same_digits(ss, spatial, digits) and same_digits(st, temporal, digits)


@needs_configs
def test_one_field_in_two_formats():
    assert np.array_equal(config("lat.sample.l4448"), config("lat.sample.l4448.scidac"))


@needs_configs
def test_link_traces():
    def link_trace(name):
        return paths.trace(config(name)).real.mean() / 3

    assert same_digits(link_trace("weak_field.lime"), 0.379449348715, 12)
    assert same_digits(link_trace("lat.sample.l4448"), 6.921659e-2, 8)
    assert link_trace("t_nersc.cfg") == pytest.approx(0.4630322094, abs=1e-9)  # single precision


@needs_configs
def test_polyakov_loops():
    assert 3 * polyakov.polyakov(config("testconf.txt")) == pytest.approx(
        0.5255246068616176 - 0.15140850971249734j, abs=1e-14
    )
    assert polyakov.polyakov(config("weak_field.lime")) == pytest.approx(0.878769500914 - 0.00991386114j, abs=1e-11)


@needs_configs
def test_wilson_loop_table():
    links = config("testconf.txt")
    table = {
        1: [0.586287755906349, 0.365592561577220, 0.234213216509145, 0.149263281717746],
        2: [0.376124349180774, 0.190421916978802, 0.095527856370176, 0.055721656649890],
    }
    for time, row in table.items():
        for distance, stated in enumerate(row, start=1):
            digits = 14 if (time, distance) == (2, 4) else 15  # W(2, 4) is tabulated to 14
            assert same_digits(wilson_loops.wilson_loop(links, time, distance), stated, digits)
    assert same_digits(wilson_loops.wilson_loop(links, 4, 4), 0.110494101, 8)


@needs_configs
def test_topological_charges():
    links = config("testconf.txt")
    assert topology.topological_charge(links) == pytest.approx(-0.027164585971545994, abs=1e-14)
    plaquette_charge = topology.topological_charge(links, topology.plaquette_strength)
    assert plaquette_charge == pytest.approx(-0.2730960126400261, abs=1e-14)
    assert topology.improved_topological_charge(links) == pytest.approx(-0.03210085960569041, abs=1e-14)


@needs_configs
def test_flow_table_of_milc():
    """E_t, E_s, Q at t = 0, 0.1, .. of lat.sample.l4448, third-order scheme, eps = 0.1, six digits.

    E agrees in every digit printed; the single precision of the table shows in Q, at 4e-9.
    """
    table = """1.05787 1.03094 .0955429   .790042 .76505 .0389772     .506125 .481396 .0166373
               .321384 .294125 .0106751   .214891 .186857 .0080155    .152452 .125636 .00570391
               .11377 .0890839 .00380684  .0884234 .0660664 .00243419 .0710114 .0508605 .00150337
               .0585831 .0404036 .000886915"""
    links = config("lat.sample.l4448")
    for stated in np.array(table.split(), float).reshape(-1, 3):
        measured = np.array([*topology.energy_density(links), topology.topological_charge(links)])
        last_digit = 10.0 ** (np.floor(np.log10(stated)) - 5)
        assert np.all(np.abs(measured - stated) < 0.6 * last_digit + [0, 0, 4e-9])
        links = flow.runge_kutta_step(links, 0.1)


@needs_configs
def test_flow_of_testconf():
    links = flow.flow(config("testconf.txt"), 0.01, 10)
    assert same_digits(paths.plaquette(links)[0], 0.816831735752286, 14)
    assert same_digits(topology.topological_charge(links), -0.067815462594, 12)
    links = flow.flow(links, 0.01, 40)
    assert same_digits(paths.plaquette(links)[0], 0.986935021954275, 14)
    links = flow.flow(links, 0.01, 50)
    assert same_digits(paths.plaquette(links)[0], 0.997178021776112, 14)
    assert topology.energy_density(links) == pytest.approx((0.031162942406, 0.048293886801), abs=1e-12)
    links = flow.flow(links, 0.01, 100)
    assert same_digits(paths.plaquette(links)[0], 0.999284065395002, 14)


@needs_configs
def test_flow_log_of_openqcd():
    """Wact = 2 sum_p Re tr (1 - U_p), Yact = V E; the charge has the opposite sign there."""
    links, volume = config("openqcd_8x8x8x8"), 8**4
    assert volume * topology.plaquette_energy_density(links) == pytest.approx(1.472098e5, abs=0.06)
    assert volume * sum(topology.energy_density(links)) == pytest.approx(8.273978e3, abs=6e-4)
    assert topology.topological_charge(links) == pytest.approx(+0.137, abs=6e-4)
    links = flow.flow(links, 0.02, 10)
    assert volume * topology.plaquette_energy_density(links) == pytest.approx(9.293377e4, abs=6e-3)
    assert volume * sum(topology.energy_density(links)) == pytest.approx(1.122513e4, abs=6e-3)
    assert topology.topological_charge(links) == pytest.approx(-0.4208, abs=6e-5)
