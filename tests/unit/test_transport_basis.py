"""Pooling by transports to the first site of a block: R P = 1, covariance, what is refused."""

import numpy as np
import pytest
from fermions import assert_close, fill, gauge_field, links_of
from reference import dirac
from reference.paths import product

from lqcd_hpc import Lattice, LqcdError, Random, gauge
from lqcd_hpc.operators.aggregates import Aggregates, Transfer
from lqcd_hpc.operators.transport_basis import transport_basis, transports
from lqcd_hpc.operators.wilson import Wilson

BLOCK, WILSON = (4, 2), Wilson(mass=0.1, boundary=(1, -1))


def operator():
    return WILSON.on(gauge_field(links_of("SU(2)", (8, 8)), Lattice((8, 8)).grained(BLOCK)))


def transfer_of(D):
    return Transfer(Aggregates(D.lattice, BLOCK, D.precision), transport_basis(D, BLOCK))


def test_transports_go_to_the_first_site_of_a_block():
    links = links_of("SU(2)", (8, 8))
    v = transports(links, BLOCK)
    for x, path in (((0, 0), None), ((2, 1), "-x -x -t"), ((7, 5), "-x -x -x -t")):
        expected = np.eye(2) if path is None else product(links, path)[x[::-1]]
        assert_close(v[x[::-1]], expected)


def test_restriction_undoes_prolongation():
    D = operator()
    transfer = transfer_of(D)
    coarse, again, psi = fill(transfer.coarse_vector()), transfer.coarse_vector(), D.vector()
    transfer.prolong(coarse, psi)()
    transfer.restrict(psi, again)()
    assert_close(again, coarse)


def test_coarse_vectors_transform_at_the_first_sites_of_blocks():
    D = operator()
    psi, coarse = fill(D.vector()), transfer_of(D).coarse_vector()
    transfer_of(D).restrict(psi, coarse)()
    before = coarse.to_numpy()
    g = gauge.random_transformation(D.U, Random(3))
    gauge.transform(D.U, g)
    psi.from_numpy(dirac.gauge_transform_vector(g.to_numpy(), psi.to_numpy()))
    transfer_of(D).restrict(psi, coarse)()
    at_first = g.to_numpy()[:: BLOCK[1], :: BLOCK[0]]
    assert_close(coarse, np.einsum("yxab,yxsb->yxsa", at_first, before))


def test_blocks_that_do_not_divide_are_refused():
    with pytest.raises(LqcdError, match="do not divide"):
        transport_basis(operator(), (3, 2))
