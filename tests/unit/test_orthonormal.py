"""Copies of a field are made orthonormal: their products, their span, and copies that depend on others."""

import numpy as np
import pytest

from lqcd_hpc import Field, Lattice
from lqcd_hpc.fields import kinds
from lqcd_hpc.fields.orthonormal import orthonormalise


def vectors(rng, copies, precision="double"):
    field = Field(Lattice((8, 4, 4)), kinds.spinors(2, 3), precision, copies)
    shape = field.to_numpy().shape
    return field.from_numpy(rng.normal(size=shape) + 1j * rng.normal(size=shape))


def rows(field):
    return field.to_numpy().reshape(field.copies, -1)


@pytest.mark.parametrize("precision, tolerance", [("double", 1e-13), ("single", 1e-6)])
def test_products_are_one_and_the_span_stays(precision, tolerance):
    source = vectors(np.random.default_rng(1), 5, precision)
    target = orthonormalise(source, source.like())
    q, v = rows(target), rows(source)
    assert np.abs(q.conj() @ q.T - np.eye(5)).max() < tolerance
    assert np.abs(v - (v @ q.conj().T) @ q).max() < 10 * tolerance


def test_dependent_copies_leave_no_direction_of_rounding():
    source = vectors(np.random.default_rng(2), 4)
    values = source.to_numpy()
    values[3] = values[0] - 2j * values[1]
    q = rows(orthonormalise(source.from_numpy(values), source.like()))
    assert not q[0].any()
    assert np.abs(q[1:].conj() @ q[1:].T - np.eye(3)).max() < 1e-12
