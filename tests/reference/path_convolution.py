"""Convolutions along paths as they are written: transports by matrix products and shifts, spin matrices by einsum."""

import numpy as np

from .dirac import hop_links
from .paths import displaced, product


def steps_of(path, dims):
    """[(mu, sign), ..] of a path such as (+1, -2): steps +-(mu + 1)."""
    return [(abs(s) - 1, 1 if s > 0 else -1) for s in path]


def displacement(path, dims):
    """Where the path ends."""
    return [sum(np.sign(s) for s in path if abs(s) - 1 == mu) for mu in range(dims)]


def transported(links, psi, path, boundary):
    """T_p psi(x) = V_p(x) psi(x + d) of one spinor psi[.., y, x, s, a]; V_p has the phases of the ends it crosses."""
    if not path:
        return psi.astype(complex)
    dims, hops = len(links), hop_links(links, boundary)
    v = product(hops, steps_of(path, dims))
    return displaced(psi, displacement(path, dims)) @ np.swapaxes(v, -1, -2)


def convolution(links, psi, paths, weights, boundary):
    """out[a] = sum_{p b} W[p, a, b] T_p psi[b]; W is (p, a, b, s, t), or with the sites in front of (s, t)."""
    moved = np.array([[transported(links, one, path, boundary) for one in psi] for path in paths])
    return np.einsum("pab...st,pb...tc->a...sc", with_sites(weights, psi), moved)


def adjoint(links, psi, paths, weights, boundary):
    """The adjoint: out[b] = sum_{p a} T_p^dag W[p, a, b]^dag psi[a], T_p^dag a transport along the reversed path."""
    turned = np.einsum("pab...ts,pa...tc->pb...sc", np.conj(with_sites(weights, psi)), np.array([psi] * len(paths)))
    back = [tuple(-s for s in path[::-1]) for path in paths]
    return sum(np.array([transported(links, one, path, boundary) for one in w]) for path, w in zip(back, turned))


def weight_gradient(links, psi, slope, paths, boundary, local=False):
    """sum_x slope[a] (T_p psi[b])^dag over colours, (p, a, b, s, t); `local`: not summed, the sites before (s, t)."""
    moved = np.array([[transported(links, one, path, boundary) for one in psi] for path in paths])
    found = np.einsum("a...sc,pb...tc->pab...st", slope, moved.conj())
    return found if local else found.sum(axis=tuple(range(3, found.ndim - 2)))


def with_sites(weights, psi):
    """Weights with an axis for every axis of sites."""
    missing = psi.ndim - 3 - (weights.ndim - 5)
    return weights.reshape(*weights.shape[:3], *[1] * missing, *weights.shape[3:])
