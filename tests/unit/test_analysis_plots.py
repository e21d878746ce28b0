"""Every picture comes out as a figure of its own, without pyplot, and encodes to the same bytes each time."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from unit.synthetic_run import ar1

from lqcd_hpc.analysis import plots
from lqcd_hpc.analysis.autocorrelation import autocorrelation_function
from lqcd_hpc.analysis.errors import estimate, susceptibility
from lqcd_hpc.analysis.flow_scales import flow_scale_t0, flow_scale_w0

STEP = np.arange(1, 121)
VALUES = 0.6 + 0.01 * ar1(np.random.default_rng(1), 120, 2.0)
TIME = np.linspace(0, 4, 21)
ENERGY = 0.1 / np.maximum(TIME, 0.01) * (1 + 0.02 * ar1(np.random.default_rng(2), 30, 1.0)[:, None])
CHARGE = np.round(2 * ar1(np.random.default_rng(3), 120, 3.0))
LOOP = 0.1 * np.exp(2j * np.pi * VALUES)
SPEEDS = [
    {"name": "wilson", "variant": "8^4", "gflops": 60.0, "roofline": 70.0, "gbytes": 40.0, "ns": 12.0},
    {"name": "bare"},
]
GROUPS = {"single": {"wilson": {"8^4": (60.0, 90.0), "16^4": (40.0, 50.0)}, "clover_schur": {"16^4": (30.0, 55.0)}}}
SCAN = {name: {"cg": ([-0.5, -0.56, -0.58], [200, 400, 300])} for name in "abc"}
DELTA_H = np.append([np.nan] * 20, 20 * (VALUES[20:] - 0.6))

PICTURES = {
    "history": lambda: plots.history(STEP, VALUES, "plaquette", estimate(VALUES), cut=20),
    "history of replicas": lambda: plots.history(STEP, np.stack([VALUES, VALUES], 1), "plaquette"),
    "constant history": lambda: plots.history([1, 2], [0.5, 0.5], "plaquette"),
    "histories": lambda: plots.histories(STEP, {"a": VALUES, "b": CHARGE}, cut=500),
    "hmc": lambda: plots.hmc_history(STEP, DELTA_H, VALUES > 0.59, cut=30),
    "hmc, one trajectory": lambda: plots.hmc_history([1], [0.1]),
    "flow": lambda: plots.flow_energy(TIME, ENERGY, flow_scale_t0(TIME, ENERGY), flow_scale_w0(TIME, ENERGY)),
    "flow charge": lambda: plots.flow_charge(TIME, CHARGE[:30, None] * np.ones(21)),
    "charge": lambda: plots.charge_history(STEP, CHARGE, susceptibility(CHARGE, known_mean=0.0), cut=10),
    "zero charge": lambda: plots.charge_history([1], [0.0]),
    "polyakov SU(3)": lambda: plots.polyakov_scatter(LOOP),
    "polyakov U(1)": lambda: plots.polyakov_scatter(LOOP, "U(1)"),
    "autocorrelation": lambda: plots.autocorrelation({"P": autocorrelation_function(VALUES)}, "memory"),
    "mass scan": lambda: plots.mass_scan({"a": {"cg": ([-0.5, -0.56], [200, 400]), "mg": ([-0.5], [9])}}, "iterations"),
    "mass scan towards a mass": lambda: plots.mass_scan(SCAN, "iterations", critical=-0.57),
    "speed": lambda: plots.speed_bars(SPEEDS, "one core"),
    "speed in groups": lambda: plots.speed_groups(GROUPS, "one core"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_drawn(name):
    picture = PICTURES[name]()
    assert isinstance(picture, Figure)
    png = plots.encode(picture, "png")
    assert png[:4] == b"\x89PNG" and len(png) > 5000


def test_the_same_data_give_the_same_svg():
    first, second = (plots.encode(PICTURES["history"]()) for _ in range(2))
    assert first == second and first.startswith(b"<?xml")


def test_polyakov_loop_of_su3_shows_three_centre_arrows():
    arrows = [text for text in plots.polyakov_scatter(LOOP, "SU(3)").axes[0].texts if text.arrow_patch is not None]
    angles = sorted(np.degrees(np.arctan2(text.xy[1], text.xy[0])) % 360 for text in arrows)
    assert np.allclose(angles, [0, 120, 240])


def test_pictures_leave_no_global_state():
    """The default settings are as they were before."""
    code = (
        "import matplotlib, sys; before = dict(matplotlib.rcParams);"
        "from lqcd_hpc.analysis.plots.scalar import history;"
        "history([1, 2, 3], [0.5, 0.6, 0.55], 'p');"
        "assert dict(matplotlib.rcParams) == before"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)
