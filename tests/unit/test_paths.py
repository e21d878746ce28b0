"""Symbolic paths, staples by rule, and the path kernels, against the brute force of tests/reference."""

import numpy as np
import pytest
from reference import algebra
from reference import paths as oracle

from lqcd_hpc import Lattice, LqcdError
from lqcd_hpc.actions.loops import Loops
from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.fields import Field, kinds
from lqcd_hpc.fields.launch import prepare
from lqcd_hpc.paths.loops import loop_traces, plaquettes, rectangle, rectangles
from lqcd_hpc.paths.path import check_loop, end, extent, links, parse, reverse, staples, write
from lqcd_hpc.paths.plaquette import plaquette_planes

CHAIR, TWICE, TWISTED = "+x +y -x +z -y -z", "+x +y -x -y +x +y -x -y", "+x +z +y -x -z -y"
SPIKE = "+x +y +y -y -x -y"


def random_field(shape, nc, **lattice):
    u = algebra.random_links(shape, nc, np.random.default_rng(7), 0.7)
    return Field(Lattice(shape, **lattice), kinds.links(nc, len(shape))).from_numpy(u), u


def steps(path):
    return [(abs(s) - 1, 1 if s > 0 else -1) for s in path]


@pytest.mark.parametrize(
    "text, path",
    [
        ("+x +y -x -y", (1, 2, -1, -2)),
        ("x y -x -y", (1, 2, -1, -2)),
        ("x2 +t -x2-t", (1, 1, 4, -1, -1, -4)),
        ("+x, +z, -x, -z", (1, 3, -1, -3)),
        ((1, 2, -1, -2), (1, 2, -1, -2)),
        ("", ()),
    ],
)
def test_a_text_is_read_as_a_path(text, path):
    assert parse(text) == path
    assert parse(write(path)) == path


@pytest.mark.parametrize("text", ["+a -a", "2x", "x0", "+x +w", "x;y", "*"])
def test_a_text_that_is_no_path_is_refused(text):
    with pytest.raises(LqcdError, match="cannot read the path"):
        parse(text)


@pytest.mark.parametrize("loop, why", [("+x +y -x", "does not close"), ("+x +t -x -t", "directions"), ("", "empty")])
def test_a_path_that_is_no_loop_is_refused(loop, why):
    with pytest.raises(LqcdError, match=why):
        check_loop(parse(loop), 3)


def test_ends_and_extents():
    loop = parse("+x2 +y -x2 -y")
    assert end(loop, 2) == (0, 0) and extent(loop, 2) == (2, 1) and end(loop[:4], 2) == (1, 1)
    assert reverse(reverse(loop)) == loop
    assert extent(parse("-x +y +x +x -y -x"), 3) == (2, 1, 0)


def test_usual_loops_are_all_there_once():
    for ndim in (2, 3, 4):
        pairs = ndim * (ndim - 1)
        assert len(set(plaquettes(ndim))) == pairs // 2 and len(set(rectangles(ndim))) == pairs
        assert all(sorted(extent(r, ndim)) == [0] * (ndim - 2) + [1, 2] for r in rectangles(ndim))
    assert rectangle(1, 4, 2, 3) == (1, 1, 4, 4, 4, -1, -1, -4, -4, -4)


@pytest.mark.parametrize("loop", ["+x +y -x -y", "+x2 +y -x2 -y", CHAIR, TWICE, TWISTED, SPIKE])
def test_a_staple_closes_the_loop_through_its_link(loop):
    """Re tr U rest = Re tr loop for every occurrence; rest leads from x + mu back to x."""
    _, u = random_field((3, 4, 5), 2)
    whole = oracle.trace(oracle.product(u, steps(parse(loop)))).real.sum()
    for mu in range(3):
        found = staples(parse(loop), mu)
        assert len(found) == sum(abs(s) == mu + 1 for s in parse(loop))
        for rest in found:
            assert end((mu + 1, *rest), 3) == (0, 0, 0)
            closed = u[mu] @ oracle.product(u, steps(rest), [int(nu == mu) for nu in range(3)])
            assert oracle.trace(closed).real.sum() == pytest.approx(whole, rel=1e-12)


def test_links_of_a_path():
    assert links(parse("+x -y"), (2, 0), 2) == [(0, (2, 0), False), (1, (3, -1), True)]


@pytest.mark.parametrize("shape, nc", [((4, 8), 1), ((4, 4, 4), 2), ((4, 2, 4, 4), 3)])
def test_staples_by_rule_are_those_of_brute_force(shape, nc):
    U, u = random_field(shape, nc)
    texts = ["+x +y -x -y", "+x2 +y -x2 -y", SPIKE, TWICE] + [CHAIR, TWISTED] * (len(shape) > 2)
    terms = [(text, 0.3 + 0.5 * k) for k, text in enumerate(texts)]
    action = Loops(beta=1.0, terms=terms).on(U)
    program, field = action.staple_program(range(len(shape))), action.staple_field(len(shape))
    launch = prepare(program.kernel("path_sum", nc), tables=program.tables, staple=field, **program.fields(U))
    launch(**program.scalars)
    loops = [(c, steps(parse(text))) for text, c in terms]
    expected = [oracle.staple(u, mu, loops) for mu in range(len(shape))]
    assert np.allclose(field.to_numpy(), expected, atol=1e-12)


def brute_force(u, loops):
    """Sum over sites of tr W/Nc."""
    return sum(oracle.trace(oracle.product(u, steps(parse(loop)))).sum() for loop in loops) / u.shape[-1]


@pytest.mark.parametrize("shape, nc", [((4, 8), 1), ((4, 4, 4), 2), ((4, 2, 4, 4), 3)])
@pytest.mark.parametrize("loops", [["+x +y -x -y"], ["+x2 +y -x2 -y", TWICE], [(2, 1, -2, -1), SPIKE]])
def test_loop_traces_are_those_of_brute_force(shape, nc, loops):
    U, u = random_field(shape, nc)
    assert loop_traces(U, [loops]) == pytest.approx([brute_force(u, loops)], abs=1e-10)


def test_groups_of_loops_are_summed_apart():
    U, u = random_field((4, 4, 4), 2, replicas=1)
    groups = [[CHAIR], [TWISTED, TWICE], ["+y +z -y -z"]]
    assert loop_traces(U, groups) == pytest.approx([brute_force(u, loops) for loops in groups], abs=1e-10)


@pytest.mark.parametrize("shape, nc", [((4, 8), 1), ((4, 4, 4), 2), ((4, 2, 4, 4), 3)])
def test_the_plaquette_kernels_give_what_the_path_kernels_give(shape, nc):
    U, _ = random_field(shape, nc)
    planes = plaquette_planes(U)
    by_paths = [loop_traces(U, [[(mu + 1, nu + 1, -mu - 1, -nu - 1)]])[0] for mu, nu in planes]
    assert list(planes.values()) == pytest.approx([z.real for z in by_paths], abs=1e-10)
    hot, general = Wilson(beta=2.0).on(U), Wilson(beta=2.0).on(U)
    general.plain = False
    assert hot.plain and hot.value() == pytest.approx(general.value(), rel=1e-13)
    P, Q = (U.like(kinds.algebra(nc, len(shape))) for _ in range(2))
    hot.force(P)
    general.force(Q)
    assert np.allclose(P.to_numpy(), Q.to_numpy(), atol=1e-13)


def test_observables_of_open_lattices_are_plain_sums():
    """Only actions weigh the loops that lie in an end slice."""
    U, u = random_field((4, 4, 4), 2, boundary=("periodic", "periodic", "open"))
    u[2, -1] = 0
    U.from_numpy(u)
    planes = plaquette_planes(U)
    by_paths = loop_traces(U, [[(mu + 1, nu + 1, -mu - 1, -nu - 1)] for mu, nu in planes])
    assert [z.real for z in by_paths] == pytest.approx(list(planes.values()), abs=1e-10)
