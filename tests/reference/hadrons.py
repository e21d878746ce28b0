"""Hadron correlators at zero momentum, contracted as in the textbook from a propagator with its source at 0.

The propagator is S[t, z, y, x, s, a, s', a'] = <psi(x)_{s a} psibar(0)_{s' a'}>: first the sink, then the source.
The quark that runs back is S(0, x) = gamma5 S(x, 0)^dag gamma5.

Signs. A correlator here is <O(x) Obar(0)> with Obar = O^dag continued to Euclidean time (psi^dag = psibar gamma_t),
so that reflection positivity holds. On average over configurations, every meson is a positive sum of exponentials,
symmetric in t -> T - t, and the pion is + sum |S|^2 on each. The nucleon with (1 + gamma_t) / 2 is a positive sum of
exponentials running forward; what runs back from T is its partner of the other parity, with the sign plus for
antiperiodic and minus for periodic quarks.
"""

import itertools

import numpy as np

from .dirac import solve
from .gammas import gamma5, gammas


def point_propagator(op, sites, inner, smear=None):
    """S(x, 0): op S = a unit vector at site 0 for every spin and colour; shape sites + inner + inner.

    ``sites`` is (.., y, x) and ``inner`` (Ns, Nc), or (Nc,) for a staggered field. ``smear`` acts on each source
    before the solve.
    """
    columns = []
    for place in np.ndindex(*inner):
        source = np.zeros((*sites, *inner), complex)
        source[(0,) * len(sites) + place] = 1
        columns.append(solve(op, source if smear is None else smear(source)))
    return np.stack(columns, axis=-1).reshape(*sites, *inner, *inner)


def time_slices(density):
    """The sum over all axes but the first, which is time."""
    return density.sum(axis=tuple(range(1, density.ndim)))


def norm_correlator(propagator):
    """C(t) = sum_x |S(x, 0)|^2: the pion, and with staggered quarks the Goldstone pion."""
    return time_slices(np.abs(propagator) ** 2)


def gamma_products(dims):
    """gamma_x^a gamma_y^b gamma_z^c gamma_t^d at place a + 2 b + 4 c + 8 d, shape (2^dims, Ns, Ns).

    In four dimensions place 15 is gamma5; in two place 3 is i gamma5.
    """
    products = [np.eye(2 if dims < 4 else 4)]
    for gamma in gammas(dims):
        products += [product @ gamma for product in products]
    return np.array(products)


def meson(propagator, gamma):
    """C(t) = - sum_x tr[Gamma S(x,0) Gammabar gamma5 S(x,0)^dag gamma5], Gammabar = gamma_t Gamma^dag gamma_t.

    This is <O(x) Obar(0)> of O = dbar Gamma u and Obar = ubar Gammabar d; the minus sign is that of the closed
    fermion loop. Because gamma_t gamma5 gamma_t = - gamma5 the pion is + sum |S|^2.
    """
    dims = propagator.ndim - 4
    g5, gt = gamma5(dims), gammas(dims)[-1]
    gamma_bar = gt @ gamma.conj().T @ gt
    spins = "mi,...iajb,jl,...malb->..."
    density = np.einsum(spins, g5 @ gamma, propagator, gamma_bar @ g5, propagator.conj(), optimize=True)
    return -time_slices(density)


def mesons(propagator):
    """The correlators of all products of gamma matrices, shape (2^dims, T), in the order of gamma_products."""
    return np.array([meson(propagator, gamma) for gamma in gamma_products(propagator.ndim - 4)])


def charge_conjugation():
    """C = gamma_y gamma_t in four dimensions: C gamma_mu C^-1 = - gamma_mu^T."""
    g = gammas(4)
    return g[1] @ g[3]


def epsilon():
    """The totally antisymmetric tensor of three colours, epsilon_012 = 1."""
    tensor = np.zeros((3, 3, 3))
    for a, b, c in itertools.permutations(range(3)):
        tensor[a, b, c] = (b - a) * (c - b) * (c - a) / 2
    return tensor


def nucleon(up, down):
    """C(t) = sum_x tr[P <N(x) Nbar(0)>], N = eps_abc (u_a^T G d_b) u_c, G = C gamma5, P = (1 + gamma_t) / 2.

    Nbar = N^dag gamma_t = eps_ABC ubar_C dbar_B M ubar_A^T, M = gamma_t G^dag gamma_t^T. The two u of N meet the
    two ubar of Nbar in two ways, the second with the sign of the exchange:

    eps_abc eps_ABC G_ij M_JI P_Kk down_{jb,JB} [up_{ia,IA} up_{kc,KC} - up_{ia,KC} up_{kc,IA}].

    No phase of G matters.
    """
    gt, g, eps = gammas(4)[-1], charge_conjugation() @ gamma5(4), epsilon()
    m, p = gt @ g.conj().T @ gt.T, (np.eye(4) + gt) / 2
    fixed = (eps, eps, g, m, p, down)
    direct = np.einsum("abc,ABC,ij,JI,Kk,...jbJB,...iaIA,...kcKC->...", *fixed, up, up, optimize="greedy")
    exchange = np.einsum("abc,ABC,ij,JI,Kk,...jbJB,...iaKC,...kcIA->...", *fixed, up, up, optimize="greedy")
    return time_slices(direct - exchange)
