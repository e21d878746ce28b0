"""What every Dirac operator promises. A file of lqcd_hpc/operators that defines a description is tested by being there
(tests/fermions.py has the formulas)."""

import dataclasses
import itertools

import numpy as np
import pytest
from ahead import compile_ahead
from fermions import (
    FORMULAS,
    KINDS,
    OWN,
    SAMPLES,
    VARIANTS,
    WILSON_LIKE,
    assert_close,
    class_of,
    describe,
    fill,
    formula,
    gauge_field,
    inner,
    links_of,
    operator,
    phases,
)  # fmt: skip
from reference import dirac, free_fermions, paths
from site_functions import simd

from lqcd_hpc import Lattice, LqcdError, Random, gauge
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.numbers import Numbers
from lqcd_hpc.operators.clover import Clover
from lqcd_hpc.operators.finish import Finish
from lqcd_hpc.operators.laplace import Laplace
from lqcd_hpc.operators.links import Storage
from lqcd_hpc.operators.operator import Normal
from lqcd_hpc.operators.schur import SchurOperator
from lqcd_hpc.operators.shifted import Shifted, shifted
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.operators.wilson import Wilson

PLANE, SPACETIME = (4, 8), (4, 4, 4, 4)
TOLERANCE = {"double": 1e-13, "single": 1e-6}
EVEN_ODD = [(kind, v) for kind, v in VARIANTS if kind not in ("laplace", *OWN) and v in ("", "exponential")]
AT_HAND = [pytest.param(*p, marks=pytest.mark.long if p[0] == "twisted_mass" else ()) for p in EVEN_ODD]
SIMD, OF_ANY_LANES = (8, 16, 64), ["wilson", "clover", "staggered"]
FORMS = ("asymmetric", "symmetric")
STORAGES = [("wilson", Storage(rows, per_site)) for rows in (2, 3) for per_site in (1, 2)]
STORAGES += [("staggered", Storage(3, 2)), ("laplace", Storage(3, 2))]
ADJOINTS = [("SU(2)", PLANE, *pair) for pair in VARIANTS]
ADJOINTS += [("SU(3)", SPACETIME, kind, "") for kind in ("wilson", "twisted_clover", "staggered")]
ENDINGS = [("wilson", 1, name) for name in ("norm", "norm and dot", "shift and dot", "residual", "shift and residual")]
COMBINED = ("normal", "shifted", "nested", "schur")
BOTH_ENDINGS = ("norm and dot", "shift and residual")
ENDINGS += [(A, 1, name) for A in ("staggered", "laplace", *COMBINED) for name in BOTH_ENDINGS]
ENDINGS += [("wilson", 3, name) for name in BOTH_ENDINGS]


def usual_cases():
    """Every sample on SU(2) planes, every kind on SU(3) in four dimensions, some elsewhere; the rest is long."""
    systems = [("U(1)", PLANE), ("SU(2)", PLANE), ("SU(3)", PLANE)]
    systems += [(f"SU({n})", SPACETIME) for n in (2, 3, 4)] + [("SU(2)", (4, 4, 4))]
    wilson, clover, staggered = ((kind, "") for kind in ("wilson", "clover", "staggered"))
    every = [(kind, "") for kind in KINDS]
    usual = {
        ("U(1)", PLANE, "double"): [wilson, clover, staggered],
        ("SU(2)", PLANE, "double"): VARIANTS,
        ("SU(2)", PLANE, "single"): every,
        ("SU(3)", PLANE, "double"): [wilson, staggered],
        ("SU(2)", (4, 4, 4), "double"): [staggered, ("laplace", "")],
        ("SU(2)", SPACETIME, "double"): [wilson],
        ("SU(3)", SPACETIME, "double"): every,
        ("SU(3)", SPACETIME, "single"): [wilson, clover],
        ("SU(4)", SPACETIME, "double"): [wilson, staggered],
    }
    for (group, shape), precision, pair in itertools.product(systems, ("double", "single"), VARIANTS):
        if len(shape) == 3 and (pair in WILSON_LIKE or pair[1] == "spinors"):
            continue
        at_hand = pair in usual.get((group, shape, precision), [])
        yield pytest.param(group, shape, precision, *pair, marks=() if at_hand else pytest.mark.long)


CASES = list(usual_cases())


@pytest.fixture(scope="module", autouse=True)
def kernels():
    compile_ahead(use_everything)


def use_everything():
    """What the tests below do with operators, so that their kernels are there."""
    for case in CASES:
        if not case.marks:
            use(at_precision(*case.values)[1])
    for case in ADJOINTS:
        use(at_precision(*case[:2], "double", *case[2:])[1], "adjoint")
    for kind, storage in STORAGES:
        use(stored(kind, storage)[1])
    for kind in KINDS:
        use(operator(kind), copies=3)
    for kind, size in itertools.product(OF_ANY_LANES, SIMD):
        with simd(size):
            use(operator(kind))
    Q = operator("wilson").gamma5_form
    for A in (Q, Normal(Q.operator), Shifted(Q.operator, 0.3), Normal(Shifted(Q.operator, 0.3), 0.4)):
        use(A)
        use(A, "adjoint")
    for pair, form in itertools.product(AT_HAND, FORMS):
        S = SchurOperator(operator(*pair.values), form)
        if pair.marks:
            continue
        for verb in ("apply", "adjoint", "source", "full_solution"):
            use(S, verb)
    for name, copies, ending in ENDINGS:
        A = ended(name)
        vectors = [A.vector(copies) for _ in range(4)]
        A.launches(vectors[0], vectors[3], finish=endings(A, *vectors[:3])[ending][0])


def use(A, verb="apply", copies=1):
    getattr(A, verb)(A.vector(copies), A.vector(copies))


def at_precision(group, shape, precision, kind, variant=""):
    """Links in double precision as numpy, and a sample's operator in any precision."""
    links = links_of(group, shape)
    return links, describe(kind, variant, len(shape)).on(gauge_field(links)).to(precision)


on_the_plane = pytest.mark.parametrize("kind, variant", VARIANTS)
wilson_on_the_plane = pytest.mark.parametrize("kind, variant", WILSON_LIKE)
every_kind = pytest.mark.parametrize("kind", KINDS)
even_odd = pytest.mark.parametrize("kind, variant", AT_HAND)
every_form = pytest.mark.parametrize("form", FORMS)


# ---- the formula


def test_every_operator_has_a_formula_and_samples_of_all_its_fields():
    assert set(KINDS) == set(FORMULAS) == set(SAMPLES)
    for kind in KINDS:
        sampled = {"boundary", "twist"}.union(*SAMPLES[kind].values())
        assert set(vars(class_of(kind)).get("__annotations__", {})) <= sampled, kind


@pytest.mark.parametrize("group, shape, precision, kind, variant", CASES)
def test_the_operator_is_that_of_the_formula(group, shape, precision, kind, variant):
    links, D = at_precision(group, shape, precision, kind, variant)
    psi = fill(D.vector())
    assert_close(D.apply(psi), formula(D.description, links, psi.to_numpy()), TOLERANCE[precision])


@pytest.mark.parametrize("group, shape, kind, variant", ADJOINTS)
def test_the_adjoint_is_the_adjoint(group, shape, kind, variant):
    _, D = at_precision(group, shape, "double", kind, variant)
    phi, psi = fill(D.vector(), 1), fill(D.vector(), 2)
    scale = np.linalg.norm(phi.to_numpy()) * np.linalg.norm(psi.to_numpy())
    assert abs(inner(phi, D.apply(psi)) - inner(D.adjoint(phi), psi)) < 1e-13 * scale


@wilson_on_the_plane
def test_gamma5_turns_the_operator_into_its_adjoint_of_opposite_twisted_mass(kind, variant):
    D = operator(kind, variant)
    opposite = {"mu": -D.description.mu} if hasattr(D.description, "mu") else {}
    E = operator(kind, variant, **opposite)
    psi = fill(D.vector())
    turned = E.vector().from_numpy(dirac.times_gamma5(psi.to_numpy()))
    assert_close(dirac.times_gamma5(E.apply(turned).to_numpy()), D.adjoint(psi))


@wilson_on_the_plane
def test_the_gamma5_form_is_gamma5_d_and_its_adjoint_d_dagger_gamma5(kind, variant):
    D = operator(kind, variant)
    Q, psi = D.gamma5_form, fill(D.vector())
    assert_close(Q.apply(psi), dirac.times_gamma5(D.apply(psi).to_numpy()))
    turned = D.vector().from_numpy(dirac.times_gamma5(psi.to_numpy()))
    assert_close(Q.adjoint(psi), D.adjoint(turned))


def test_staggered_less_its_mass_is_antihermitian_and_flips_the_parity():
    D = operator("staggered")
    psi, m, even = fill(D.vector()), D.description.mass, dirac.even_sites(PLANE)[..., None]
    hop = D.apply(psi).to_numpy() - m * psi.to_numpy()
    assert_close(D.adjoint(psi).to_numpy() - m * psi.to_numpy(), -hop)
    there = D.apply(D.vector().from_numpy(psi.to_numpy() * even)).to_numpy()
    assert np.array_equal(there * even, m * psi.to_numpy() * even)


@on_the_plane
def test_the_operator_is_gauge_covariant(kind, variant):
    U = gauge_field(links_of("SU(2)", PLANE))
    D = describe(kind, variant).on(U)
    psi, out = fill(D.vector()), D.vector()
    before = D.apply(psi, out).to_numpy()
    g = gauge.random_transformation(U, Random(3))
    gauge.transform(U, g)
    turned = D.vector().from_numpy(dirac.gauge_transform_vector(g.to_numpy(), psi.to_numpy()))
    assert_close(D.apply(turned, out), dirac.gauge_transform_vector(g.to_numpy(), before))


def test_an_operator_follows_its_gauge_field():
    """Also where launches were prepared before: stored links, clover blocks, and those in single precision."""
    links = links_of("SU(2)", PLANE, seed=8)
    for kind in KINDS:
        D = operator(kind)
        used = [(E, fill(E.vector()), E.vector()) for E in (D, D.to("single"), Normal(D))]
        for E, psi, out in used:
            E.apply(psi, out)
        D.U.from_numpy(links)
        for E, psi, out in used[:2]:
            assert_close(E.apply(psi, out), formula(D.description, links, psi.to_numpy()), TOLERANCE[E.precision])
        _, psi, out = used[2]
        assert_close(used[2][0].apply(psi, out), D.adjoint(D.apply(psi)))


# ---- exact cases


@pytest.mark.parametrize("nc, shape, variant", [(2, PLANE, ""), (2, PLANE, "anisotropic"), (3, SPACETIME, "")])
def test_plane_waves_have_the_symbol_of_the_wilson_operator(nc, shape, variant):
    ndim = len(shape)
    d = describe("wilson", variant, ndim)
    D = d.on(gauge.unit(Lattice(shape), f"SU({nc})"))
    mode, boundary = (1, 3, 2, 1)[:ndim], phases(d, ndim)
    weights = [d.nu / d.anisotropy] * (ndim - 1) + [1.0]
    symbol = free_fermions.wilson_symbol(free_fermions.momenta(shape, boundary), d.mass, weights)
    wave = free_fermions.plane_wave(shape, boundary, mode)[..., None, None]
    v = np.random.default_rng(2).normal(size=(len(symbol[(0,) * ndim]), nc))
    expected = wave * (symbol[tuple(reversed(mode))] @ v)
    assert_close(D.apply(D.vector().from_numpy(wave * v)), expected)


@pytest.mark.parametrize("kind", ["staggered", "laplace"])
def test_plane_waves_have_the_squares_of_the_free_operator(kind):
    d = describe(kind)
    D, boundary = d.on(gauge.unit(Lattice(PLANE), "SU(2)")), phases(describe(kind), 2)
    p = free_fermions.momenta(PLANE, boundary)[:, 3, 1]
    wave = free_fermions.plane_wave(PLANE, boundary, (1, 3))[..., None] * np.array([1.0, 2.0])
    psi = D.vector().from_numpy(wave)
    if kind == "staggered":
        assert_close(D.adjoint(D.apply(psi)), (d.mass**2 + (np.sin(p) ** 2).sum()) * wave)
    else:
        assert_close(D.apply(psi), (d.mass_squared + (2 - 2 * np.cos(p)).sum()) * wave)


def test_the_clover_term_of_a_constant_field_has_its_sign():
    """U(1), plaquette exp(i theta): F = sin theta, sigma_xy = -sigma_3, so the term is +(csw/2) sin theta sigma_3."""
    shape, csw = PLANE, 1.3
    theta, (x, y) = 2 * np.pi * 3 / np.prod(shape), dirac.coordinates(shape)
    links = np.ones((2, *reversed(shape), 1, 1), complex)
    links[1, ..., 0, 0] = np.exp(1j * theta * x)
    links[0, :, -1, 0, 0] = np.exp(-1j * theta * shape[0] * y[:, -1])
    assert np.allclose(paths.product(links, [(0, 1), (1, 1), (0, -1), (1, -1)]), np.exp(1j * theta))
    U = gauge_field(links)
    plain, clover = describe("wilson").on(U), describe("clover", csw=csw).on(U)
    psi = fill(plain.vector())
    term = csw / 2 * np.sin(theta) * np.array([[1], [-1]])
    assert_close(clover.apply(psi).to_numpy() - plain.apply(psi).to_numpy(), term * psi.to_numpy(), 1e-12)


# ---- ways to store links and vectors


def stored(kind, storage):
    links, D = at_precision("SU(3)", PLANE, "double", kind)
    return links, type(D)(D.description, D.U, storage=storage)


@pytest.mark.parametrize("kind, storage", STORAGES, ids=str)
def test_all_ways_to_store_links_give_the_same_operator(kind, storage):
    links, D = stored(kind, storage)
    psi = fill(D.vector())
    assert_close(D.apply(psi), formula(D.description, links, psi.to_numpy()))


@every_kind
def test_right_hand_sides_have_the_bits_of_single_ones(kind):
    D = operator(kind)
    many, one = fill(D.vector(3)), D.vector()
    together = D.apply(many).to_numpy()
    for k, values in enumerate(many.to_numpy()):
        assert np.array_equal(D.apply(one.from_numpy(values)).to_numpy(), together[k])


@pytest.mark.parametrize("replicas", [2, 3])
@every_kind
def test_replicas_have_the_bits_of_single_systems(kind, replicas):
    """With two of them lanes are replicas, with three they are not."""
    links = np.array([links_of("SU(2)", PLANE, seed) for seed in range(replicas)])
    D = describe(kind).on(gauge_field(links, Lattice(PLANE, replicas=replicas)))
    psi = fill(D.vector())
    together = D.apply(psi).to_numpy()
    for one, values, found in zip(links, psi.to_numpy(), together):
        E = describe(kind).on(gauge_field(one))
        assert np.array_equal(E.apply(E.vector().from_numpy(values)).to_numpy(), found)


@pytest.mark.parametrize("kind", OF_ANY_LANES)
def test_numbers_of_any_lanes_have_the_same_bits(kind):
    found = []
    for size in SIMD:
        with simd(size):
            D = operator(kind)
            found.append(D.apply(fill(D.vector())).to_numpy())
    assert all(np.array_equal(one, found[0]) for one in found)


@pytest.mark.parametrize("kind", ["wilson", "clover", "staggered", "laplace"])
def test_nothing_comes_from_beyond_an_open_end(kind):
    links = links_of("SU(2)", PLANE)
    links[1, -1] = 0
    d = describe(kind, boundary=(-1, 1), twist=(0.4, 0.0))
    D = d.on(gauge_field(links, Lattice(PLANE, boundary=("periodic", "open"))))
    psi = fill(D.vector())
    assert_close(D.apply(psi), formula(d, links, psi.to_numpy()))


# ---- parts and combinations


@even_odd
def test_the_inverse_of_the_site_term_is_its_inverse(kind, variant):
    D = operator(kind, variant)
    for dagger in (False, True):
        psi, there, back = fill(D.vector()), D.vector(), D.vector()
        D.on_sites(D.site_term(dagger), psi, there)()
        D.on_sites(D.inverse_site_term(dagger), there, back)()
        assert_close(back, psi, 1e-12)
        matrices = site_matrices(D, links_of("SU(2)", PLANE), dagger)
        expected = matrices @ psi.to_numpy().reshape(*matrices.shape[:-1], 1)
        assert_close(there, expected.reshape(psi.to_numpy().shape))


def site_matrices(D, links, dagger=False):
    """A(x), found by applying the formula to fields on the sites of one parity."""
    shape = (*reversed(PLANE), *D.kind.shape)
    size, even = int(np.prod(D.kind.shape)), dirac.even_sites(PLANE)
    matrices = np.zeros((*reversed(PLANE), size, size), complex)
    for k, parity in itertools.product(range(size), (even, ~even)):
        unit = np.zeros((*reversed(PLANE), size), complex)
        unit[parity, k] = 1
        matrices[parity, :, k] = formula(D.description, links, unit.reshape(shape)).reshape(unit.shape)[parity]
    return paths.dagger(matrices) if dagger else matrices


def block_formula(D, links, form, dagger):
    """S by its blocks as a dense matrix over even sites, and the even sites of a flat vector."""
    shape = (*reversed(PLANE), *D.kind.shape)
    dense = dirac.dense(lambda v: formula(D.description, links, v), shape)
    even = np.repeat(dirac.even_sites(PLANE).ravel(), np.prod(D.kind.shape))
    ee, eo, oe, oo = (dense[np.ix_(a, b)] for a, b in itertools.product((even, ~even), repeat=2))
    S = ee - eo @ np.linalg.solve(oo, oe)
    S = S if form == "asymmetric" else np.linalg.solve(ee, S)
    return (S.conj().T if dagger else S), even


@even_odd
@every_form
def test_the_even_odd_form_is_that_of_the_blocks(kind, variant, form):
    links, D = at_precision("SU(2)", PLANE, "double", kind, variant)
    S = SchurOperator(D, form)
    psi = fill(S.vector())
    for dagger in (False, True):
        matrix, even = block_formula(D, links, form, dagger)
        found = S.apply(psi, dagger=dagger).to_numpy().ravel()[even]
        assert_close(found, matrix @ psi.to_numpy().ravel()[even], 1e-12)


@even_odd
@every_form
def test_the_even_odd_system_has_the_solution_of_the_full_one(kind, variant, form):
    links, D = at_precision("SU(2)", PLANE, "double", kind, variant)
    S, x = SchurOperator(D, form), fill(D.vector())
    b = D.vector().from_numpy(formula(D.description, links, x.to_numpy()))
    even = dirac.even_sites(PLANE).reshape(*reversed(PLANE), *[1] * len(D.kind.shape))
    assert_close(S.source(b, D.vector()).to_numpy() * even, S.apply(x).to_numpy() * even, 1e-12)
    half = D.vector().from_numpy(x.to_numpy() * even)
    assert_close(S.full_solution(half, b), x, 1e-12)


def test_the_normal_operator_and_shifts():
    D = operator("wilson")
    psi = fill(D.vector())
    square = D.adjoint(D.apply(psi)).to_numpy()
    assert_close(Normal(D).apply(psi), square)
    for A in (Normal(D, 0.3), shifted(Normal(D), 0.3), shifted(Normal(D, 0.2), 0.1), Shifted(Normal(D, 0.2), 0.1)):
        assert A.hermitian
        assert_close(A.apply(psi), square + 0.3 * psi.to_numpy())
    once = D.apply(psi).to_numpy() + 0.3 * psi.to_numpy()
    assert_close(shifted(D, 0.3).apply(psi), once)
    assert_close(shifted(shifted(D, 0.1), 0.2).apply(psi), once)
    E = Shifted(D, 0.3)
    assert_close(Normal(E, 0.4).apply(psi), E.adjoint(E.apply(psi)).to_numpy() + 0.4 * psi.to_numpy())


def test_which_operators_are_positive():
    U = gauge_field(links_of("SU(2)", PLANE))
    free = Laplace(mass_squared=0.0, boundary=(1, 1)).on(U)
    assert not free.hermitian and shifted(free, 0.1).hermitian
    assert not shifted(Laplace(mass_squared=-0.3, boundary=(1, 1)).on(U), 0.1).hermitian
    assert not describe("wilson").on(U).hermitian and not shifted(describe("wilson").on(U), 1.0).hermitian
    assert SchurOperator(describe("staggered").on(U)).hermitian
    assert not SchurOperator(describe("staggered", mass=-0.1).on(U)).hermitian


# ---- what becomes of the result


def endings(A, psi, left, r):
    """name -> (Finish, what it leaves, sums by name and copy): what a kernel can do with its result q."""
    q, w = A.apply(psi).to_numpy(), left.to_numpy()
    moved, rest = q + 0.7 * w, r.to_numpy()
    after, moved_after = rest - 1.5 * q, rest - 1.5 * moved

    def products(a, b):
        return [inner(x, y) for x, y in zip(a.reshape(psi.copies, -1), b.reshape(psi.copies, -1))]

    dot, moved_dot = np.array(products(w, q)), np.array(products(w, moved))
    norm, after_norm, moved_norm = (np.real(products(v, v)) for v in (q, after, moved_after))
    return {
        "norm": (Finish(norm=True), q, [norm]),
        "norm and dot": (Finish(norm=True, dot=True, left=left), q, [norm, dot.real, dot.imag]),
        "shift and dot": (Finish(dot=True, left=left, shift=0.7), moved, [moved_dot.real, moved_dot.imag]),
        "residual": (Finish(residual=r), after, [after_norm]),
        "shift and residual": (Finish(residual=r, left=left, shift=0.7), moved_after, [moved_norm]),
    }


def ended(name):
    wilson = operator("wilson")
    combined = {"normal": Normal(wilson, 0.4), "shifted": Shifted(wilson, 0.4), "schur": SchurOperator(wilson)}
    combined |= {"nested": Normal(Shifted(wilson, 0.2), 0.4)}
    return combined[name] if name in combined else operator(name)


@pytest.mark.parametrize("name, copies, ending", ENDINGS)
def test_endings_of_kernels_are_the_linear_algebra_of_numpy(name, copies, ending):
    A = ended(name)
    psi, left, r = (fill(A.vector(copies), seed) for seed in (1, 2, 3))
    if A.parity is not None:
        for field in (psi, left, r):
            field.from_numpy(field.to_numpy() * dirac.even_sites(PLANE)[..., None, None])
    finish, target, sums = endings(A, psi, left, r)[ending]
    out, numbers = A.vector(copies), Numbers(A.lattice, copies, 1)
    numbers.write(0, 1.5)
    for launch in A.launches(psi, out, finish=finish, numbers=numbers):
        found = launch()
    assert_close(r if finish.residual else out, target, 1e-12)
    assert list(found.values()) == pytest.approx(np.ravel(sums), rel=1e-12, abs=1e-10)


# ---- what is refused


def refused(make, match):
    with pytest.raises((LqcdError, ValueError), match=match) as caught:
        make()
    assert str(caught.value).strip()


def on_unit(description, shape=PLANE, **lattice):
    return lambda: description.on(gauge.unit(Lattice(shape, **lattice), "SU(2)"))


@every_kind
def test_phases_need_a_direction_that_goes_around(kind):
    for changes in ({"boundary": (1, -1), "twist": None}, {"boundary": (1, 1), "twist": (0.0, 0.1)}):
        refused(on_unit(describe(kind, **changes), boundary=("periodic", "open")), "direction 1 is open")
    describe(kind, boundary=(-1, 1), twist=None).on(gauge.unit(Lattice(PLANE, boundary=("periodic", "open"))))


@every_kind
def test_phases_are_one_for_each_direction_and_signs(kind):
    refused(on_unit(describe(kind, boundary=(1, 1, -1), twist=None)), "boundary = .* 2 directions")
    refused(on_unit(describe(kind, twist=(0.1,))), "twist = .* 2 directions")
    refused(lambda: describe(kind, boundary=(1, 2)), "boundary")
    with pytest.raises((LqcdError, ValueError), match="boundary"):
        class_of(kind)(**SAMPLES[kind][""])


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in WILSON_LIKE}))
def test_wilson_operators_need_two_or_four_dimensions(kind):
    refused(on_unit(describe(kind, ndim=3), (4, 4, 4)), "2 or 4 dimensions, not 3")
    refused(lambda: describe(kind, kappa=0.1, mass=0.1), "either kappa or mass")
    refused(lambda: describe(kind, kappa=0.0, mass=None), "kappa = 0")


def test_what_else_an_operator_does_not_have():
    refused(on_unit(describe("staggered"), (4, 5)), "even extents")
    refused(on_unit(describe("laplace", directions=(2,))), "directions = ")
    refused(on_unit(describe("laplace", directions=(0, 0))), "directions = ")
    refused(on_unit(describe("laplace", ndim=3, spinors=True), (4, 4, 4)), "2 or 4 dimensions")
    refused(on_unit(describe("clover", mass=-2.0, exponential=True)), "needs m0")
    refused(lambda: describe("clover", csw_r=1.0), "either csw")
    refused(lambda: describe("clover", csw=None), "either csw")
    refused(lambda: describe("clover", csw=None, csw_r=1.0), "come together")
    refused(lambda: SchurOperator(operator("laplace")), "no even-odd form")
    refused(lambda: SchurOperator(operator("wilson"), "half"), 'choose "asymmetric"')
    odd = Wilson(mass=0.1, boundary=(1, 1)).on(gauge.unit(Lattice((4, 5))))
    refused(lambda: SchurOperator(odd), "even extents")


@pytest.mark.parametrize("replicas", [1, 2])
def test_even_odd_forms_refuse_singular_blocks(replicas):
    U = gauge.unit(Lattice(PLANE, replicas=replicas), "SU(2)")
    singular = [
        Wilson(mass=-2.0, boundary=(1, 1)),
        Staggered(mass=0.0, boundary=(1, 1)),
        Clover(mass=-2.0, csw=1.0, boundary=(1, 1)),
        describe("twisted_mass", mass=-2.0, mu=0.0),
        describe("twisted_clover", mass=-2.0, mu=0.0),
    ]
    for description in singular:
        D = description.on(U)
        D.apply(D.vector())
        refused(lambda D=D: SchurOperator(D), "singular")


def test_vectors_must_be_those_of_the_operator():
    D = operator("wilson")
    other = operator("staggered")
    refused(lambda: D.apply(other.vector()), r"acts on spinors .* make one with .vector\(\)")
    refused(lambda: D.apply(D.to("single").vector()), "precision")
    refused(lambda: D.apply(operator("wilson").vector()), "of its lattice")
    refused(lambda: D.apply(operator("wilson", group="SU(3)").vector()), "acts on")
    refused(lambda: D.apply(np.ones(3)), "acts on")
    refused(lambda: D.apply(D.vector(), D.vector(2)), "right-hand sides")
    refused(lambda: D.apply(D.vector(), D.to("single").vector()), "precision")
    psi = D.vector()
    refused(lambda: D.apply(psi, psi), "must not also be given")


def test_a_description_is_a_frozen_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        describe("wilson").mass = 1.0
    assert describe("wilson") == describe("wilson") and hash(describe("clover"))
    assert kinds.spinors(2, 2).shape == (2, 2) and operator("wilson").kind.shape == (2, 2)
