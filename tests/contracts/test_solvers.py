"""What every solver promises. A file of lqcd_hpc/solvers that defines one is tested by being there, with SAMPLES."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from ahead import compile_ahead
from fermions import assert_close, describe, fill, formula, gauge_field, links_of
from pydantic import ValidationError
from reference import dirac, free_fermions
from solver_samples import POSITIVE, PRECONDITIONERS, SAMPLES, TOL

from lqcd_hpc import Lattice, LqcdError, config, gauge
from lqcd_hpc.operators.clover import Clover
from lqcd_hpc.operators.laplace import Laplace
from lqcd_hpc.operators.operator import Normal
from lqcd_hpc.operators.schur import SchurOperator
from lqcd_hpc.operators.shifted import shifted
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.solvers.bicgstab import BiCGStab
from lqcd_hpc.solvers.bicgstab_l import BiCGStabL
from lqcd_hpc.solvers.cg import CG
from lqcd_hpc.solvers.fgmres import FGMRES
from lqcd_hpc.solvers.gcr import GCR
from lqcd_hpc.solvers.multishift import MultishiftCG
from lqcd_hpc.solvers.normal import NormalCG
from lqcd_hpc.solvers.refine import Refine
from lqcd_hpc.solvers.schur import Schur
from lqcd_hpc.solvers.solution import NotConverged

PLANE, SPACETIME = (4, 8), (4, 4, 4, 4)
EVEN_SOLVERS = [CG(tol=TOL), CG(tol=TOL, precision="single"), NormalCG(tol=TOL), GCR(tol=TOL)]


def table(samples):
    return [pytest.param(make, id=f"{kind}-{name}") for kind, row in samples.items() for name, make in row.items()]


every_solver = pytest.mark.parametrize("make", table(SAMPLES))
every_positive_one = pytest.mark.parametrize("make", table(POSITIVE))
ONE_EACH = pytest.mark.parametrize("make", table({kind: {"": row[""]} for kind, row in SAMPLES.items()}))


def operator(kind="wilson", replicas=1, precision="double", group="SU(2)", shape=PLANE, **changes):
    links = np.array([links_of(group, shape, seed) for seed in range(7, 7 + replicas)])
    lattice = Lattice(shape, replicas=replicas)
    U = gauge_field(links if replicas > 1 else links[0], lattice)
    return describe(kind, ndim=len(shape), **changes).on(U).to(precision)


def residuals(D, x, b):
    """|b - D x|/|b| of every right-hand side by the formula, for one system."""
    axis = tuple(range(-D.lattice.ndim - len(D.kind.shape), 0))
    rest = b.to_numpy() - formula(D.description, D.U.to_numpy(), x.to_numpy().astype(complex))
    return np.sqrt((np.abs(rest) ** 2).sum(axis) / (np.abs(b.to_numpy()) ** 2).sum(axis))


def exact(D, b):
    """D^-1 b by dense linear algebra."""
    values = b.to_numpy()
    matrix = dirac.dense(lambda v: formula(D.description, D.U.to_numpy(), v), values.shape)
    return np.linalg.solve(matrix, values.ravel()).reshape(values.shape)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    compile_ahead(use_everything)


def use_everything():
    """What the tests below do with solvers, so that their kernels are there."""
    for row in SAMPLES.values():
        for make in row.values():
            solve(make(TOL), operator())
    for make in [make for kind in ("normal", "gcr", "schur") for make in SAMPLES[kind].values()]:
        solve(make(TOL), operator("clover"))
    for name in ("normal", "bicgstab", "gcr", "refine"):
        solve(SAMPLES[name][""](TOL), operator(), 3)
    for name in SAMPLES:
        solve(SAMPLES[name][""](TOL), operator(precision="single"))
    for row in POSITIVE.values():
        for make in row.values():
            for A in positive_operators().values():
                solve(make(TOL), A)
    solve(MultishiftCG(tol=TOL, shifts=(0.2, 0.0)), Normal(operator()), 3)
    for inner_solver in EVEN_SOLVERS:
        solve(Schur(inner_solver), operator("staggered"))
        solve(Schur(inner_solver, "asymmetric"), operator("staggered"))
    solve(Refine(Schur(NormalCG(tol=TOL)), tol=TOL), operator(group="SU(3)", shape=SPACETIME))
    for shift in (0.0, 0.3):
        solve(BiCGStab(tol=TOL), Normal(operator(), shift))


def solve(solver, A, copies=1):
    return solver(A, A.vector(copies))


def positive_operators():
    wilson, staggered, laplace = (operator(kind) for kind in ("wilson", "staggered", "laplace"))
    return {
        "Normal(wilson)": Normal(wilson),
        "Normal(wilson, 0.3)": Normal(wilson, 0.3),
        "laplace": laplace,
        "shifted laplace": shifted(laplace, 0.3),
        "Schur(staggered)": SchurOperator(staggered),
        "asymmetric Schur(staggered)": SchurOperator(staggered, "asymmetric"),
        "Normal(Schur(wilson))": Normal(SchurOperator(wilson)),
    }


def source(A, copies=1, seed=1):
    """Random numbers on the sites of an operator."""
    b = fill(A.vector(copies), seed)
    if A.parity is not None:
        even = dirac.even_sites(A.lattice.shape)
        b.from_numpy(b.to_numpy() * even.reshape(*even.shape, *[1] * len(A.kind.shape)))
    return b


# ---- solutions


def test_every_solver_has_samples():
    assert set(config.kinds("solver")) == set(SAMPLES) | set(POSITIVE) | set(PRECONDITIONERS)


@every_solver
def test_a_solution_has_its_true_residual(make):
    check_solution(make, operator())


@pytest.mark.parametrize("make", table({"normal": SAMPLES["normal"], "gcr": SAMPLES["gcr"], "schur": SAMPLES["schur"]}))
def test_a_solution_of_clover_fermions(make):
    check_solution(make, operator("clover"))


def check_solution(make, D):
    b = source(D)
    solution = make(TOL)(D, b)
    true = residuals(D, solution.x, b)
    assert solution.residual <= TOL and true <= 1.01 * TOL
    assert solution.residual == pytest.approx(true, rel=1e-3, abs=1e-15)
    assert_close(solution.x, exact(D, b), 1e-8)
    assert 0 < solution.iterations == len(solution.history)
    assert np.isfinite(solution.history).all() and min(solution.history) < 1e-3


@pytest.mark.parametrize("name", positive_operators())
@every_positive_one
def test_solutions_of_positive_operators(make, name):
    A = positive_operators()[name]
    b = source(A)
    solution = make(TOL)(A, b)
    rest = b.to_numpy() - A.apply(solution.x).to_numpy() * (b.to_numpy() != 0)
    assert np.linalg.norm(rest) <= 1.01 * TOL * np.linalg.norm(b.to_numpy())
    assert solution.residual <= TOL and 0 < solution.iterations == len(solution.history)


@pytest.mark.parametrize("form", ["symmetric", "asymmetric"])
@pytest.mark.parametrize("inner_solver", EVEN_SOLVERS, ids=["cg", "mixed", "normal", "gcr"])
def test_even_odd_solutions_of_staggered_fermions(inner_solver, form):
    D = operator("staggered")
    b = source(D)
    solution = Schur(inner_solver, form)(D, b)
    assert residuals(D, solution.x, b) <= 1.01 * TOL
    assert_close(solution.x, exact(D, b), 1e-8)


def test_even_odd_solutions_need_fewer_iterations():
    D = operator()
    b = source(D)
    full = NormalCG(tol=TOL)(D, b).iterations
    assert Schur(NormalCG(tol=TOL))(D, b).iterations < 0.7 * full


def test_refined_even_odd_solutions_in_four_dimensions():
    D = operator(group="SU(3)", shape=SPACETIME)
    b = source(D)
    solution = Refine(Schur(NormalCG(tol=1e-5)), tol=1e-10)(D, b)
    assert solution.residual <= 1e-10 and residuals(D, solution.x, b) <= 1.01e-10
    assert D.to("single").precision == "single" and solution.x.precision == "double"


@pytest.mark.parametrize("solver", [NormalCG(tol=TOL), BiCGStab(tol=TOL), GCR(tol=TOL)], ids=lambda s: type(s).__name__)
def test_right_hand_sides_are_solved_together(solver):
    """Of very different sizes, one of them an exact case, and of the bits of single ones where no number is shared."""
    D, one = operator(), operator().vector()
    b = source(D, 3)
    values = b.to_numpy() * np.array([1, 1e-8, 1e6])[:, None, None, None, None]
    b.from_numpy(values)
    solution = solver(D, b)
    assert solution.residuals.shape == (3, 1) and (solution.residuals <= TOL).all()
    assert (residuals(D, solution.x, b) <= 1.01 * TOL).all()
    one = D.vector()
    for k in range(3):
        alone = solver(D, one.from_numpy(values[k]))
        assert_close(solution.x.to_numpy()[k], alone.x, 1e-8)


@ONE_EACH
def test_replicas_are_solved_together(make):
    D = operator(replicas=2)
    b = source(D)
    solution = make(TOL)(D, b)
    assert solution.residuals.shape == (1, 2)
    for k, links in enumerate(D.U.to_numpy()):
        E = D.description.on(gauge_field(links))
        c, x = (E.vector().from_numpy(field.to_numpy()[k]) for field in (b, solution.x))
        assert residuals(E, x, c) <= 1.01 * TOL


@ONE_EACH
def test_a_guess_helps_and_an_exact_one_ends_at_once(make):
    D = operator()
    b = source(D)
    solver = make(TOL)
    first = solver(D, b)
    again = solver(D, b, first.x)
    assert again.iterations == 0 and again.history == [] and again.residual <= TOL
    assert np.allclose(again.x.to_numpy(), first.x.to_numpy(), rtol=1e-12)
    close = first.x.copy().from_numpy(first.x.to_numpy() * (1 + 1e-6))
    third = solver(D, b, close)
    assert third.residual <= TOL and third.iterations < first.iterations
    assert np.array_equal(close.to_numpy(), first.x.to_numpy() * (1 + 1e-6)), "a guess stays as it is"


@pytest.mark.parametrize("name", ["normal", "bicgstab", "gcr", "refine"])
def test_one_exact_guess_among_several(name):
    """A right-hand side that is done from the start leaves a residual of zero or of rounding."""
    D = describe("wilson").on(gauge.unit(Lattice(PLANE), "SU(2)"))
    x = fill(D.vector(3))
    b = D.apply(x)
    guess = x.copy()
    values = guess.to_numpy()
    values[1:] = 0
    solution = SAMPLES[name][""](TOL)(D, b, guess.from_numpy(values))
    assert (residuals(D, solution.x, b) <= 1.01 * TOL).all()


def test_a_solver_repeats_itself_to_the_bit():
    D = operator()
    b = source(D)
    for row in SAMPLES.values():
        first, second = (row[""](TOL)(D, b) for _ in range(2))
        assert np.array_equal(first.x.to_numpy(), second.x.to_numpy()) and first.history == second.history


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_bicgstab_solves_normal_and_shifted_operators(shift):
    """Their kernels end with a shift, and with products with the shadow residual at the same time."""
    A = Normal(operator(), shift)
    b = source(A)
    x = BiCGStab(tol=TOL)(A, b).x
    assert_close(A.apply(x), b, 1e-9)
    assert BiCGStab(tol=TOL)(A, b).iterations < 60


@pytest.mark.parametrize("solver", [BiCGStab(tol=TOL), BiCGStabL(tol=TOL)], ids=["1", "2"])
@pytest.mark.parametrize("boundary", [(1, -1), (1, 1), (-1, -1)])
@pytest.mark.parametrize("sites", ["all", "origin"])
def test_bicgstab_survives_the_symmetries_of_free_fermions(solver, boundary, sites):
    """Where the residual is at right angles to what the first shadow has made, another shadow goes on."""
    D = Wilson(mass=0.1, boundary=boundary).on(gauge.unit(Lattice(PLANE), "SU(2)"))
    values = np.zeros_like(D.vector().to_numpy())
    values[(slice(None),) if sites == "all" else (0, 0)] = 1
    b = D.vector().from_numpy(values)
    assert residuals(D, solver(D, b).x, b) <= 1.01 * TOL


# ---- the iterations of the textbooks


STEPS = 9  # rounding has not grown yet


def textbook_cg(A, b):
    """|r|/|b| after each step."""
    r, p, found = b, b, []
    for _ in range(STEPS):
        alpha = np.vdot(r, r) / np.vdot(p, A @ p)
        r, before = r - alpha * (A @ p), r
        p = r + np.vdot(r, r) / np.vdot(before, before) * p
        found.append(np.linalg.norm(r) / np.linalg.norm(b))
    return found


def textbook_bicgstab(A, b):
    r, p, rho, found = b, b, np.vdot(b, b), []
    for _ in range(STEPS):
        v = A @ p
        alpha = rho / np.vdot(b, v)
        s = r - alpha * v
        t = A @ s
        omega = np.vdot(t, s) / np.vdot(t, t)
        r = s - omega * t
        rho, before = np.vdot(b, r), rho
        p = r + rho / before * alpha / omega * (p - omega * v)
        found.append(np.linalg.norm(r) / np.linalg.norm(b))
    return found


def smallest_residuals(A, b):
    """min |b - A x|/|b| over x in the space of b, A b, .., A^(k-1) b."""
    basis, found = b[:, None] / np.linalg.norm(b), []
    for _ in range(STEPS):
        y = np.linalg.lstsq(A @ basis, b, rcond=None)[0]
        found.append(np.linalg.norm(b - A @ basis @ y) / np.linalg.norm(b))
        basis, _ = np.linalg.qr(np.column_stack([basis, A @ basis[:, -1]]))
    return found


@pytest.mark.parametrize(
    "solver, textbook",
    [
        (CG(tol=TOL), textbook_cg),
        (MultishiftCG(tol=TOL, shifts=(0.0, 0.5)), textbook_cg),
        (BiCGStab(tol=TOL), textbook_bicgstab),
        (BiCGStabL(tol=TOL, l=1), textbook_bicgstab),
        (GCR(tol=TOL), smallest_residuals),
        (FGMRES(tol=TOL), smallest_residuals),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_histories_are_those_of_the_textbook(solver, textbook):
    D = operator()
    b, matrix = source(D), dirac.dense(lambda v: formula(D.description, D.U.to_numpy(), v), D.vector().to_numpy().shape)
    if textbook is textbook_cg:
        D, matrix = Normal(D), matrix.conj().T @ matrix
    found = solver(D, b)
    history = found[0].history if isinstance(found, list) else found.history
    assert history[:STEPS] == pytest.approx(textbook(matrix, b.to_numpy().ravel()), rel=1e-9)


# ---- shifted systems


SHIFTS = (0.5, 0.0, 3.0, 0.01)


@pytest.mark.parametrize("precision", [None, "single"])
@pytest.mark.parametrize("name", ["Normal(wilson)", "Normal(wilson, 0.3)", "Schur(staggered)", "laplace"])
def test_shifted_systems_have_the_solutions_of_single_ones(name, precision):
    A = positive_operators()[name]
    b = source(A)
    solutions = MultishiftCG(tol=TOL, shifts=SHIFTS, precision=precision)(A, b)
    assert len(solutions) == len(SHIFTS)
    for sigma, solution in zip(SHIFTS, solutions):
        single = CG(tol=TOL)(shifted(A, sigma), b)
        assert solution.residual <= TOL
        assert_close(solution.x, single.x, 1e-8)
    if precision is None:
        alone = CG(tol=TOL)(A, b).iterations
        assert max(one.iterations for one in solutions) <= alone + 3, "all shifts at the price of one"


def test_shifted_systems_of_several_right_hand_sides():
    A = Normal(operator())
    b = source(A, 3)
    for sigma, solution in zip((0.2, 0.0), MultishiftCG(tol=TOL, shifts=(0.2, 0.0))(A, b)):
        assert (solution.residuals <= TOL).all()
        assert_close(A.apply(solution.x).to_numpy() + sigma * solution.x.to_numpy(), b, 1e-8)


def test_what_shifted_systems_refuse():
    A = Normal(operator())
    b = source(A)
    assert len(MultishiftCG(tol=TOL, shifts=(0.3,))(A, b)) == 1
    with pytest.raises(LqcdError, match="at least one"):
        MultishiftCG(tol=TOL, shifts=())(A, b)
    with pytest.raises(LqcdError, match="start from zero"):
        MultishiftCG(tol=TOL, shifts=(0.0,))(A, b, b)
    with pytest.raises(LqcdError, match="Hermitian and positive"):
        MultishiftCG(tol=TOL, shifts=(0.0,))(A.operator, b)
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        MultishiftCG(tol=TOL, shifts=(-0.1,))


# ---- free fermions


def test_the_propagator_of_free_wilson_fermions():
    """Sum |S(x, 0)|^2 on 4^3 x 8, m0 = 0.5, antiperiodic in time: reference/free_fermions.py, and published digits."""
    shape = (4, 4, 4, 8)
    D = Wilson(mass=0.5, boundary=(1, 1, 1, -1)).on(gauge.unit(Lattice(shape)))
    total = np.zeros(8)
    for spin in range(4):
        values = np.zeros_like(D.vector().to_numpy())
        values[0, 0, 0, 0, spin, 0] = 1
        S = Refine(Schur(NormalCG(tol=1e-5)), tol=1e-12)(D, D.vector().from_numpy(values)).x.to_numpy()
        total += 3 * (np.abs(S) ** 2).sum(axis=(1, 2, 3, 4, 5))
    np.testing.assert_allclose(total, free_fermions.wilson_norm(shape, 0.5, (1, 1, 1, -1)), rtol=1e-9)
    published = [0.712421468587, 0.0404037141077, 0.00977343988186, 0.0042323636643, 0.00304718436931]
    np.testing.assert_allclose(total[:5], published, rtol=1e-10)


def test_the_condensate_of_free_staggered_fermions():
    shape = PLANE
    D = Staggered(mass=0.1, boundary=(1, -1)).on(gauge.unit(Lattice(shape), "SU(2)"))
    values = np.zeros_like(D.vector().to_numpy())
    values[0, 0, 0] = 1
    x = Schur(CG(tol=1e-12))(D, D.vector().from_numpy(values)).x.to_numpy()
    expected = free_fermions.staggered_condensate(shape, 0.1, (1, -1), nc=2)
    assert 2 * x[0, 0, 0] == pytest.approx(expected, rel=1e-10)


# ---- what does not converge


@ONE_EACH
def test_a_solver_that_gives_up_tells_how_far_it_came(make):
    D = operator(mass=-0.2)
    b = source(D)
    solver = limited(make(1e-12))
    with pytest.raises(NotConverged, match="not converged after") as caught:
        solver(D, b)
    found = caught.value.solution
    assert found.history == caught.value.history and len(found.history) == found.iterations
    assert found.residual > 1e-12
    if found.x.kind == D.kind and not isinstance(solver, Schur):
        assert found.residual == pytest.approx(residuals(D, found.x, b), rel=1e-3)


def limited(solver):
    """The same solver with fewer steps than it needs."""
    if hasattr(solver, "max_corrections"):
        return replace(solver, max_corrections=1)
    if hasattr(solver, "inner"):
        return replace(solver, inner=limited(solver.inner))
    return replace(solver, max_iterations=4)


@ONE_EACH
def test_single_precision_does_not_reach_the_tolerance_of_double(make):
    D = operator(precision="single")
    with pytest.raises(NotConverged, match="precision|corrections"):
        make(1e-12)(D, source(D))


def test_cg_refuses_what_is_not_positive():
    D = operator()
    with pytest.raises(LqcdError, match="use NormalCG"):
        CG(tol=TOL)(D, source(D))
    A = Normal(operator("laplace", mass_squared=0.5), -30.0)
    with pytest.raises(LqcdError, match="is not positive"):
        CG(tol=TOL)(A, source(A))


# ---- what is refused


@pytest.mark.parametrize("tol", [0.0, 1.0, -1e-5, float("nan"), float("inf")])
@ONE_EACH
def test_tolerances_lie_between_zero_and_one(make, tol):
    D = operator()
    with pytest.raises((LqcdError, ValidationError), match="tol"):
        make(tol)(D, source(D))


@ONE_EACH
def test_sources_must_fit_and_be_finite(make):
    D, solver = operator(), make(TOL)
    b = source(D)

    def refused(match, source, guess=None):
        with warnings.catch_warnings(), pytest.raises(LqcdError, match=match):
            warnings.simplefilter("error")
            solver(D, source, guess)

    refused("the source is zero", D.vector())
    refused("acts on", operator("staggered").vector())
    refused("acts on", source(operator()))
    refused("acts on", source(operator(shape=(8, 8))))
    refused("acts on", source(operator(group="SU(3)")))
    refused("precision", source(D.to("single")))
    refused("acts on", b.to_numpy())
    refused("right-hand sides", b, D.vector(3))
    refused("acts on", b, operator("staggered").vector())
    for bad in (np.nan, np.inf):
        values = b.to_numpy()
        values[1, 1] = bad
        refused("the source has numbers", D.vector().from_numpy(values))
        refused("not finite", b, D.vector().from_numpy(values))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@ONE_EACH
def test_links_must_be_finite(make, bad):
    D = operator()
    links = D.U.to_numpy()
    links[1, 2, 3, 0, 0] = bad
    D.U.from_numpy(links)
    with pytest.raises(LqcdError, match="finite"):
        make(TOL)(D, source(D))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_masses_must_be_finite(bad):
    with pytest.raises(ValueError, match="finite number"):
        operator(mass=bad)


@pytest.mark.parametrize("replicas", [1, 2])
def test_singular_even_odd_blocks_are_told(replicas):
    U = gauge.unit(Lattice(PLANE, replicas=replicas), "SU(2)")
    for description in (
        Wilson(mass=-2.0, boundary=(1, 1)),
        Staggered(mass=0.0, boundary=(1, 1)),
        Clover(mass=-2.0, csw=1.0, boundary=(1, 1)),
    ):
        D = description.on(U)
        with pytest.raises(LqcdError, match="singular"):
            Schur(NormalCG(tol=TOL))(D, source(D))
    with pytest.raises(LqcdError, match="no even-odd form"):
        D = Laplace(mass_squared=1.0, boundary=(1, 1)).on(U)
        Schur(CG(tol=TOL))(D, source(D))


def test_values_of_solvers_are_checked():
    for make in (CG, NormalCG, BiCGStab):
        with pytest.raises(ValidationError):
            make(tol=TOL, max_iterations=0)
        with pytest.raises(ValidationError):
            make(tolerance=TOL)
    with pytest.raises(ValidationError):
        CG(tol=TOL, precision="half")
