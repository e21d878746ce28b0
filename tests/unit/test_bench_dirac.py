"""`lqcd-hpc bench dirac` and `bench solver`: what the JSON holds, how flops and bytes are counted, what is refused.

Nothing here depends on how fast the machine is.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from lqcd_hpc import Lattice, cli, gauge
from lqcd_hpc.cli.benchmark import fermion_counts as counts
from lqcd_hpc.cli.benchmark import machine, operators, solver, solvers, timing
from lqcd_hpc.lattice.communicator import SerialCommunicator

FIELDS = {
    "operator", "precision", "volume", "ranks", "threads", "rhs", "gflops", "gbytes", "ns_per_site",
    "roofline_fraction",
}  # fmt: skip
PROGRAM = "from lqcd_hpc.cli import main; main()"
TINY = ("--volume", "4,4,4,4")


@pytest.fixture
def lqcd(monkeypatch, capfd):
    """`lqcd(*words)` runs the command in this process without repeats: (exit code, standard output, standard error)."""
    monkeypatch.setattr(timing, "SHORTEST", 1e-6)
    monkeypatch.setattr(timing, "REPEATS", 1)
    monkeypatch.setattr(timing, "LONGEST", 1e-3)
    monkeypatch.setattr(solvers, "UPDATES", 1)
    monkeypatch.setattr(solvers, "ITERATIONS", 2)
    monkeypatch.setattr(solvers, "TOLERANCE", dict.fromkeys(solvers.TOLERANCE, 1e-2))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lqcd-hpc", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capfd.readouterr())

    return run


# ---- counts


def test_flops_are_the_usual_counts():
    flops = {name: case.count.flops for name, case in operators.CASES.items()}
    assert flops["wilson"] == flops["wilson_hop"] == 1320
    assert flops["clover"] == 1920 and flops["staggered"] == flops["staggered_hop"] == 570
    assert flops["wilson_schur"] == 2 * 1320 + 48 and flops["clover_schur"] == 2 * 1824 + 48
    assert flops["twisted_mass"] == 1392 and flops["twisted_clover"] == 1968 and flops["laplace"] == 570


def test_flops_of_a_hop_are_those_of_its_arithmetic():
    """Counted on numbers that count: projection, two matrices on colour vectors, sums over eight directions."""

    class Counting:
        done = 0

        def __add__(self, other):
            Counting.done += 1
            return self

        __mul__ = __sub__ = __add__

    def product(a, b):  # complex numbers as pairs
        return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]

    def plus(a, b):
        return a[0] + b[0], a[1] + b[1]

    number = (Counting(), Counting())

    def on_vector():
        for _ in range(3):
            terms = [product(number, number) for _ in range(3)]
            plus(plus(terms[0], terms[1]), terms[2])

    def flops(spins, projected):
        Counting.done = 0
        for direction in range(8):
            for _ in range(projected):
                if spins == 4:
                    [plus(number, number) for _ in range(3)]
                on_vector()
            for _ in range(3 * spins if direction else 0):
                plus(number, number)
        return Counting.done

    assert flops(4, 2) == counts.wilson_hop() == 1320
    assert flops(1, 1) == counts.staggered_hop() == 570


@pytest.mark.parametrize(
    ("name", "reals"),
    [
        ("wilson", 4 * 12 + 24 + 24),
        ("wilson_hop", 8 * 12 + 24 + 24),
        ("wilson_schur", 8 * 12 + 24 + 24),
        ("clover", 4 * 12 + 72 + 24 + 24),
        ("clover_schur", 8 * 12 + 2 * 72 + 24 + 24),
        ("twisted_mass", 96),
        ("twisted_clover", 168),
        ("staggered", 4 * 12 + 6 + 6),
        ("staggered_hop", 8 * 12 + 6 + 6),
        ("laplace", 60),
    ],
)
def test_bytes_are_every_number_once(name, reals):
    count = operators.CASES[name].count
    assert count.of(rows=2, rhs=1, size=4).bytes == 4 * reals
    vectors = 2 * count.vector
    assert count.of(rows=2, rhs=12, size=8).bytes == pytest.approx(8 * ((reals - vectors) / 12 + vectors))
    assert count.of(rows=3, rhs=1, size=8).bytes - count.of(rows=2, rhs=1, size=8).bytes == 8 * count.links * 6


@pytest.mark.parametrize("name", operators.CASES)
def test_bytes_are_the_sizes_of_the_fields(name):
    """The fields of the launches that run, each counted once, on one lattice in one precision."""
    copies, lattice = 2, Lattice((4, 4, 4, 4), comm=SerialCommunicator())
    case = operators.CASES[name]
    D = case.description.on(gauge.unit(lattice, precision="single"))
    psi, out = D.vector(copies), D.vector(copies)
    fields = {id(f): f for launch in case.launches(D, psi, out) for f in launch.fields}
    own = {id(f) for f in getattr(D, "_temporaries", {}).values()}
    reals, sites = 0, lattice.volume
    for field in fields.values():
        if field.kind == D.kind:
            half = 1 if case.part == operators.ALL else 2
            reals += field.kind.reals * copies * sites // half if id(field) not in own and field in (psi, out) else 0
        else:
            twice = D.storage.per_site if field.kind.name == "stored links" else 1  # a link is ideally read once
            reals += field.kind.reals * field.kind.buffers * sites // twice
    units = sites * copies // (1 if case.part == operators.ALL else 2)
    assert case.count.of(D.storage.rows, copies, 4).bytes * units == pytest.approx(4 * reals)


def test_an_iteration_is_counted_with_its_vectors():
    """Two operators; norms |D p|^2, |r|^2 and updates of r, x, p: five times 48 flops. Ten vectors are moved."""
    count = counts.WILSON.normal_iteration(rows=2, rhs=1, size=4)
    assert count.flops == 2 * 1320 + 5 * 48 and count.bytes == 4 * (2 * 48 + 10 * 24)
    assert counts.CLOVER.normal_iteration(2, 1, 4).bytes == 4 * (2 * (48 + 72) + 10 * 24)
    count = counts.STAGGERED_HOP.factored_iteration(2, 12, 8)
    assert count.flops == 2 * 570 + 7 * 12 and count.bytes == pytest.approx(8 * (2 * 96 / 12 + 11 * 6))


# ---- what is printed


def test_bench_dirac_gives_a_list_of_lines(lqcd):
    words = ("--operator", "wilson", "--precision", "single", "--volume", "4,4,4,8", "--json")
    code, out, err = lqcd("bench", "dirac", *words)
    (line,) = json.loads(out)
    assert code == 0 and err == ""
    assert set(line) >= FIELDS | {"date", "processor", "command"}
    assert (line["operator"], line["precision"], line["volume"]) == ("wilson", "single", [4, 4, 4, 8])
    assert line["ranks"] == line["threads"] == line["rhs"] == 1
    assert line["command"] == "lqcd-hpc bench dirac --volume 4,4,4,8 --precision single --operator wilson --threads 1"


@pytest.mark.parametrize(
    ("names", "precision", "rhs"),
    [(tuple(operators.CASES), "single", (1,)), (("staggered", "wilson_hop"), "double", (1, 3))],
)
def test_figures_of_a_line_belong_together(lqcd, names, precision, rhs):
    words = [word for name in names for word in ("--operator", name)] + [word for n in rhs for word in ("--rhs", n)]
    code, out, _ = lqcd("bench", "dirac", *TINY, "--precision", precision, *words, "--json")
    lines = json.loads(out)
    assert code == 0
    assert [(line["rhs"], line["operator"]) for line in lines] == [(n, name) for n in rhs for name in names]
    for line in lines:
        assert line["gflops"] * line["ns_per_site"] == pytest.approx(line["flops_per_site"])
        assert line["gbytes"] * line["ns_per_site"] == pytest.approx(line["bytes_per_site"])
        assert line["roofline_fraction"] > 0


def test_bench_dirac_writes_results_and_a_picture(lqcd, tmp_path):
    words = ("--operator", "staggered", "--results", tmp_path, "--plot", tmp_path / "speed.png")
    code, out, _ = lqcd("bench", "dirac", *TINY, *words)
    (path,) = tmp_path.glob("dirac-*.json")
    found = json.loads(path.read_text())
    assert code == 0 and "staggered" in out and str(path) in out
    assert path.name == f"dirac-{found['date'][:10]}.json"
    assert {"date", "processor", "command", "machine", "lines"} <= set(found)
    assert [line["precision"] for line in found["lines"]] == ["single", "double"]
    assert (tmp_path / "speed.png").read_bytes()[:4] == b"\x89PNG"


def test_bench_solver_gives_iterations_and_seconds(lqcd):
    code, out, _ = lqcd("bench", "solver", *TINY, "--operator", "wilson", "--precision", "double",
                        "--precision", "mixed", "--json")  # fmt: skip
    lines = json.loads(out)
    assert code == 0
    assert {line["solver"] for line in lines} == {"normal", "even-odd", "one shift", "all shifts"}
    for line in lines:
        assert set(line) >= FIELDS | {"iterations", "seconds", "residual", "launch_overhead_percent"}
        assert 0 < line["residual"] <= line["tol"] and line["iterations"] > 0
        seconds = line["ns_per_site"] * 1e-9 * 4**4 * line["iterations"]
        assert line["seconds"] == pytest.approx(seconds)
        assert (line["loop_ns_per_site"] is None) == (line["solver"] == "all shifts")


def test_bench_solver_prints_a_table(lqcd, tmp_path):
    words = ("--operator", "staggered", "--rhs", "2", "--plot", tmp_path / "speed.svg")
    code, out, _ = lqcd("bench", "solver", *TINY, *words)
    assert code == 0 and "staggered even-odd" in out and "double precision" in out
    assert (tmp_path / "speed.svg").read_bytes()[:5] == b"<?xml"


@pytest.mark.parametrize("case", solvers.CASES, ids=lambda case: f"{case.operator} {case.solver}")
def test_what_is_timed_solves(case, monkeypatch):
    monkeypatch.setattr(solvers, "ITERATIONS", 3)
    U = solvers.links((4, 4, 4, 4), 1, SerialCommunicator())
    one = solvers.Solve(case, U, "mixed", 2)
    one.run(1)
    assert 0 < one.residual <= 1e-10 and one.iterations > 3
    if one.loop:
        one.loop(2)
        one.iterate(2)


def test_comparisons_are_per_solution():
    base = {"operator": "wilson", "precision": "double", "ranks": 1, "rhs": 1, "volume": [8] * 4, "solver": "normal"}
    lines = [
        base | {"seconds": 6.0},
        base | {"seconds": 3.0, "precision": "mixed"},
        base | {"seconds": 36.0, "rhs": 12},
        base | {"seconds": 8.0, "solver": "one shift"},
        base | {"seconds": 16.0, "solver": "all shifts"},
    ]
    found = {what: ratio for _, what, ratio in solver.comparisons(lines)}
    assert found == {"double precision": 2.0, "one right-hand side": 2.0, "one shift": 0.5}


# ---- what is refused


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["dirac", "--operator", "wilsn"], "did you mean 'wilson'"),
        (["solver", "--operator", "laplace"], "unknown operator 'laplace'"),
        (["dirac", "--precision", "mixed"], 'choose "double" or "single"'),
        (["solver", "--precision", "half"], '"mixed"'),
        (["dirac", "--volume", "8,8,8"], "four even extents"),
        (["dirac", "--volume", "8,8,8,7"], "four even extents"),
        (["dirac", "--volume", "eight"], "no lattice shape"),
        (["dirac", "--rhs", "0"], "rhs = 0"),
        (["dirac", "--threads", "0"], "threads = 0"),
        (["solver", "--ranks", "0"], "ranks = 0"),
        (["gauge", "--operator", "wilson"], "not to gauge"),
        (["gauge", "--rhs", "2"], "not to gauge"),
        (["dirac", "--kernels-only"], "--kernels-only"),
        (["fermions"], "gauge, dirac, solver"),
    ],
)
def test_bad_options_are_one_message(lqcd, words, text):
    code, out, err = lqcd("bench", *words, "--json")
    assert (code, out) == (2, "") and err.count("\n") == 1 and text in err


def test_a_picture_that_cannot_be_written_is_one_message(lqcd, tmp_path):
    (tmp_path / "file").write_text("")
    words = ("--operator", "staggered", "--plot", tmp_path / "file" / "speed.png")
    code, _, err = lqcd("bench", "dirac", *TINY, *words)
    assert code == 2 and "cannot be written" in err.splitlines()[-1] and "Traceback" not in err


# ---- the machine


def test_the_roofline_is_the_lower_of_peak_and_traffic():
    one = machine.Machine.__new__(machine.Machine)
    one.threads, one.precision, one.comm, one.peak, one._on_host = 1, "double", None, 50.0, True
    one._reads = {2**16: 20.0, 2**20: 10.0}
    assert one.limit(flops=30, traffic=10, working_set=2**19 + 1) == 30.0
    assert one.limit(flops=100, traffic=10, working_set=2**20) == 50.0
    assert one.limit(flops=10, traffic=10, working_set=5) == 20.0


def test_memory_where_fields_live_is_measured_by_copies(monkeypatch):
    monkeypatch.setattr(timing, "LONGEST", 1e-3)
    monkeypatch.setattr(machine, "fields_in_host_memory", lambda: False)
    one = machine.Machine(1, "double")
    assert one.peak == float("inf") and np.isfinite(one.limit(1320, 768, 2**20))


def test_turns_give_the_time_of_one():
    calls = []
    first, second = timing.in_turn([lambda n: calls.append(("a", n)), lambda n: calls.append(("b", n))], repeats=3)
    assert len(first) == len(second) == 3
    assert [name for name, _ in calls[-6:]] == ["a", "b"] * 3


# ---- goals


@pytest.fixture(scope="module")
def goals():
    """benchmarks/dirac.py as a module."""
    spec = importlib.util.spec_from_file_location("dirac_goals", Path(__file__).parents[2] / "benchmarks" / "dirac.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_goals_scale_with_the_peak_in_cache_and_with_the_bandwidth_outside(goals):
    goal = goals.Goal({"operator": "clover"}, "ns_per_site", 40, 65)
    assert goal.scaled([8] * 4, 2 * 58.4e9, 27e9) == 20 and goal.scaled([16] * 4, 2 * 58.4e9, 13.5e9) == 130
    assert goal.ratio(20, 40) == 2
    goal = goals.Goal({"operator": "wilson_hop"}, "gflops", 70, 42)
    assert goal.scaled([8] * 4, 29.2e9, 27e9) == 35 and goal.ratio(20, 40) == 0.5


def test_goals_and_statements_find_their_lines(goals):
    common = {"precision": "single", "ranks": 1, "rhs": 1, "ns_per_site": 50.0, "gflops": 35.0}
    lines = [common | {"operator": "wilson_hop", "volume": [n] * 4} for n in (8, 16, 24)]
    lines.append(common | {"operator": "wilson_hop", "volume": [8] * 4, "rhs": 12, "gflops": 70.0})
    found = list(goals.judged(lines, 58.4e9, 27e9))
    assert [(line["volume"][0], wanted, ratio) for line, _, wanted, _, ratio in found] == [
        (8, 70, 0.5), (16, 42, pytest.approx(35 / 42)),
    ]  # fmt: skip
    said = [(what, value) for _, what, value in goals.statements(lines)]
    assert said == [("GFLOP/s of 24^4 over 16^4", 1.0), ("GFLOP/s of 12 right-hand sides over 1", 2.0)]


# ---- under mpirun


@pytest.mark.mpirun
def test_two_ranks_print_one_document(mpirun):
    patch = "from lqcd_hpc.cli.benchmark import timing as t; t.SHORTEST, t.REPEATS, t.LONGEST = 1e-6, 1, 1e-3; "
    words = ["bench", "dirac", "--volume", "4,4,4,8", "--operator", "wilson", "--operator", "staggered_hop", "--json"]
    job = mpirun(2, ["-c", patch + PROGRAM, *words])
    assert job.code == 0, job
    lines = json.loads(job.output[job.output.index("[") : job.output.rindex("]") + 1])
    assert [line["ranks"] for line in lines] == [2] * 4
    for line in lines:
        assert line["one_rank_gflops"] > 0 and line["expected_fraction"] > 0
        assert line["command"].startswith("mpirun -n 2 lqcd-hpc bench dirac")
