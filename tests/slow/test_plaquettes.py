"""Plaquettes of SU(3) in four dimensions with long statistics; figures go to benchmarks/results (`make test-all`)."""

import numpy as np
import pytest

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.actions.iwasaki import Iwasaki
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.analysis.errors import estimate, exp_minus_dh
from lqcd_hpc.paths.plaquette import plaquette_planes
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.sampling.hmc import HMC

PUBLISHED = 0.593678, 0.000024  # 16^4, beta = 6.0: hep-lat/9602007
HMC_8888 = 0.594282, 0.000056  # 8^4, beta = 6.0: 10200 trajectories as in test_hmc_on_8888, seed 1, tau_int = 3.6

pytestmark = pytest.mark.long


def run(update, thermalisation, updates, rng):
    """Plaquettes and reports after thermalisation."""
    U, plaquettes, reports = update.action.U, [], []
    for number in range(thermalisation + updates):
        report = update.update(rng)
        if number >= thermalisation:
            plaquettes.append(sum(plaquette_planes(U).values()) / (6 * U.lattice.volume))
            reports.append(report)
    return np.array(plaquettes), reports


def test_heatbath_on_16_to_the_fourth_gives_the_published_plaquette(figure):
    U = gauge.cold(Lattice((16,) * 4))
    plaquettes, _ = run(Heatbath(Wilson(beta=6.0).on(U), overrelaxation=4), 100, 600, Random(1))
    found = estimate(plaquettes)
    figure("plaquette, SU(3), beta = 6.0, 16^4, heatbath", found.mean, found.error, expected=PUBLISHED[0])
    assert found.error < 6e-5 and found.reliable
    assert abs(found.mean - PUBLISHED[0]) < 3 * np.hypot(found.error, PUBLISHED[1])


def test_hmc_on_8888(figure):
    U = gauge.hot(Lattice((8,) * 4), rng := Random(2))
    run(Heatbath(Wilson(beta=6.0).on(U), overrelaxation=1), 20, 0, rng)
    plaquettes, reports = run(HMC(Wilson(beta=6.0).on(U), steps=14, tau=1.0), 200, 2000, rng)
    found, unity = estimate(plaquettes), exp_minus_dh([r.delta_h for r in reports])
    figure("plaquette, SU(3), beta = 6.0, 8^4, HMC", found.mean, found.error, expected=HMC_8888[0])
    figure("<exp(-dH)>, SU(3), beta = 6.0, 8^4, HMC", unity.mean, unity.error, expected=1.0)
    assert found.reliable and abs(found.mean - HMC_8888[0]) < 3 * np.hypot(found.error, HMC_8888[1])
    assert abs(unity.mean - 1) < 3 * unity.error


def test_heatbath_on_8888(figure):
    U = gauge.cold(Lattice((8,) * 4))
    plaquettes, _ = run(Heatbath(Wilson(beta=6.0).on(U), overrelaxation=4), 100, 2000, Random(3))
    found = estimate(plaquettes)
    figure("plaquette, SU(3), beta = 6.0, 8^4, heatbath", found.mean, found.error, expected=HMC_8888[0])
    assert found.reliable and abs(found.mean - HMC_8888[0]) < 3 * np.hypot(found.error, HMC_8888[1])


def test_heatbath_and_hmc_agree_for_iwasaki(figure):
    found = []
    for make in (lambda a: Heatbath(a, 2), lambda a: HMC(a, steps=12, tau=1.0)):
        U = gauge.cold(Lattice((4, 4, 4, 8)))
        plaquettes, _ = run(make(Iwasaki(beta=2.6).on(U)), 100, 500, Random(4))
        found.append(estimate(plaquettes))
    heatbath, hmc = found
    figure("plaquette, SU(3), Iwasaki, beta = 2.6, 4^3 x 8, heatbath", heatbath.mean, heatbath.error, expected=hmc.mean)
    figure("plaquette, SU(3), Iwasaki, beta = 2.6, 4^3 x 8, HMC", hmc.mean, hmc.error, expected=heatbath.mean)
    assert abs(heatbath.mean - hmc.mean) < 3 * np.hypot(heatbath.error, hmc.error)
