"""Trainings of the run files in jobs/, judged by what they were built for (`make test-all` keeps the figures).

Each test trains, or takes the model that another one has trained, and samples it: acceptance and effective sample
size on fresh samples, observables against exact values or long chains."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from lqcd_hpc import load_model  # noqa: E402
from lqcd_hpc.actions.wilson import Wilson  # noqa: E402
from lqcd_hpc.config.learn import density_of  # noqa: E402
from lqcd_hpc.ml.samplers.flow_hmc import FlowHMC  # noqa: E402
from lqcd_hpc.ml.samplers.heatbath import Heatbath  # noqa: E402
from lqcd_hpc.ml.samplers.independence import Independence  # noqa: E402
from lqcd_hpc.ml.samplers.nonequilibrium import Nonequilibrium  # noqa: E402
from lqcd_hpc.ml.samplers.report import report  # noqa: E402
from lqcd_hpc.ml.samplers.reweighting import Reweighting  # noqa: E402
from lqcd_hpc.ml.targets import target  # noqa: E402
from lqcd_hpc.run import execute  # noqa: E402
from lqcd_hpc.sampling.heatbath import HeatbathSweeps  # noqa: E402

pytestmark = pytest.mark.long
JOBS = Path(__file__).resolve().parents[2] / "jobs"

PHI4 = {
    1: (0.16139, 0.00004),
    2: (0.18392, 0.00007),
    3: (0.19901, 0.00007),
    4: (0.21037, 0.00008),
    5: (0.21848, 0.00007),
}
PHI4_M2 = {1: (1.0620, 0.0033), 2: (1.897, 0.010), 3: (2.904, 0.017), 4: (4.108, 0.028), 5: (5.436, 0.037)}
PUBLISHED = {  # ESS at 16^2 of 2212.08469 by model and coupling
    ("a", 4): 0.91,
    ("a", 5): 0.65,
    ("a", 6): 0.26,
    ("b", 4): 0.98,
    ("b", 5): 0.88,
    ("b", 6): 0.70,
}
TRANSFER = {  # acceptance at L and at 2L of arXiv:2302.08408
    3: (0.3, 0.2),
    4: (0.04, 0.001),
    5: (0.002, 3e-5),
    6: (0.002, 7e-6),
    7: (1e-4, 1e-7),
    8: (1e-4, None),
    9: (7e-5, None),
    10: (4e-5, None),
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture
def job(workplace, monkeypatch):
    """`job(name)` runs a run file of jobs/ and those it depends on, once; it gives its directory."""
    monkeypatch.chdir(workplace)

    def run(name):
        path, directory = JOBS / f"{name}.toml", workplace / f"{name}-output"
        text = path.read_text()
        done = directory / ("result.json" if "[sampler]" in text else "model/card.json")
        if not done.exists():
            start = re.search(r"--from (\S+)-output", text.splitlines()[0])
            for before in ([start[1]] if start else []) + re.findall(r'^model = "(.*?)-output/model"', text, re.M):
                run(before)
            execute(path, start=f"{start[1]}-output" if start else None)
        return directory

    return run


def card(directory):
    return json.loads((directory / "model" / "card.json").read_text())


def sampled(kind, directory, figure, name, count=20000, goal=None, **keys):
    """The report of a model's sampler, noted as figures."""
    flow, _ = load_model(directory)
    goal = goal if goal is not None else subject(card(directory))
    flow = flow.double()
    told = report(
        kind(**keys).on(goal, flow).run(samples=count, seed=7), training_core_seconds=card(directory)["core_seconds"]
    )
    figure(f"{name}: ESS", told.ess)
    if told.acceptance is not None:
        figure(f"{name}: acceptance", float(told.acceptance))
    figure(f"{name}: core-seconds of training", card(directory)["core_seconds"])
    return told


def subject(known):
    """The target of a model card."""
    return density_of(known["target"]).target()


def elsewhere(directory, shape, **parameters):
    """(flow, target) of a model on another lattice, with other parameters of its action."""
    tables = card(directory)["target"]
    lattice, action = tables["lattice"] | {"shape": shape}, tables["action"] | parameters
    density = density_of({"lattice": lattice, "action": action})
    return load_model(directory, density)[0].double(), density.target()


def agree(figure, name, found, exact, error=0.0):
    """Within 3 sigma of a value."""
    figure(name, found.mean, found.error, expected=exact)
    assert abs(found.mean - exact) < 3 * np.hypot(found.error, error), name


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_phi4(job, figure, number):
    """E1 to E5 of 1904.12072; acceptance of E1 at least 0.45 after ten minutes on two cores."""
    directory = job(f"flow-phi4-e{number}")
    told = sampled(Independence, directory, figure, f"E{number}", 50000, batch=2000)
    agree(figure, f"E{number}: phi2", told.observables["phi2"].estimate, *PHI4[number])
    agree(figure, f"E{number}: m2", told.observables["m2"].estimate, *PHI4_M2[number])
    if number == 1:
        assert told.acceptance > 0.45
        assert card(directory)["core_seconds"] < 1200


def test_free_field(job, figure):
    told = sampled(Reweighting, job("flow-free-affine"), figure, "free field, affine", 50000, batch=2000)
    assert told.ess > 0.9
    value, error = told.log_z
    figure("free field, affine: log Z", value, error, expected=8.6083336384)
    assert abs(value - 8.6083336384) < 3 * error


def test_modes_on_the_sphere(job, figure):
    told = sampled(Reweighting, job("flow-s2"), figure, "S2, four modes", 100000, batch=5000)
    assert told.ess > 0.9


@pytest.mark.parametrize("group", ["su2", "su3"])
def test_one_matrix(job, figure, group):
    directory = job(f"flow-{group}-toy")
    told = sampled(Reweighting, directory, figure, f"{group}, one matrix", 100000, batch=5000)
    assert told.ess > 0.97
    agree(
        figure,
        f"{group}, one matrix: trace",
        told.observables["trace"].estimate,
        subject(card(directory)).exact["trace"],
    )


def test_flow_hmc(job, figure):
    """tau_int of M^2 on L = 12 with the map trained on L = 6, beside HMC at the same acceptance."""
    flow, goal = elsewhere(job("flow-hmc-train"), [12, 12], beta=0.616)
    keys = {"tau": 1.0, "integrator": "2mn", "chains": 128, "thermalisation": 100}
    times, values = [], []
    for name, map_, steps in (("plain", None, 5), ("flow", flow.double(), 3)):
        told = report(FlowHMC(steps=steps, **keys).on(goal, map_).run(samples=128 * 600, seed=5))
        found = told.observables["m2"].estimate
        figure(f"HMC on L = 12, {name}: acceptance", float(told.acceptance))
        figure(f"HMC on L = 12, {name}: tau_int of m2", found.tau_int, found.tau_int_error)
        figure(f"HMC on L = 12, {name}: m2", found.mean, found.error)
        figure(f"HMC on L = 12, {name}: core-seconds per independent m2", told.observables["m2"].core_seconds)
        times.append(found.tau_int)
        values.append(found)
    assert abs(values[0].mean - values[1].mean) < 3 * np.hypot(values[0].error, values[1].error)
    assert times[1] / times[0] < 0.9


@pytest.mark.parametrize("size", TRANSFER)
def test_transfer_to_twice_the_size(job, figure, size):
    """Acceptance at L and at 2L of couplings at L/xi = 2, above the published one."""
    at_l = card(job(f"flow-transfer-l{size}"))["acceptance"]
    twice = json.loads((job(f"flow-transfer-l{size}-2l") / "result.json").read_text())["acceptance"]
    published_at_l, published_twice = TRANSFER[size]
    figure(f"L = {size}: acceptance at L", at_l, expected=published_at_l)
    figure(f"L = {size}: acceptance at 2L", twice, expected=published_twice)
    assert published_at_l < at_l < 1 and (published_twice or 0) < twice <= at_l


@pytest.mark.parametrize("beta", [1, 2, 3, 4, 5, 6, 7])
def test_u1_flows(job, figure, beta):
    """Where weights are worth it, plaquette, charge and log Z against the torus sums."""
    told = sampled(Reweighting, job(f"flow-u1-b{beta}"), figure, f"U(1) 8^2, beta = {beta}", 20000, batch=1000)
    exact = target(Wilson(beta=float(beta)), (8, 8), "U(1)").exact
    for name, found in (
        ("plaquette", told.observables["plaquette"].estimate),
        ("chi_q", told.observables["chi_q"].estimate),
    ):
        figure(f"U(1) 8^2, beta = {beta}: {name}", found.mean, found.error, expected=exact[name])
        if told.ess > 0.05:
            assert abs(found.mean - exact[name]) < 3 * found.error
    if beta <= 2:
        assert told.ess > 0.1


@pytest.mark.parametrize("beta", [1, 2, 3, 4, 5, 6, 7])
def test_u1_by_work(figure, beta):
    """log Z, plaquette and charge on 8^2 against the torus sums at every coupling, by paths that begin at beta = 0."""
    goal = target(Wilson(beta=float(beta)), (8, 8), "U(1)")
    sampler = Nonequilibrium(steps=300, update=HeatbathSweeps(overrelaxation=1), batch=256).on(goal)
    told = report(sampler.run(2048, seed=3 + beta))
    name = f"U(1) 8^2, beta = {beta}, paths"
    figure(f"{name}: ESS", told.ess)
    value, error = told.log_z
    figure(f"{name}: log Z", value, error, expected=goal.exact["log_z"])
    assert abs(value - goal.exact["log_z"]) < 3 * error < 0.2
    for one in ("plaquette", "chi_q"):
        agree(figure, f"{name}: {one}", told.observables[one].estimate, goal.exact[one])


@pytest.mark.parametrize("beta", [1, 2, 3, 4, 5, 6, 7])
def test_u1_by_heatbath_with_jumps(figure, beta):
    """Plaquette and susceptibility on 16^2 for every coupling, also where others freeze: at beta = 7 to 2 %."""
    goal = target(Wilson(beta=float(beta)), (16, 16), "U(1)")
    sampler = Heatbath(overrelaxation=2, instantons=True, chains=64, thermalisation=200).on(goal)
    told = report(sampler.run(64 * 3000, seed=9 + beta))
    for name in ("plaquette", "chi_q"):
        agree(
            figure,
            f"U(1) 16^2, beta = {beta}, heatbath and jumps: {name}",
            told.observables[name].estimate,
            goal.exact[name],
        )
    chi = told.observables["chi_q"].estimate
    assert chi.error < 0.01 * chi.mean
    assert abs(chi.mean / goal.exact["chi_q"] - 1) < 0.02


@pytest.mark.parametrize("beta", ["18", "22", "27"])
@pytest.mark.parametrize("flow", ["flow-su2", "flow-su2-trivializing"])
def test_su2_plaquettes(job, figure, flow, beta):
    job_name = f"{flow}-b{beta}"
    directory = job(job_name)
    told = sampled(Reweighting, directory, figure, job_name, 20000, batch=1000)
    found, exact = told.observables["plaquette"].estimate, subject(card(directory)).exact["plaquette"]
    figure(f"{job_name}: plaquette", found.mean, found.error, expected=exact)
    if told.ess > 0.05:
        assert abs(found.mean - exact) < 3 * found.error
    if flow == "flow-su2-trivializing":
        assert told.ess > 0.7


@pytest.mark.parametrize(
    ("job_name", "ess", "energy", "m2"),
    [("flow-xy", 0.5, (-0.551, 0.002), (4.18, 0.06)), ("flow-o3", 0.15, (-0.799, 0.003), (8.03, 0.06))],
)
def test_spins(job, figure, job_name, ess, energy, m2):
    """O(2) and O(3) beside HMC without flows."""
    told = sampled(Reweighting, job(job_name), figure, job_name, 50000, batch=2000)
    assert told.ess > ess
    agree(figure, f"{job_name}: energy", told.observables["energy"].estimate, *energy)
    agree(figure, f"{job_name}: m2", told.observables["m2"].estimate, *m2)


@pytest.mark.parametrize(("model", "beta"), PUBLISHED)
def test_trivializing_flows(job, figure, model, beta):
    """SU(3): ESS at 8^2, and with the same coefficients at 16^2, where it comes to the published one."""
    directory = job(f"flow-su3-{model}-b{beta}")
    name = f"SU(3), model {model.upper()}, beta = {beta}"
    told = sampled(Reweighting, directory, figure, f"{name}, 8^2", 2048, batch=256)
    agree(
        figure,
        f"{name}, 8^2: plaquette",
        told.observables["plaquette"].estimate,
        subject(card(directory)).exact["plaquette"],
    )
    flow, goal = elsewhere(directory, [16, 16])
    larger = report(Reweighting(batch=128).on(goal, flow.double()).run(samples=1024, seed=8))
    figure(f"{name}, 16^2: ESS", larger.ess, expected=PUBLISHED[model, beta])
    assert larger.ess > 0.9 * PUBLISHED[model, beta]
    agree(figure, f"{name}, 16^2: plaquette", larger.observables["plaquette"].estimate, goal.exact["plaquette"])
    if (model, beta) == ("a", 4):
        assert told.ess > 0.95
