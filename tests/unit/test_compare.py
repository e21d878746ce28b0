"""Solvers set side by side: what is counted, when a setup pays off, what a run leaves and refuses."""

import json

import pytest

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.config import load
from lqcd_hpc.errors import LqcdError
from lqcd_hpc.fields.counting import counting
from lqcd_hpc.io.configuration import save
from lqcd_hpc.operators.applications import applications
from lqcd_hpc.operators.schur import SchurOperator
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.run import compare, execute
from lqcd_hpc.run.comparison import Line, break_even, table
from lqcd_hpc.solvers import FGMRES, BiCGStab

RUN = """
[compare]
masses = [{masses}]
rhs = [1, 2]
reference = "CG"
repeats = 1
{compare}
[source]
files = ["{folder}/u1.h5"]
[operator]
kind = "wilson"
boundary = [1, -1]
{operator}
[[solver]]
name = "CG"
kind = "schur"
inner = {{ kind = "normal", tol = 1e-8 }}
[[solver]]
name = "FGMRES"
kind = "fgmres"
tol = 1e-8
restart = 200
{solver}
[random]
seed = 3
[output]
directory = "{folder}/out"
{output}
"""


@pytest.fixture
def U():
    return gauge.hot(Lattice((8, 8)), Random(seed=1), "U(1)")


@pytest.fixture
def run_file(tmp_path, U):
    """`run_file(**more)` writes a run file beside a configuration."""
    save(tmp_path / "u1.h5", U, "hdf5")

    def write(**more):
        texts = dict.fromkeys(("compare", "operator", "solver", "output"), "") | {"masses": "0.5, 0.2"} | more
        path = tmp_path / "run.toml"
        path.write_text(RUN.format(folder=tmp_path, **texts))
        return path

    return write


# ---- what is counted


def test_an_application_is_a_hop_on_every_site_in_any_form_and_precision(U):
    D = Wilson(mass=0.5, boundary=(1, -1)).on(U)
    once = {
        "D": lambda copies: D(D.vector(copies)),
        "adjoint": lambda copies: D.adjoint(D.vector(copies)),
        "single": lambda copies: D.to("single")(D.to("single").vector(copies)),
        "even-odd": lambda copies: SchurOperator(D)(D.vector(copies)),
        "asymmetric": lambda copies: SchurOperator(D, "asymmetric")(D.vector(copies)),
    }
    for name, run in once.items():
        for copies in (1, 3):
            with counting() as counts:
                run(copies)
            assert applications(counts, D, copies) == 1, name


def test_nothing_is_counted_afterwards_and_nested_counts_are_apart(U):
    D = Wilson(mass=0.5, boundary=(1, -1)).on(U)
    with counting() as outer:
        D(D.vector())
        with counting() as inner:
            D(D.vector())
        D(D.vector())
    D(D.vector())
    assert (applications(outer, D), applications(inner, D)) == (2, 1)


@pytest.mark.parametrize("solver, per_iteration", [(FGMRES(tol=1e-8, restart=200), 1), (BiCGStab(tol=1e-8), 2)])
def test_applications_of_solvers_are_those_of_their_iterations_and_residuals(U, solver, per_iteration):
    D = Wilson(mass=0.5, boundary=(1, -1)).on(U)
    b = D.vector()
    b.from_numpy(b.to_numpy() + 1)
    with counting() as counts:
        solution = solver(D, b)
    assert applications(counts, D) == per_iteration * solution.iterations + 2  # the residual before and after


# ---- when it pays off


def line(solver, seconds, setup=0.0, training=0.0, rhs=1, converged=1):
    return Line("a", -0.5, solver, rhs, 10, 20.0, seconds, setup, training, 1e-11, converged)


@pytest.mark.parametrize(
    "other, expected",
    [
        (line("mg", 0.5, setup=3.0), 2),  # 3 + 0.5 n <= 2 n
        (line("mg", 0.5, setup=3.0, training=27.0), 20),
        (line("mg", 0.5), 1),
        (line("mg", 2.5, setup=3.0), None),
        (line("mg", 0.5, converged=0), None),
        (line("cg", 0.5), None),
    ],
)
def test_break_even(other, expected):
    reference = line("cg", 2.0)
    n = break_even(other, reference)
    assert n == expected
    if n and n > 1:
        costs = [other.setup_seconds + other.training_seconds + k * other.seconds_per_rhs for k in (n - 1, n)]
        assert costs[1] <= n * reference.seconds_per_rhs and costs[0] > (n - 1) * reference.seconds_per_rhs


# ---- a run


def test_a_run_compares_and_goes_on_where_it_was(run_file, tmp_path, monkeypatch, capsys):
    execute(run_file())
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())["lines"]
    assert [(one["mass"], one["rhs"], one["solver"]) for one in found] == [
        (mass, rhs, solver) for mass in (0.5, 0.2) for rhs in (1, 2) for solver in ("CG", "FGMRES")
    ]
    assert all(one["converged"] and one["residual"] <= 1e-8 and one["seconds"] > 0 for one in found)
    unpreconditioned = [one for one in found if one["solver"] == "FGMRES"]
    assert all(one["applications"] == one["iterations"] + 2 for one in unpreconditioned)
    assert all(one["applications"] > 2 * one["iterations"] for one in found if one["solver"] == "CG")
    assert unpreconditioned[2]["iterations"] > unpreconditioned[0]["iterations"]  # the smaller mass is harder
    assert "FGMRES" in printed and "comparison.json" in printed
    for name in ("iterations", "applications", "seconds"):
        assert (tmp_path / "out" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "out" / "measurements.h5").exists()

    measured = []
    old = compare.Trial.measured
    monkeypatch.setattr(compare.Trial, "measured", lambda self, *a: measured.append(self) or old(self, *a))
    execute(run_file())
    again = json.loads((tmp_path / "out" / "comparison.json").read_text())["lines"]
    assert not measured and again == found
    execute(run_file(masses="0.5, 0.3"))  # another mass is measured, the other lines are kept
    assert {trial.operator.mass for trial in measured} == {0.3} and len(measured) == 4
    execute(run_file(masses="0.5, 0.3", solver="max_iterations = 3"))  # another solver too
    assert {(t.operator.mass, t.solver.max_iterations) for t in measured[4:]} == {(0.5, 3), (0.3, 3)}
    assert capsys.readouterr().out.count("not converged") == 4
    execute(run_file(solver="rhs = [2]"))  # fewer lines, none of them new
    assert len(measured) == 8
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())["lines"]
    assert [one["rhs"] for one in found if one["solver"] == "FGMRES"] == [2, 2]


def test_a_mass_is_put_into_the_texts_of_a_solver(run_file, monkeypatch):
    from lqcd_hpc.config import compare as parser

    assert parser._at_mass({"model": "net-{mass}/model", "a": {"b": "{mass}"}, "c": 1}, -0.54) == {
        "model": "net--0.54/model", "a": {"b": "-0.54"}, "c": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "change, message",
    [
        ({"compare": "mases = [1]"}, "did you mean 'masses'"),
        ({"compare": 'critical = "a"'}, "critical"),
        ({"operator": "mass = 0.1"}, r"\[operator\] mass: a comparison takes its masses"),
        ({"operator": "kapa = 0.1"}, "did you mean 'kappa'"),
        ({"masses": "0.5, 0.5"}, "0.5 is there twice"),
        ({"masses": ""}, "masses"),
        ({"solver": "rhs = [3]"}, r"rhs = \[3\]: choose some of .compare. rhs = \[1, 2\]"),
        ({"solver": "restrat = 3"}, "did you mean 'restart'"),
        ({"solver": '[[solver]]\nname = "CG"\nkind = "gcr"\ntol = 1e-8'}, "'CG' is there twice"),
        ({"solver": '[[solver]]\nkind = "gcr"\ntol = 1e-8'}, "lacks name"),
        ({"solver": '[[solver]]\nname = "x"\nkind = "gcrr"\ntol = 1e-8'}, "did you mean 'gcr'"),
        ({"output": "[measure.plaquette]"}, "measure.* does not go together with .compare"),
    ],
)
def test_a_faulty_run_file_is_refused(run_file, change, message):
    with pytest.raises(LqcdError, match=message):
        load(run_file(**change))


def test_a_reference_must_be_one_of_the_solvers(run_file):
    path = run_file()
    path.write_text(path.read_text().replace('reference = "CG"', 'reference = "cg"'))
    with pytest.raises(LqcdError, match="reference = 'cg': name one of the solvers, CG, FGMRES"):
        load(path)


def test_the_table_shows_every_line():
    lines = [line("cg", 2.0), line("mg", 0.5, setup=3.0), line("net", 1.0, converged=0)]
    text = table(lines, "cg")
    rows = {row.split()[0]: row for row in text.splitlines() if row.split() and row.split()[0] in ("mg", "net")}
    assert "4.00" in rows["mg"] and rows["mg"].split()[-1] == "2" and "not converged" in rows["net"]
