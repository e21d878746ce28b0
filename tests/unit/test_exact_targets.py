"""Exact values of gauge targets in two dimensions, against tables made by other means."""

import pytest

pytest.importorskip("torch")

from lqcd_hpc.actions.iwasaki import Iwasaki  # noqa: E402
from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402

# beta: plaquette, chi_q and log Z + V beta on 8 x 8, plaquette on 16 x 16
U1 = {
    1: (0.44638997, 0.04063624, 15.09851894, 0.44638997),
    3: (0.80998555, 0.01106005, 101.45969057, 0.80998529),
    5: (0.89342125, 0.00563621, 211.50110301, 0.89338314),
    7: (0.92570036, 0.00339236, 328.17357595, 0.92553221),
}
SU2 = {1.8: 0.39937238, 2.0: 0.43312743, 2.2: 0.46447903, 2.7: 0.53297073, 4.0: 0.65804727}
SU3 = {1.0: 0.06012655, 4.0: 0.27961915, 5.0: 0.35395444, 6.0: 0.42253174}


@pytest.mark.parametrize("beta", U1)
def test_u1_on_a_torus(beta):
    plaquette, chi, log_z, large = U1[beta]
    exact = target(Wilson(beta=beta), (8, 8), "U(1)").exact
    assert exact["plaquette"] == pytest.approx(plaquette, abs=6e-9)
    assert exact["chi_q"] == pytest.approx(chi, abs=6e-9)
    assert exact["log_z"] + 64 * beta == pytest.approx(log_z, abs=6e-9)
    assert target(Wilson(beta=beta), (16, 16), "U(1)").exact["plaquette"] == pytest.approx(large, abs=6e-9)


@pytest.mark.parametrize(("group", "table"), [("SU(2)", SU2), ("SU(3)", SU3)])
def test_plaquettes_of_sun(group, table):
    for beta, plaquette in table.items():
        assert target(Wilson(beta=beta), (8, 8), group).exact["plaquette"] == pytest.approx(plaquette, abs=1e-7)


def test_nothing_is_claimed_where_nothing_is_known():
    assert target(Wilson(beta=1.0), (4, 4, 4), "U(1)").exact == {}
    assert target(Iwasaki(beta=1.0), (4, 4), "U(1)").exact == {}
    assert target(Wilson(beta=9.0), (2, 2), "SU(2)").exact == {}
