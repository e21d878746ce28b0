"""Effective masses and plateaus: exact for one state, right within errors for noisy ones."""

import numpy as np
import pytest
from unit.synthetic_run import ar1

from lqcd_hpc import LqcdError
from lqcd_hpc.analysis.correlators import channels, effective_masses, mean_correlator, plateau
from lqcd_hpc.analysis.measurement_file import Measurements, Table
from lqcd_hpc.analysis.observables import observable_rows
from lqcd_hpc.analysis.pictures import run_pictures
from lqcd_hpc.analysis.plots import encode

T = np.arange(24)


def both_ways(mass):
    return np.exp(-mass * T) + np.exp(-mass * (24 - T))


def ensemble(correlator, samples=400, tau=2.0, noise=0.02, seed=1):
    """Samples that fluctuate around a correlator, neighbouring times together, with autocorrelation."""
    rng = np.random.default_rng(seed)
    waves = ar1(rng, samples, tau, (4,)) @ np.cos(np.pi * np.arange(4)[:, None] * (T - 12) / 24)
    return correlator * (1 + noise * waves + 0.1 * noise * ar1(rng, samples, tau, (len(T),)))


def test_a_single_state_has_its_mass_at_every_time():
    for form, values, times in (
        ("cosh", both_ways(0.4), range(1, 13)),
        ("staggered", both_ways(0.4), range(2, 13)),
        ("log", np.exp(-0.4 * T), range(9)),
    ):
        masses = effective_masses(values[None], form)
        assert list(masses) == list(times)
        assert [m.mean for m in masses.values()] == pytest.approx([0.4] * len(times), rel=1e-9)
        assert all(np.isnan(m.error) for m in masses.values()), "one sample has no error"


def test_a_staggered_mass_is_smooth_where_a_partner_oscillates():
    values = both_ways(0.4) + 0.3 * (-1.0) ** T * both_ways(0.9)
    smooth = [m.mean for m in effective_masses(values[None], "staggered").values()]
    naive = [m.mean for m in effective_masses(values[None], "cosh").values()]
    assert np.abs(np.diff(smooth[6:])).max() < 0.01 < np.abs(np.diff(naive[4:8])).max()


def test_a_plateau_has_the_mass_within_its_error():
    pulls = []
    for seed in range(12):
        excited = both_ways(0.4) + 0.6 * both_ways(1.2)
        found = plateau(ensemble(excited, seed=seed))
        assert 2 <= found.first < found.last <= 12
        assert 0 < found.mass.error < 0.01
        pulls.append((found.mass.mean - 0.4) / found.mass.error)
    assert np.sqrt(np.mean(np.square(pulls))) < 2, pulls


def test_replicas_and_averages_make_errors_smaller():
    one = ensemble(both_ways(0.4))
    many = np.stack([one, *(ensemble(both_ways(0.4), seed=s) for s in (2, 3, 4))], axis=-1)
    error = effective_masses(many)[4].error
    assert effective_masses(one)[4].error == pytest.approx(2 * error, rel=0.25)


def test_a_mass_that_does_not_exist_is_left_out():
    noise = np.random.default_rng(3).normal(size=(50, 24))
    assert len(effective_masses(noise)) < 12
    assert plateau(noise) is None


def spectrum(samples=200):
    pion, vector = both_ways(0.5), both_ways(0.7)
    columns = {"pseudoscalar": pion, "axial_x": both_ways(1.1), "axial_y": both_ways(1.1), "axial_z": both_ways(1.1)}
    columns |= {f"vector_{i}": vector for i in "xyz"} | {"nucleon": np.exp(-1.1 * T) - 0.5 * np.exp(-1.5 * (24 - T))}
    columns = {name: ensemble(c, samples, seed=k, noise=0.01) for k, (name, c) in enumerate(columns.items())}
    return Table(np.arange(samples), columns | {"residual": np.full(samples, 1e-9)}, T, "spectrum")


def test_channels_average_over_space_and_know_their_form():
    table = spectrum()
    found = {one.symbol: one for one in channels(table)}
    assert list(found) == ["π", "ρ", "N", "a₁"]
    average = np.mean([table.columns[f"vector_{i}"] for i in "xyz"], axis=0)
    np.testing.assert_array_equal(found["ρ"].correlator, average)
    assert found["N"].form == "log"
    mean, error = mean_correlator(found["π"])
    np.testing.assert_allclose(mean, both_ways(0.5), rtol=0.02)
    assert (error > 0).all()
    with pytest.raises(LqcdError, match="no correlators among"):
        channels(Table(np.arange(3), {"x": np.ones(3)}, None, "spectrum"))


def test_the_report_shows_masses_and_pictures():
    measurements = Measurements(tables={"hadrons": spectrum()})
    rows = {one.symbol.split(",")[0]: one.estimate for one in observable_rows(measurements)}
    assert rows["a m(π)"].mean == pytest.approx(0.5, abs=5 * rows["a m(π)"].error)
    assert rows["a m(N)"].mean == pytest.approx(1.1, abs=5 * rows["a m(N)"].error)
    pictures = run_pictures(measurements)
    assert [one.section for one in pictures] == ["Hadrons", "Hadrons"]
    assert encode(pictures[0].figure)[:5] == b"<?xml"


def test_a_few_configurations_give_pictures_without_errors():
    measurements = Measurements(tables={"hadrons": spectrum(samples=2)})
    assert observable_rows(measurements) == []
    assert len(run_pictures(measurements)) == 2


def test_the_condensate_is_one_row_and_one_history():
    values = 1.14 + 0.01 * ar1(np.random.default_rng(1), 100, 1.0)
    columns = {"condensate": values, "condensate_error": np.full(100, 0.02), "iterations": np.full(100, 60.0)}
    measurements = Measurements(tables={"chiral": Table(np.arange(100), columns, None, "condensate")})
    assert [one.symbol for one in observable_rows(measurements)] == ["Tr D⁻¹/V"]
    assert [one.caption for one in run_pictures(measurements)] == ["Tr D⁻¹/V"]
