"""Convolutions along paths, and their gradients, have the same bits on every grid of ranks."""

import hashlib

import numpy as np
import pytest
from ahead import compile_ahead
from site_functions import simd

from lqcd_hpc import Field, Lattice, Random, gauge
from lqcd_hpc.fields.exchange import Exchange
from lqcd_hpc.lattice import SerialCommunicator, world
from lqcd_hpc.lattice.decomposition import grids
from lqcd_hpc.operators.path_convolution import PathConvolution, weight_kind
from lqcd_hpc.operators.path_links import Transport, hops, straight

CASES = [((8, 16), straight((1, 2, 4), 2), False), ((8, 16), ("+x +y", "-y", ""), True)]
CASES += [((4, 4, 4, 8), hops(4), False)]


@pytest.fixture(autouse=True)
def poison(monkeypatch):
    monkeypatch.setattr(Exchange, "poison", True)


@pytest.fixture(scope="module", autouse=True)
def kernels():
    with simd(16):
        compile_ahead(lambda: [digest(Lattice(shape), paths, local) for shape, paths, local in CASES])


def fill(field, seed):
    """Random numbers that do not know of ranks."""
    re, im = np.random.default_rng(seed).normal(size=(2, *field._canonical_shape(field.lattice.shape)))
    return field.from_numpy(re + 1j * im, gathered=True)


def digest(lattice, paths, local):
    """SHA-256 of a convolution of two features into one, of its adjoint and of its gradient."""
    ndim = lattice.ndim
    U = gauge.hot(lattice, Random(7), "SU(3)" if ndim == 4 else "SU(2)")
    there = Transport(paths=paths, boundary=(*[1] * (ndim - 1), -1))
    shape = (len(paths), 1, 2, *[4 if ndim == 4 else 2] * 2)
    if local:
        A = PathConvolution(there, U, fill(Field(lattice, weight_kind(shape)), 3), features=(1, 2))
    else:
        re, im = np.random.default_rng(3).normal(size=(2, *shape))
        A = PathConvolution(there, U, re + 1j * im)
    psi = fill(A.vector(2), 1)
    out = A.apply(psi)
    gradient = A.weight_gradient(psi, out)
    gradient = gradient.to_numpy(gather=True) if local else gradient
    state = hashlib.sha256(np.ascontiguousarray(gradient).tobytes())
    for field in (out, A.adjoint(out)):
        state.update(field.to_numpy(gather=True).tobytes())
    return state.hexdigest()


@pytest.mark.parametrize("shape, paths, local", CASES)
def test_a_convolution_and_its_gradient(shape, paths, local):
    with simd(64):
        expected = digest(Lattice(shape, comm=SerialCommunicator(), threads=2), paths, local)
    with simd(16):
        for grid in grids(shape, world().size):
            assert digest(Lattice(shape, ranks=grid), paths, local) == expected, f"grid {grid}"
    assert len(set(world().allgather(expected))) == 1
