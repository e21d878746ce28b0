"""Polynomials of operators as approximate inverses, on even sites and on all, against dense matrices."""

import numpy as np
import pytest
from fermions import assert_close, fill, gauge_field, links_of

from lqcd_hpc import Lattice, LqcdError
from lqcd_hpc.operators.finish import Finish
from lqcd_hpc.operators.inverse_polynomial import InversePolynomial
from lqcd_hpc.operators.wilson import Wilson

MASS, COEFFICIENTS = 0.3, [0.9, 1.1, 0.7, -0.2]


def fermions(shape):
    links = links_of("U(1)", shape, 7)
    return Wilson(mass=MASS, boundary=(1, -1)).on(gauge_field(links, Lattice(shape)))


def dense(D):
    """D as a matrix on (y, x, spin), and which of its rows are even."""
    shape, columns = D.vector().to_numpy().shape, []
    for unit in np.eye(int(np.prod(shape))):
        columns.append(D.apply(D.vector().from_numpy(unit.reshape(shape))).to_numpy().reshape(-1))
    y, x, *_ = np.indices(shape)
    return np.array(columns).T, ((x + y) % 2 == 0).reshape(-1)


@pytest.mark.parametrize("shape", [(4, 6), (3, 5)])
def test_it_is_the_polynomial_of_the_formula(shape):
    D = fermions(shape)
    b = fill(D.vector())
    matrix, even = dense(D)
    source, a = b.to_numpy().reshape(-1), MASS + 2
    if shape == (3, 5):
        step, start = np.eye(len(matrix)) - matrix / a, source / a
        expected = sum(c * np.linalg.matrix_power(step, k) @ start for k, c in enumerate(COEFFICIENTS))
    else:
        to_odd, to_even = matrix[np.ix_(~even, even)], matrix[np.ix_(even, ~even)]
        start = (source[even] - to_even @ source[~even] / a) / a
        step = to_even @ to_odd / a**2
        expected = np.zeros_like(source)
        expected[even] = sum(c * np.linalg.matrix_power(step, k) @ start for k, c in enumerate(COEFFICIENTS))
        expected[~even] = (source[~even] - to_odd @ expected[even]) / a
    M = InversePolynomial(D, COEFFICIENTS)
    assert M.even_odd == (shape == (4, 6))
    assert_close(M.apply(b).to_numpy().reshape(-1), expected)


def test_its_terms_add_up_to_it():
    D = fermions((4, 6))
    M, b = InversePolynomial(D, COEFFICIENTS), fill(D.vector(2))
    rest, first = M.rest(b)
    terms, launches = M.terms(b, len(COEFFICIENTS))
    for launch in [*first, *launches]:
        launch()
    total = rest.to_numpy() + sum(c * term.to_numpy() for c, term in zip(COEFFICIENTS, terms))
    assert_close(M.apply(b), total)


def test_it_ends_as_operators_do_and_has_no_adjoint():
    D = fermions((4, 6))
    M, b, left, out = InversePolynomial(D, COEFFICIENTS), fill(D.vector(), 1), fill(D.vector(), 2), D.vector()
    expected = M.apply(b).to_numpy() + left.to_numpy()
    *_, norm = (launch() for launch in M.launches(b, out, finish=Finish(norm=True, left=left, shift=1.0)))
    assert_close(out, expected)
    assert norm["norm0"] == pytest.approx(np.linalg.norm(expected) ** 2)
    with pytest.raises(LqcdError, match="no adjoint"):
        M.adjoint(b)
