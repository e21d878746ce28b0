"""Scalar and spin models as their textbooks write them: sites first (t, z, y, x), then components."""

import numpy as np
from scipy.special import spherical_in


def shifted(phi, axis, step, opened):
    """phi at the neighbour `step` sites along a site axis; zero beyond an open end."""
    moved = np.roll(phi, -step, axis)
    if opened:
        moved = moved.copy()
        np.moveaxis(moved, axis, 0)[-1 if step > 0 else 0] = 0
    return moved


def square(phi, ndim):
    """|phi|^2 at every site."""
    size = np.abs(phi) ** 2
    return size.sum(axis=-1) if phi.ndim > ndim else size


def bonds(phi, opened):
    """sum_{x, mu} Re phi*(x).phi(x+mu); `opened` tells for every site axis whether it is open."""
    return sum(np.sum((np.conj(phi) * shifted(phi, axis, 1, o)).real) for axis, o in enumerate(opened))


def phi4(phi, opened, m2, lam, normalisation):
    """sum_x [phi box phi + m2 phi^2 + lam phi^4], the first two terms halved if "half"."""
    ndim = len(opened)
    around = sum(shifted(phi, axis, step, o) for axis, o in enumerate(opened) for step in (1, -1))
    quadratic = phi * (2 * ndim * phi - around) + m2 * phi**2
    return np.sum(quadratic * {"full": 1.0, "half": 0.5}[normalisation] + lam * phi**4)


def phi4_hopping(phi, opened, beta, lam):
    """-beta sum phi(x) phi(x+mu) + sum_x [phi^2 + lam (phi^2 - 1)^2]."""
    return -beta * bonds(phi, opened) + np.sum(phi**2 + lam * (phi**2 - 1) ** 2)


def complex_phi4(phi, opened, eta, lam):
    """sum_x [eta |phi|^2 + lam |phi|^4] - 2 Re sum phi*(x) phi(x+mu)."""
    return np.sum(eta * np.abs(phi) ** 2 + lam * np.abs(phi) ** 4) - 2 * bonds(phi, opened)


def sigma(s, opened, beta, components):
    """-beta sum s(x).s(x+mu)."""
    assert s.shape[-1] == components
    return -beta * bonds(s, opened)


def free_square(shape, mass_squared):
    """<phi^2> of S = 1/2 sum phi (box + m^2) phi: the mean of 1/(p_hat^2 + m^2) over the momenta of a torus."""
    momenta = np.meshgrid(*[4 * np.sin(np.pi * np.arange(n) / n) ** 2 for n in shape])
    return np.mean(1 / (sum(momenta) + mass_squared))


def xy_ladder(beta, length, angles=24):
    """<s.s'> of the XY model on a periodic lattice 2 x length, by the transfer matrix over two angles.

    Angles on an even grid integrate exactly up to the Fourier mode of their number. Rungs count twice: both
    directions around the short side meet the same two sites.
    """
    c = np.cos(2 * np.pi * np.subtract.outer(np.arange(angles), np.arange(angles)) / angles)

    def log_z(b):
        rung = np.exp(b * c).reshape(-1)
        rows = np.exp(b * (c[:, None, :, None] + c[None, :, None, :])).reshape(angles**2, angles**2)
        values = np.linalg.eigvalsh(rung[:, None] * rows * rung)
        return length * np.log(values.max()) + np.log(np.sum((values / values.max()) ** length))

    return (log_z(beta + 1e-4) - log_z(beta - 1e-4)) / 2e-4 / (4 * length)


def heisenberg_chain(beta, length, orders=40):
    """<s.s'> of neighbours on a ring of O(3) spins: l-th eigenvalue of exp(beta s.s') is i_l(beta), 2l + 1 times.

    A lattice 1 x length is such a ring (the bond of a site with itself is a constant).
    """
    order = np.arange(orders)

    def log_z(b):
        ratio = spherical_in(order, b) / spherical_in(0, b)
        return length * np.log(spherical_in(0, b)) + np.log(np.sum((2 * order + 1) * ratio**length))

    return (log_z(beta + 1e-4) - log_z(beta - 1e-4)) / 2e-4 / length
