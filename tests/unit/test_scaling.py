"""The model of communication, where the time of a rank goes, and benchmarks/scaling.py.

Nothing here depends on how fast the machine is.
"""

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter

import launcher
import numpy as np
import pytest

from lqcd_hpc import Lattice
from lqcd_hpc.analysis import plots
from lqcd_hpc.cli.benchmark import communication, points, predictions
from lqcd_hpc.cli.benchmark.communication import Demand, Network
from lqcd_hpc.cli.benchmark.split import PHASES, PROBES, split, timed
from lqcd_hpc.cli.benchmark.workloads import WORKLOADS
from lqcd_hpc.errors import LqcdError
from lqcd_hpc.lattice import SerialCommunicator

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
TRUTH = Network(latency=3e-5, handling=2e9, overhead=4e-5, reduction=2e-5)


def demands():
    """Messages alone, with and without sums, and work that hides them."""
    alone = [Demand(0.0, 0.0, 1e-5, n, 1e4 * 2**k, 0, 2) for n in (1, 4) for k in range(9)]
    sums = [Demand(1e-5, 0.0, 1e-5, 2, 1e5, r, 4) for r in (4, 8, 16)]
    return alone + sums + [Demand(1e-3 * k, 9e-4 * k, 1e-5 * k, 2, 3e4 * 4**k, 0, 2) for k in range(1, 6)]


# ---- the model


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_fit_recovers_planted_parameters(noise):
    rng = np.random.default_rng(5)
    samples = [(d, TRUTH.time(d) * np.exp(noise * rng.normal())) for d in demands() * 3]
    found = communication.fit(samples)
    for name in communication.PARAMETERS:
        off = abs(math.log(getattr(found.network, name) / getattr(TRUTH, name)))
        assert off < max(0.05, 4 * found.errors[name]), (name, found)
    assert found.spread <= max(1e-3, noise)


def test_what_was_not_measured_has_no_finite_error():
    silent = [Demand(1e-3, 9e-4, 1e-5, 1, 1e3 * k, 0, 2) for k in range(1, 9)]  # no sums; every message is hidden
    found = communication.fit([(d, TRUTH.time(d)) for d in silent])
    assert found.errors["reduction"] == found.errors["latency"] == math.inf
    assert found.errors["overhead"] < math.inf


def test_a_delay_costs_only_what_the_interior_does_not_hide():
    work = Demand(compute=1e-2, interior=8e-3, packing=1e-4, exchanges=2, bytes=2e6, reductions=3, ranks=4)
    handled = 2e6 / TRUTH.handling
    assert TRUTH.parts(work)["wait"] == TRUTH.parts(work, delay=4.4e-3)["wait"] == pytest.approx(handled)
    assert TRUTH.parts(work, delay=5e-3)["wait"] == pytest.approx(2 * 1e-3)
    assert TRUTH.parts(work)["reduce"] == pytest.approx(3 * 2 * TRUTH.reduction)
    assert TRUTH.parts(work, delay=1e-3)["reduce"] == pytest.approx(3 * 2 * 1e-3)
    assert TRUTH.parts(work)["pack"] == pytest.approx(1e-4 + 2 * TRUTH.overhead)


def test_a_wire_costs_what_neither_the_interior_nor_the_work_of_the_core_hides():
    slow = replace(TRUTH, bandwidth=1e6)
    work = Demand(compute=1e-2, interior=8e-3, packing=1e-4, exchanges=2, bytes=2e6, reductions=0, ranks=2)
    assert slow.parts(work)["wait"] == pytest.approx(2 * (slow.latency + 1 - 4e-3))
    alone = replace(work, compute=0.0, interior=0.0)
    assert slow.parts(alone)["wait"] == pytest.approx(2 * (slow.latency + 1))
    assert TRUTH.parts(alone)["wait"] == pytest.approx(2 * TRUTH.latency + 2e6 / TRUTH.handling)


def test_one_rank_pays_for_nothing():
    alone = Demand(1e-3, 0.0, 0.0, 0, 0, 5, 1)
    assert TRUTH.time(alone) == alone.compute


def test_too_few_points_are_refused():
    with pytest.raises(LqcdError, match="do not fix"):
        communication.fit([(demands()[0], 1.0)] * 4)


def point(grid, seconds, workload="hop"):
    """A point as points.py makes them: 1e-7 s per site, all of the inner sites overlap, 96 bytes and 1e-8 s of packing
    per ghost, three times that in x."""
    shape, ranks = (8, 8, 8, 16), math.prod(grid)
    local = [n // r for n, r in zip(shape, grid)]
    inner = predictions.interior_share(local, grid)
    apart = math.prod(local) * 1e-7
    surface = sum(2 * math.prod(local) // n for n, r in zip(local, grid) if r > 1)
    packing = (3e-8 if grid[0] > 1 else 1e-8) * surface
    phases = dict.fromkeys(PHASES, 0.0) | {"interior": inner * apart, "compute": (1 - inner) * apart, "pack": packing}
    counts = {"exchanges": 1, "messages": 1, "bytes": 96 * surface, "reductions": 0}
    return {
        "workload": workload, "kind": "strong", "shape": shape, "grid": grid, "local": local, "precision": "double",
        "ranks": ranks, "oversubscribed": ranks > 2, "sites": math.prod(local), "surface": surface, "load": 0.0,
        "apart": apart, "alone": apart, "split": [phases] * ranks, "counts": counts, "delay": 0.0, "seconds": seconds,
        "efficiency": apart / seconds, "efficiency_apart": apart / seconds, "network": "memory", "rate": None,
    }  # fmt: skip


def test_predictions_from_points_reproduce_the_points():
    measured = [point(grid, 1e-3) for grid in ((1, 1, 1, 2), (2, 1, 1, 1))]
    found = predictions.constants(measured)
    for one in measured:
        told, asked = found.demand(one["shape"], one["grid"]), communication.demand(one)
        assert asdict(told) == pytest.approx(asdict(asked))
    unknown = found.demand((8, 8, 8, 16), (1, 2, 1, 1)), found.demand((8, 8, 8, 16), (2, 1, 1, 1))
    assert unknown[0].packing == pytest.approx(unknown[1].packing)  # as slow as the slowest that is known


def test_prediction_loses_efficiency_with_ranks_and_leaves_out_grids_that_do_not_fit():
    found = predictions.constants([point((1, 1, 1, 2), 1e-3)])
    lines = predictions.table(found, (16, 16, 16, 16), (1, 2, 3, 16, 256), TRUTH)
    assert [line["ranks"] for line in lines] == [1, 2, 16, 256]
    efficiency = [line["efficiency"] for line in lines]
    assert efficiency[0] == 1 and efficiency == sorted(efficiency, reverse=True)
    assert all(line["seconds"] == pytest.approx(sum(line["parts"].values())) for line in lines)


def test_nothing_is_predicted_from_one_rank():
    with pytest.raises(LqcdError, match="several ranks"):
        predictions.constants([point((1, 1, 1, 1), 1e-3)])


# ---- the split


@pytest.mark.parametrize("name", ["hop", "cg", "hmc"])
def test_phases_add_up_to_the_whole(name):
    run = WORKLOADS[name].make(Lattice((4, 4, 4, 4), comm=SerialCommunicator(), threads=1), "double")
    run(1)
    start = perf_counter()
    with timed() as watch:
        inside = perf_counter()
        run(3)
        ended = perf_counter()
    outside = perf_counter() - start
    assert ended - inside <= watch.total <= outside
    assert watch.seconds["compute"] > 0
    assert watch.seconds["wait"] == watch.seconds["pack"] == watch.seconds["interior"] == 0
    assert set(split(run, 1)) == {*PHASES, "exchanges", "messages", "bytes", "reductions"}


def test_no_probe_remains():
    before = [getattr(owner, name) for owner, name, *_ in PROBES]
    with pytest.raises(ZeroDivisionError), timed():
        assert all(getattr(owner, name) is not plain for (owner, name, *_), plain in zip(PROBES, before))
        _ = 1 / 0
    assert [getattr(owner, name) for owner, name, *_ in PROBES] == before


def test_unknown_workload_is_refused():
    with pytest.raises(LqcdError, match="choose one of hop, clover"):
        points.Plan("hopp", (4, 4, 4, 4), (1, 1, 1, 1))


# ---- the benchmark


@pytest.fixture
def emulated():
    """benchmarks/emulated_network.py."""
    spec = importlib.util.spec_from_file_location("emulated_network", FOLDER / "emulated_network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_network_is_refused_with_a_reason_where_it_cannot_be(emulated, monkeypatch):
    monkeypatch.setattr(emulated.os, "geteuid", lambda: 1000)
    assert emulated.reason() == "only root can make network namespaces"
    monkeypatch.setattr(emulated.os, "geteuid", lambda: 0)
    monkeypatch.setattr(emulated.shutil, "which", lambda name: None if name == "tc" else f"/bin/{name}")
    assert emulated.reason() == "there is no tc on this machine"


def test_a_message_through_a_network_takes_its_bytes_over_its_bandwidth(emulated, tmp_path):
    if missing := emulated.reason():
        pytest.skip(f"no emulated network: {missing}")
    program = tmp_path / "send.py"
    program.write_text(
        "import numpy as np\n"
        "from time import perf_counter\n"
        "from mpi4py import MPI\n"
        "comm, data = MPI.COMM_WORLD, np.zeros(2_000_000, np.uint8)\n"
        "comm.Barrier(); start = perf_counter()\n"
        "comm.Send(data, 1) if comm.rank == 0 else comm.Recv(data, 0)\n"
        "comm.Barrier()\n"
        "if comm.rank == 0: print(MPI.Get_processor_name(), perf_counter() - start)\n"
    )
    rate = 2e8
    with emulated.network(rate) as words:
        done = subprocess.run(
            [*words, "-n", "2", sys.executable, "-m", "mpi4py", str(program)],
            env=launcher.environment(), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    node, seconds = done.stdout.split()
    assert node == emulated.NODES[0]
    assert float(seconds) > 0.9 * (2e6 - 2 * emulated.BURST) / emulated.bandwidth(rate)


def results():
    """What a picture needs."""
    one, two, four = (1, 1, 1, 1), (1, 1, 1, 2), (1, 1, 2, 2)
    measured = [point(grid, 1e-3 / math.prod(grid)) for grid in (one, two, four)]
    held_out = [{"seconds": 1e-3, "predicted": 1.1e-3, "delay": 1e-3, "rate": None}]
    lines = [{"ranks": 8, "efficiency": 1.0}, {"ranks": 16, "efficiency": 0.9}]
    machine = {"name": "a machine"}
    prediction = {"machine": machine, "shape": [8, 8, 8, 16], "workloads": {"hop": {"lines": lines}}}
    return {"points": measured, "model": {"held_out": held_out}, "prediction": prediction}


def test_picture_is_drawn():
    assert plots.encode(plots.scaling(results()), "png")[:4] == b"\x89PNG"


@pytest.mark.mpirun
@pytest.mark.long
@pytest.mark.timeout(600)
def test_whole_benchmark_writes_results(mpirun, tmp_path):
    words = [sys.executable, str(FOLDER / "scaling.py"), "--quick", "--results", str(tmp_path)]
    done = subprocess.run(words, env=launcher.environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    (path,) = tmp_path.glob("scaling-*.json")
    found = json.loads(path.read_text())
    assert {one["ranks"] for one in found["points"]} == {1, 2}
    assert {one["workload"] for one in found["points"]} == set(WORKLOADS)
    assert all(one["seconds"] > 0 for one in found["points"])
    assert found["left_out"] or any(one["rate"] for one in found["points"])
    assert set(found["model"]["fits"]["memory"]["parameters"]) == set(communication.PARAMETERS)
    assert len(found["prediction"]["workloads"]["hop"]["lines"]) == 10
    assert [one["goal"] for one in found["goals"]] == [0.8, 0.8, 0.95, 0.95, 0.95]
    assert path.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
