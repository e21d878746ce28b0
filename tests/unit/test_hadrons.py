"""Sources, hadron correlators and the condensate: against numpy, published numbers, and what symmetry demands."""

from pathlib import Path

import numpy as np
import pytest
from reference import dirac, hadrons

from lqcd_hpc import Field, Lattice, LqcdError, Random, config, gauge, load
from lqcd_hpc.backend.program import RandomKey
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.launch import Kernel, in_
from lqcd_hpc.fields.noise import draw_signs
from lqcd_hpc.measurements.condensate import Condensate
from lqcd_hpc.measurements.propagator import Propagator
from lqcd_hpc.measurements.quarks import time_slices
from lqcd_hpc.measurements.spectrum import Spectrum, meson_names
from lqcd_hpc.measurements.staggered_pion import StaggeredPion
from lqcd_hpc.operators.staggered import Staggered
from lqcd_hpc.operators.wilson import Wilson
from lqcd_hpc.solvers.cg import CG
from lqcd_hpc.solvers.normal import NormalCG
from lqcd_hpc.solvers.schur import Schur
from lqcd_hpc.sources.gaussian import Gaussian
from lqcd_hpc.sources.point import Point
from lqcd_hpc.sources.wall import Wall

CONFIGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "configs"
needs_configs = pytest.mark.skipif(not CONFIGS.exists(), reason="the public configurations are not beside the project")
TIME = (1, 1, 1, -1)
NORMAL, STAGGERED_SOLVER = Schur(NormalCG(tol=1e-12)), Schur(CG(tol=1e-12))
ORIGIN = Point(position=(0, 0, 0, 0))
BOTH = ("mesons", "nucleon")


def random_propagator(shape, nc, seed=1):
    """A field of random columns, and the same numbers in the order of the reference."""
    lattice = Lattice(shape)
    kind = kinds.spinors(nc, len(shape))
    size = kind.shape[0] * nc
    S = Field(lattice, kind, copies=size)
    values = np.random.default_rng(seed).normal(size=(*S.to_numpy().shape, 2)) @ [1, 1j]
    S.from_numpy(values)
    return S, np.moveaxis(values, 0, -1).reshape(*values.shape[1:], *kind.shape)


# ---- contractions


@pytest.mark.parametrize(("shape", "nc"), [((4, 4, 4, 4), 3), ((4, 8), 2), ((8, 6), 1)])
def test_mesons_of_all_gamma_matrices_are_those_of_the_textbook(shape, nc):
    S, reference = random_propagator(shape, nc)
    names = meson_names(len(shape))
    found = time_slices(Kernel("hadrons.h", "mesons", (nc, len(shape)), (in_("S"),), sums=names), S=S)
    expected = hadrons.mesons(reference).real
    scale = np.abs(reference**2).sum()
    for name, row in zip(names, expected):
        np.testing.assert_allclose(found[name], row, atol=1e-14 * scale, err_msg=name)
    np.testing.assert_allclose(found["pseudoscalar"], hadrons.norm_correlator(reference), rtol=1e-13)


def test_the_nucleon_is_that_of_the_textbook():
    S, reference = random_propagator((4, 4, 4, 4), 3)
    found = time_slices(Kernel("hadrons.h", "nucleon", (), (in_("S"),), sums=("nucleon",)), S=S)["nucleon"]
    np.testing.assert_allclose(found, hadrons.nucleon(reference, reference).real, rtol=1e-11)


def test_mesons_are_named_after_their_gamma_matrices():
    names = meson_names(4)
    assert names[0] == "scalar" and names[15] == "pseudoscalar" and len(set(names)) == 16
    assert [names[1 << mu] for mu in range(4)] == ["vector_x", "vector_y", "vector_z", "vector_t"]
    assert names[0b0011] == "tensor_xy" and names[0b0111] == "axial_t" and names[0b1110] == "axial_x"


# ---- published numbers


WEAK_FIELD = {
    0.11: [
        0.694933018702, 0.0370980388016, 0.00800041400186, 0.00306009174986, 0.00205689989202, 0.0030577221801,
        0.00799671628465, 0.0370952428222,
    ],
    0.125: [
        0.868651563145, 0.0900318582873, 0.0488337484384, 0.0424814387231, 0.0412472297479, 0.0424788299243,
        0.0488400836433, 0.0900161116357,
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def weak_field():
    if not CONFIGS.exists():
        pytest.skip("the public configurations are not beside the project")
    return load(CONFIGS / "weak_field.lime")[0]


@pytest.fixture(scope="module")
def testconf():
    if not CONFIGS.exists():
        pytest.skip("the public configurations are not beside the project")
    return load(CONFIGS / "testconf.txt", Lattice((4, 4, 4, 4)))[0]


def pion(U, kappa, source=ORIGIN):
    operator = Wilson(kappa=kappa, boundary=TIME)
    return Spectrum(operator=operator, solver=NORMAL, source=source, hadrons=("mesons",)).on(U)()["pseudoscalar"]


@pytest.mark.parametrize("kappa", WEAK_FIELD)
def test_the_wilson_pion_of_the_weak_field(kappa, weak_field):
    np.testing.assert_allclose(pion(weak_field, kappa), WEAK_FIELD[kappa], rtol=1e-9)


def test_the_gaussian_source_is_that_of_chroma(weak_field):
    found = pion(weak_field, 0.11, Gaussian(position=(0, 0, 0, 0), width=2.0, steps=5))
    np.testing.assert_allclose(found[:2], [0.191060735251, 0.0158201996356], rtol=1e-10)
    np.testing.assert_allclose(found[:5], [0.191061, 0.0158202, 0.00611666, 0.00281238, 0.00196224], rtol=3e-6)


def test_the_wilson_pion_of_testconf(testconf):
    kappa = 0.141139
    found = pion(testconf, kappa) / (2 * kappa) ** 2  # published for D = 1 - kappa H
    np.testing.assert_allclose(found, [15.07580957, 1.24904953, 0.49151911, 1.29535847], rtol=1e-8)


def test_the_staggered_pion_of_testconf(testconf):
    one = StaggeredPion(operator=Staggered(mass=0.5, boundary=TIME), solver=STAGGERED_SOLVER, source=ORIGIN)
    np.testing.assert_allclose(one.on(testconf)()["pion"], [1.54695942, 0.32645895, 0.08634701, 0.30470231], rtol=1e-7)


def test_the_staggered_condensate_of_testconf(testconf, figure):
    exact, operator = 1.143244820650, Staggered(mass=0.5, boundary=TIME)
    found = Condensate(operator=operator, solver=Schur(CG(tol=1e-10)), sources=24, seed=1).on(testconf)()
    figure("Tr D^-1/V, testconf", found["condensate"], found["condensate_error"], exact)
    assert found["condensate_error"] < 0.02
    assert abs(found["condensate"] - exact) < 3 * found["condensate_error"]


# ---- sources


def staggered(shape=(4, 4, 4, 4)):
    return Staggered(mass=0.5, boundary=(*[1] * (len(shape) - 1), -1)).on(gauge.hot(Lattice(shape), Random(2)))


def test_a_point_source_is_one_number_in_every_column():
    b = Point(position=(1, 0, 3, 2)).on(staggered())().to_numpy()
    expected = np.zeros((3, 4, 4, 4, 4, 3))
    expected[range(3), 2, 3, 0, 1, range(3)] = 1
    assert np.array_equal(b, expected)


def test_a_wall_source_fills_its_time_slice():
    b = Wall(time_slice=3).on(staggered())().to_numpy()
    expected = np.zeros((3, 4, 4, 4, 4, 3))
    expected[range(3), 3, ..., range(3)] = 1
    assert np.array_equal(b, expected)


@pytest.mark.parametrize("description", [Wilson(mass=0.5, boundary=(-1, 1, 1, -1)), Staggered(mass=0.5, boundary=TIME)])
def test_a_gaussian_source_is_a_power_of_the_laplacian(description):
    U = gauge.hot(Lattice((4, 4, 4, 4)), Random(2))
    D = description.on(U)
    width, steps, place = 1.5, 3, (1, 0, 3, 2)
    b = Gaussian(position=place, width=width, steps=steps).on(D)().to_numpy()
    links = U.to_numpy()
    for column, start in zip(b, Point(position=place).on(D)().to_numpy()):
        for _ in range(steps):
            minus_delta = dirac.laplace(links, start, 0.0, description.boundary, range(3))
            start = start - width**2 / (4 * steps) * minus_delta
        np.testing.assert_allclose(column, start, atol=1e-14)


def test_hadrons_do_not_depend_on_where_the_source_lies():
    """Shifted links with a shifted source: also the sign of a nucleon that has gone around the lattice."""
    U = gauge.hot(Lattice((4, 4, 4, 8)), Random(3))
    place, operator = (1, 2, 0, 5), Wilson(mass=0.5, boundary=TIME)

    def measured(U, position):
        source = Gaussian(position=position, width=1.0, steps=2)
        return Spectrum(operator=operator, solver=NORMAL, source=source, hadrons=BOTH).on(U)()

    first = measured(U, place)
    V = U.like().from_numpy(np.roll(U.to_numpy(), [-x for x in place], axis=(4, 3, 2, 1)))
    second = measured(V, (0, 0, 0, 0))
    for name in (*meson_names(4), "nucleon"):
        largest = abs(second[name]).max()
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6, atol=1e-9 * largest, err_msg=name)


# ---- the condensate


def test_noise_is_signs_that_depend_on_seed_step_and_number():
    U = gauge.unit(Lattice((4, 4, 4, 4)))
    eta = Wilson(mass=0.5, boundary=TIME).on(U).vector(copies=12)
    draw_signs(eta, RandomKey(1, 0, 0))
    first = eta.to_numpy()
    assert np.array_equal(first**2, np.ones_like(first)) and abs(first.mean()) < 4 / np.sqrt(first.size)
    overlaps = np.einsum("atzyxsc,btzyxsc->ab", first, first).real / first[0].size
    assert np.abs(overlaps - np.eye(12)).max() < 5 / np.sqrt(first[0].size)
    draw_signs(eta, RandomKey(1, 0, 0), first=3)
    assert np.array_equal(eta.to_numpy()[0], first[3])
    for key in (RandomKey(2, 0, 0), RandomKey(1, 1, 0), RandomKey(1, 0, 1)):
        draw_signs(eta, key)
        assert abs((eta.to_numpy() * first).mean()) < 4 / np.sqrt(first.size)


@pytest.mark.parametrize("quark", ["wilson", "staggered"])
def test_the_condensate_is_the_mean_over_its_noise(quark):
    U = gauge.hot(Lattice((4, 4, 4, 4)), Random(2))
    links = U.to_numpy()
    if quark == "wilson":
        description, solver = Wilson(mass=1.0, boundary=TIME), NORMAL
        matrix = lambda psi: dirac.wilson(links, psi, 1.0, TIME)  # noqa: E731
    else:
        description, solver = Staggered(mass=1.0, boundary=TIME), STAGGERED_SOLVER
        matrix = lambda psi: dirac.staggered(links, psi, 1.0, TIME)  # noqa: E731
    found = Condensate(operator=description, solver=solver, sources=2, seed=5, stream=1).on(U).at(7)
    eta = description.on(U).vector(copies=2)
    draw_signs(eta, RandomKey(5, 1, 7))
    values = [np.vdot(one, dirac.solve(matrix, one)).real / 256 for one in eta.to_numpy()]
    assert found["condensate"] == pytest.approx(np.mean(values), rel=1e-11)
    assert found["condensate_error"] == pytest.approx(abs(values[0] - values[1]) / 2, rel=1e-9)


# ---- files and runs


def test_a_propagator_file_holds_the_solution_of_every_column(tmp_path):
    from lqcd_hpc.io.sitefields import read_fields

    U = gauge.hot(Lattice((4, 4, 4, 4)), Random(2))
    operator = Staggered(mass=1.0, boundary=TIME)
    columns = Propagator(operator=operator, solver=STAGGERED_SOLVER, source=ORIGIN).on(U).at(12, tmp_path)
    fields, metadata = read_fields(tmp_path / "propagators" / "propagator_00000012.h5", U.lattice)
    values = fields["propagator"].values
    links = U.to_numpy()
    for column, source in zip(values, ORIGIN.on(operator.on(U))().to_numpy()):
        np.testing.assert_allclose(dirac.staggered(links, column, 1.0, TIME), source, atol=1e-11)
    np.testing.assert_allclose(columns["norm"], np.sum(np.abs(values) ** 2, axis=(0, 2, 3, 4, 5)), rtol=1e-12)
    assert metadata["step"] == 12 and "mass=1.0" in metadata["operator"] and metadata["residual"] < 1e-12


RUN = """
[source]
files = ["{file}"]

[measure.hadrons]
kind = "spectrum"
operator = {{ kind = "wilson", kappa = 0.11, boundary = [1, 1, 1, -1] }}
solver = {{ kind = "schur", inner = {{ kind = "normal", tol = 1e-12 }} }}
source = {{ kind = "point", position = [0, 0, 0, 0] }}
hadrons = ["mesons"]

[output]
directory = "{folder}"
"""


@needs_configs
def test_a_run_file_measures_hadrons_and_draws_them(tmp_path):
    from lqcd_hpc.analysis import read_measurements
    from lqcd_hpc.run import execute

    path = tmp_path / "run.toml"
    path.write_text(RUN.format(file=CONFIGS / "weak_field.lime", folder=tmp_path / "out"))
    folder = execute(path, say=lambda text: None)
    table = read_measurements(folder).tables["hadrons"]
    assert table.kind == "spectrum" and table.time.tolist() == list(range(8))
    np.testing.assert_allclose(table.columns["pseudoscalar"][0], WEAK_FIELD[0.11], rtol=1e-9)
    assert "correlators and effective masses of π, ρ" in (folder / "report.html").read_text()


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "jobs").glob("*.toml")), ids=lambda p: p.name)
def test_the_run_files_of_the_package_are_right(path):
    config.load(path)


# ---- mistakes


GOOD = {
    "kind": "spectrum",
    "operator": {"kind": "wilson", "mass": 0.5, "boundary": [1, 1, 1, -1]},
    "solver": {"kind": "schur", "inner": {"kind": "normal", "tol": 1e-8}},
    "source": {"kind": "point", "position": [0, 0, 0, 0]},
    "hadrons": ["mesons"],
}
MISTAKES = {
    "source kind": ({"source": {"kind": "piont", "position": [0] * 4}}, r"s.source\] kind = 'piont' .* 'point'"),
    "operator kind": ({"operator": {"kind": "wilso"}}, r"measure.s.operator\] kind = 'wilso' .* 'wilson'"),
    "solver kind": ({"solver": {"kind": "schur", "inner": {"kind": "gc"}}}, r"s.solver.inner\] kind = 'gc' is unknown"),
    "key": ({"operator": {"kind": "wilson", "mas": 0.5, "boundary": [1]}}, r"unknown key 'mas'; did you mean 'mass'"),
    "missing inner solver": ({"solver": {"kind": "schur"}}, r"measure.s.solver\] lacks inner"),
    "no source": ({"source": None}, r"measure.s\] lacks source"),
    "an operator that is no table": ({"operator": "wilson"}, r"operator = 'wilson'.*give a table with a kind"),
    "position outside": ({"source": {"kind": "point", "position": [0, 0, 0, 4]}}, r"\[0, 0, 0, 4\] lies outside"),
    "too few coordinates": ({"source": {"kind": "point", "position": [0, 0]}}, r"give 4 coordinates"),
    "negative coordinate": ({"source": {"kind": "point", "position": [0, 0, 0, -1]}}, r"greater than or equal to 0"),
    "wall outside": ({"source": {"kind": "wall", "time_slice": 4}}, r"time_slice = 4: choose one of 0 .. 3"),
    "width": ({"source": {"kind": "gaussian", "position": [0] * 4, "width": 0, "steps": 2}}, r"greater than 0"),
    "hadron": ({"hadrons": ["meson"]}, r"'mesons' or 'nucleon'"),
    "no hadron": ({"hadrons": []}, r"name the hadrons"),
    "staggered spectrum": ({"operator": {"kind": "staggered", "mass": 1, "boundary": [1] * 4}}, r"staggered_pion"),
    "pion with spin": ({"kind": "staggered_pion", "hadrons": None}, r"for spinors take spectrum"),
    "no noise": ({"kind": "condensate", "source": None, "hadrons": None, "sources": 0, "seed": 1}, r"sources = 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_clear_message(mistake):
    change, message = MISTAKES[mistake]
    table = {key: value for key, value in (GOOD | change).items() if value is not None}
    U = gauge.unit(Lattice((4, 4, 4, 4)))
    with pytest.raises(LqcdError, match=message):
        config.described("measure", table, "measure.s").on(U)


@pytest.mark.parametrize(("group", "shape"), [("SU(2)", (4, 4, 4, 4)), ("SU(3)", (4, 4))])
def test_a_nucleon_needs_three_colours_and_four_dimensions(group, shape):
    table = GOOD | {"hadrons": ["mesons", "nucleon"]}
    with pytest.raises(LqcdError, match=r'take hadrons = \["mesons"\]'):
        config.described("measure", table, "measure.s").on(gauge.unit(Lattice(shape), group))


def test_a_nucleon_of_twisted_quarks_is_refused():
    twisted = {"kind": "twisted_mass", "mass": 0.5, "mu": 0.1, "boundary": [1, 1, 1, -1]}
    table = GOOD | {"operator": twisted, "hadrons": ["nucleon"]}
    with pytest.raises(LqcdError, match="both flavours"):
        config.described("measure", table, "measure.s").on(gauge.unit(Lattice((4, 4, 4, 4))))


def test_a_spectrum_in_three_dimensions_is_refused():
    with pytest.raises(LqcdError, match="2 or 4 dimensions"):
        config.described("measure", GOOD, "measure.s").on(gauge.unit(Lattice((4, 4, 4))))
