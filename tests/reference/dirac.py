"""Fermion matrices of the lattice, each applied to one field as its formula is written.

Spinors are psi[t, z, y, x, s, a] with Ns = 4 spins in four dimensions and 2 below; a staggered field is
psi[t, z, y, x, a]. Any axes may stand in front (many fields at once), except where a function says otherwise.
``boundary`` has one complex number of modulus one for each direction: psi(x + L_mu mu) = boundary[mu] psi(x).
"""

import itertools

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from .gammas import gamma5, gammas
from .paths import dagger, product, shift, trace
from .topology import leaves


def lattice_shape(links):
    """(Lx, Ly, ..) of an array of links."""
    return links.shape[-3:0:-1]


def coordinates(shape):
    """x_mu of every site, shape (mu, .., y, x).

    >>> coordinates((3, 2))[0].tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    return np.indices(tuple(reversed(shape)))[::-1]


def even_sites(shape):
    """True where x + y + .. + t is even; the odd sites are its negation."""
    return coordinates(shape).sum(axis=0) % 2 == 0


def hop_links(links, boundary):
    """The links with boundary[mu] multiplied on those that leave the lattice, at x_mu = L_mu - 1."""
    result = links.astype(complex)
    shape = lattice_shape(links)
    for mu, x in enumerate(coordinates(shape)):
        result[mu][x == shape[mu] - 1] *= boundary[mu]
    return result


def ahead(links, psi, mu):
    """U_mu(x) psi(x + mu) of a spinor."""
    return shift(psi, mu) @ np.swapaxes(links[mu], -1, -2)


def behind(links, psi, mu):
    """U_mu(x - mu)^dag psi(x - mu) of a spinor."""
    return shift(psi @ links[mu].conj(), mu, -1)


def times_gamma5(psi):
    """gamma5 psi; the number of spins tells two from four dimensions."""
    return gamma5(psi.shape[-2]) @ psi


def diagonal(mass, dims, anisotropy=None):
    """m0 + sum_mu c_mu, the number in front of psi(x)."""
    return mass + (dims if anisotropy is None else sum(anisotropy))


def wilson(links, psi, mass, boundary, anisotropy=None):
    """(m0 + sum c_mu) psi - 1/2 sum_mu c_mu [(1 - g_mu) U_mu(x) psi(x+mu) + (1 + g_mu) U_mu(x-mu)^dag psi(x-mu)].

    The coefficients c_mu, one for each direction, are ``anisotropy`` and all 1 without it.
    """
    dims, hops = len(links), hop_links(links, boundary)
    result = diagonal(mass, dims, anisotropy) * psi
    for mu, gamma in enumerate(gammas(dims)):
        one = np.eye(len(gamma))
        c = 1.0 if anisotropy is None else anisotropy[mu]
        result = result - c / 2 * ((one - gamma) @ ahead(hops, psi, mu) + (one + gamma) @ behind(hops, psi, mu))
    return result


def field_strength(links, mu, nu):
    """F = -(i/8) (Q - Q^dag) less its trace, Q the sum of the four leaves; for U(1) the trace is F and stays."""
    q = sum(product(links, leaf) for leaf in leaves(mu, nu))
    f = -1j / 8 * (q - dagger(q))
    nc = f.shape[-1]
    return f if nc == 1 else f - trace(f)[..., None, None] * np.eye(nc) / nc


def sigma(dims, mu, nu):
    """sigma_{mu nu} = (i/2) [gamma_mu, gamma_nu]."""
    g = gammas(dims)
    return 0.5j * (g[mu] @ g[nu] - g[nu] @ g[mu])


def clover_term(links, csw_r, csw_t):
    """-(csw/2) sum_{mu<nu} sigma_{mu nu} F_{mu nu} as a matrix of every site, (.., y, x, Ns Nc, Ns Nc).

    Planes with the last direction take csw_t, the others csw_r. Row and column count colour fastest. The links
    are those without boundary phases, which cancel in every leaf.
    """
    dims = len(links)
    total = 0.0
    for mu, nu in itertools.combinations(range(dims), 2):
        csw = csw_t if nu == dims - 1 else csw_r
        term = np.einsum("ij,...ab->...iajb", sigma(dims, mu, nu), field_strength(links, mu, nu))
        total = total - csw / 2 * term
    size = total.shape[-1] * total.shape[-2]
    return total.reshape(*total.shape[:-4], size, size)


def times_site_matrix(matrix, psi):
    """chi(x) = M(x) psi(x) with a matrix on spin and colour at every site."""
    flat = psi.reshape(*psi.shape[:-2], -1, 1)
    return (matrix @ flat).reshape(psi.shape)


def clover(links, psi, mass, boundary, csw_r, csw_t, anisotropy=None):
    """The Wilson operator plus the clover term."""
    return wilson(links, psi, mass, boundary, anisotropy) + times_site_matrix(clover_term(links, csw_r, csw_t), psi)


def exponential_clover_term(links, mass, csw_r, csw_t, anisotropy=None):
    """M exp(A / M) with M = m0 + sum c_mu and A the clover term: the whole of D at one site (arXiv:1911.04533)."""
    m = diagonal(mass, len(links), anisotropy)
    values, vectors = np.linalg.eigh(clover_term(links, csw_r, csw_t) / m)
    return m * (vectors * np.exp(values)[..., None, :]) @ dagger(vectors)


def exponential_clover(links, psi, mass, boundary, csw_r, csw_t, anisotropy=None):
    """The Wilson operator with M exp(A / M) in the place of M = m0 + sum c_mu."""
    hops = wilson(links, psi, mass, boundary, anisotropy) - diagonal(mass, len(links), anisotropy) * psi
    return hops + times_site_matrix(exponential_clover_term(links, mass, csw_r, csw_t, anisotropy), psi)


def twisted_mass(links, psi, mass, boundary, mu, anisotropy=None):
    """The Wilson operator plus i mu gamma5; the other flavour of the doublet has -mu."""
    return wilson(links, psi, mass, boundary, anisotropy) + 1j * mu * times_gamma5(psi)


def twisted_clover(links, psi, mass, boundary, mu, csw_r, csw_t, anisotropy=None):
    """The clover operator plus i mu gamma5."""
    return clover(links, psi, mass, boundary, csw_r, csw_t, anisotropy) + 1j * mu * times_gamma5(psi)


def staggered_phase(shape, mu):
    """eta_mu(x) = (-1)^(x_0 + .. + x_{mu-1}), shape (.., y, x)."""
    return (-1.0) ** coordinates(shape)[:mu].sum(axis=0)


def staggered(links, psi, mass, boundary):
    """m psi + 1/2 sum_mu eta_mu(x) [U_mu(x) psi(x+mu) - U_mu(x-mu)^dag psi(x-mu)]; psi has colour, no spin."""
    hops, chi = hop_links(links, boundary), psi[..., None, :]
    result = mass * psi
    for mu in range(len(links)):
        eta = staggered_phase(lattice_shape(links), mu)[..., None]
        difference = ahead(hops, chi, mu) - behind(hops, chi, mu)
        result = result + eta / 2 * difference[..., 0, :]
    return result


def laplace(links, psi, mass_squared, boundary, directions=None):
    """-Delta psi + m^2 psi = (m^2 + 2 n) psi - sum_mu [U_mu(x) psi(x+mu) + U_mu(x-mu)^dag psi(x-mu)].

    The sum runs over the n ``directions``, all without the argument; range(3) is space in four dimensions.
    ``psi`` is one spinor or one field of colour vectors, with no axes in front.
    """
    dims, hops = len(links), hop_links(links, boundary)
    directions = range(dims) if directions is None else directions
    chi = psi if psi.ndim == dims + 2 else psi[..., None, :]
    result = (mass_squared + 2 * len(directions)) * chi
    for mu in directions:
        result = result - ahead(hops, chi, mu) - behind(hops, chi, mu)
    return result.reshape(psi.shape)


def gauge_transform_links(links, g):
    """U_mu(x) -> g(x) U_mu(x) g(x + mu)^dag."""
    return np.array([g @ u @ dagger(shift(g, mu)) for mu, u in enumerate(links)])


def gauge_transform_vector(g, psi):
    """psi(x) -> g(x) psi(x) of one spinor or one field of colour vectors, with no axes in front."""
    if psi.ndim == g.ndim - 1:
        return (g @ psi[..., None])[..., 0]
    return psi @ np.swapaxes(g, -1, -2)


def dense(op, shape):
    """The matrix of an operator on fields of this shape, column by column."""
    size = int(np.prod(shape))
    matrix = np.empty((size, size), complex)
    for k in range(size):
        unit = np.zeros(size, complex)
        unit[k] = 1
        matrix[:, k] = op(unit.reshape(shape)).ravel()
    return matrix


def solve(op, source, tolerance=1e-13):
    """x with op(x) = source and |op(x) - source| <= tolerance |source|, by GMRES."""
    shape, size = source.shape, source.size
    matrix = LinearOperator((size, size), lambda v: op(v.reshape(shape)).ravel(), dtype=complex)
    x, _ = gmres(matrix, source.ravel().astype(complex), rtol=tolerance / 2, restart=60, maxiter=100)
    x = x.reshape(shape)
    if np.linalg.norm(op(x) - source) > tolerance * np.linalg.norm(source):
        raise ArithmeticError("GMRES did not converge")
    return x
