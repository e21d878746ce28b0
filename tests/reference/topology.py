"""Field strength on the lattice, and what is made of it: energy density and topological charge."""

import itertools

import numpy as np

from .algebra import traceless_antihermitian
from .paths import plaquette_planes, product, rectangle_steps, trace


def leaves(mu, nu, length_mu=1, length_nu=1):
    """The four rectangles of a clover: all start at x and turn in the sense mu -> nu."""
    right, left = [(mu, 1)] * length_mu, [(mu, -1)] * length_mu
    up, down = [(nu, 1)] * length_nu, [(nu, -1)] * length_nu
    sides = [right, up, left, down]
    return [sum(sides[k:] + sides[:k], []) for k in range(4)]


def hermitian_part(q):
    """-i TA(Q): the traceless hermitian matrix that is F when Q = exp(iF)."""
    return -1j * traceless_antihermitian(q)


def plaquette_strength(links, mu, nu):
    """F = -(i/2) (P - P^dag), traceless, of the single plaquette at x."""
    return hermitian_part(product(links, rectangle_steps(mu, nu)))


def clover_strength(links, mu, nu):
    """F = -(i/8) (Q - Q^dag), traceless, Q the sum of the four leaves."""
    return hermitian_part(sum(product(links, leaf) for leaf in leaves(mu, nu)) / 4)


def rectangle_strength(links, mu, nu):
    """F = -(i/32) (Q - Q^dag), traceless, Q the sum of the four 2 x 1 and four 1 x 2 leaves of area two."""
    paths = leaves(mu, nu, 2, 1) + leaves(mu, nu, 1, 2)
    return hermitian_part(sum(product(links, path) for path in paths) / 16)


def energy_density(links):
    """(E_t, E_s), E = E_t + E_s = 1/4 F^a_{mu nu} F^a_{mu nu} with the clover F, averaged over sites.

    E_t collects the planes that contain the last direction. For SU(N) F^a F^a = 2 tr F F, for U(1) F F.
    """
    norm = 0.5 if links.shape[-1] == 1 else 1.0
    parts = {True: 0.0, False: 0.0}
    for mu, nu in itertools.combinations(range(len(links)), 2):
        f = clover_strength(links, mu, nu)
        parts[nu == len(links) - 1] += norm * float(trace(f @ f).real.mean())
    return parts[True], parts[False]


def plaquette_energy_density(links):
    """E = 2 sum_{mu<nu} Re tr(1 - P) averaged over sites, half of that for U(1) (arXiv:1006.4518)."""
    nc = links.shape[-1]
    norm = 1.0 if nc == 1 else 2.0
    return norm * nc * float(sum(1 - value for value in plaquette_planes(links).values()))


def topological_charge(links, strength=clover_strength):
    """Q = (1 / 32 pi^2) sum_x eps_{mu nu rho sigma} tr F_{mu nu} F_{rho sigma}, eps_xyzt = +1.

    Of the 24 terms three are different: 8 (F_xy F_zt - F_xz F_yt + F_xt F_yz). openQCD counts directions
    t, x, y, z and has the opposite sign.
    """
    f = {(mu, nu): strength(links, mu, nu) for mu, nu in itertools.combinations(range(4), 2)}
    density = f[0, 1] @ f[2, 3] - f[0, 2] @ f[1, 3] + f[0, 3] @ f[1, 2]
    return float(8 * trace(density).real.sum() / (32 * np.pi**2))


def improved_topological_charge(links):
    """Q without its O(a^2) error: 5/3 of the clover charge less 2/3 of the rectangle charge."""
    return 5 / 3 * topological_charge(links) - 2 / 3 * topological_charge(links, rectangle_strength)
