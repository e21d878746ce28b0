"""The Lie algebra: generators T^a with tr T^a T^b = delta_ab / 2 for SU(N), T = 1 for U(1)."""

import itertools

import numpy as np

from .paths import dagger, trace


def generators(nc):
    """Generalised Gell-Mann matrices / 2, shape (number, Nc, Nc); for Nc = 1 the single number 1.

    Order: for each pair i < j (lexicographic) the symmetric and the antisymmetric one, then the diagonal ones
    diag(1, ..., 1, -k, 0, ...) / sqrt(2 k (k + 1)) for k = 1 .. Nc - 1.

    >>> generators(3).shape
    (8, 3, 3)
    """
    if nc == 1:
        return np.ones((1, 1, 1), complex)
    basis = []
    for i, j in itertools.combinations(range(nc), 2):
        symmetric, antisymmetric = np.zeros((2, nc, nc), complex)
        symmetric[i, j] = symmetric[j, i] = 0.5
        antisymmetric[i, j], antisymmetric[j, i] = -0.5j, 0.5j
        basis += [symmetric, antisymmetric]
    for k in range(1, nc):
        diagonal = np.array([1.0] * k + [-k] + [0.0] * (nc - k - 1))
        basis.append(np.diag(diagonal / np.sqrt(2 * k * (k + 1))).astype(complex))
    return np.array(basis)


def from_coefficients(coefficients):
    """P = P^a T^a; the last axis holds the Nc^2 - 1 coefficients (one for U(1))."""
    number = coefficients.shape[-1]
    nc = 1 if number == 1 else int(round(np.sqrt(number + 1)))
    return np.einsum("...a,aij->...ij", coefficients, generators(nc))


def to_coefficients(matrix):
    """P^a of a hermitian (traceless) matrix: 2 tr T^a P for SU(N), P itself for U(1)."""
    nc = matrix.shape[-1]
    norm = 1.0 if nc == 1 else 2.0
    return norm * np.einsum("aij,...ji->...a", generators(nc), matrix).real


def traceless_antihermitian(matrix):
    """TA(X) = (X - X^dag) / 2 less its trace part; for U(1) the trace is the algebra and stays."""
    nc = matrix.shape[-1]
    half = (matrix - dagger(matrix)) / 2
    return half if nc == 1 else half - trace(half)[..., None, None] * np.eye(nc) / nc


def exp_i(hermitian):
    """exp(i H) of a hermitian matrix through its eigenvalues."""
    values, vectors = np.linalg.eigh(hermitian)
    return (vectors * np.exp(1j * values)[..., None, :]) @ dagger(vectors)


def random_links(shape, nc, rng, width=1.0):
    """Links exp(i c^a T^a) with normal c^a of this width; shape (Lx, Ly, ..) gives U[mu, .., y, x, a, b]."""
    number = max(nc * nc - 1, 1)
    return exp_i(from_coefficients(width * rng.normal(size=(len(shape), *reversed(shape), number))))


def random_gauge_transform(links, rng):
    """U_mu(x) -> g(x) U_mu(x) g(x + mu)^dag with random g(x)."""
    nc = links.shape[-1]
    g = exp_i(from_coefficients(rng.normal(size=(*links.shape[1:-2], max(nc * nc - 1, 1)))))
    return np.array([g @ u @ dagger(np.roll(g, -1, axis=-3 - mu)) for mu, u in enumerate(links)])
