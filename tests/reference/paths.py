"""Products of links along paths: the one idea from which loops, staples and observables follow.

A path is written ``"+x +y -x -y"``: x, y, z are directions 0, 1, 2 and t is the last direction of the array.
"""

import functools
import itertools

import numpy as np


def dagger(matrix):
    """Hermitian conjugate of the two trailing axes."""
    return np.conj(np.swapaxes(matrix, -1, -2))


def trace(matrix):
    """Trace over the two trailing axes."""
    return np.trace(matrix, axis1=-2, axis2=-1)


def shift(field, mu, steps=1):
    """The field seen from ``steps`` sites further along ``mu``: result(x) = field(x + steps mu), periodic.

    ``field`` has the site axes (..., y, x) followed by two colour axes.
    """
    return np.roll(field, -steps, axis=-3 - mu)


def parse(path, dims):
    """Translate "+x -t" into [(0, +1), (dims - 1, -1)].

    >>> parse("+x +y -x -y", 4)
    [(0, 1), (1, 1), (0, -1), (1, -1)]
    """
    direction = dict(zip("xyz", range(3), strict=True)) | {"t": dims - 1}
    steps = [(direction[step[1]], {"+": 1, "-": -1}[step[0]]) for step in path.split()]
    if any(mu >= dims for mu, _ in steps):
        raise ValueError(f"the path {path!r} leaves the {dims} directions of the lattice")
    return steps


def reverse(steps):
    """The same path walked backwards; its product is the hermitian conjugate at the end point."""
    return [(mu, -sign) for mu, sign in reversed(steps)]


def displaced(field, displacement):
    """The field seen from x + displacement, a vector with one entry for each direction."""
    for mu, steps in enumerate(displacement):
        field = shift(field, mu, steps) if steps else field
    return field


def product(links, path, start=None):
    """W(x): the ordered product of links along ``path`` for every site x, shape (..., y, x, Nc, Nc).

    The path (a string or a list of steps) starts at x + ``start``. A forward step multiplies by U_mu(y) from
    the right and moves on; a backward step moves first and multiplies by U_mu(y)^dag.
    """
    dims = len(links)
    steps = parse(path, dims) if isinstance(path, str) else path
    place = [0] * dims if start is None else list(start)
    factors = []
    for mu, sign in steps:
        if sign > 0:
            factors.append(displaced(links[mu], place))
            place[mu] += 1
        else:
            place[mu] -= 1
            factors.append(dagger(displaced(links[mu], place)))
    return functools.reduce(np.matmul, factors)


def loop_trace(links, path):
    """tr W / Nc of a path, averaged over all sites (complex)."""
    return trace(product(links, path)).mean() / links.shape[-1]


def rectangle_steps(mu, nu, length_mu=1, length_nu=1):
    """Steps of the closed rectangle that goes ``length_mu`` along mu first, then ``length_nu`` along nu."""
    there = [(mu, 1)] * length_mu + [(nu, 1)] * length_nu
    return there + [(mu, -1)] * length_mu + [(nu, -1)] * length_nu


def plaquette_planes(links):
    """{(mu, nu): Re tr P / Nc averaged over sites} for every plane mu < nu."""
    planes = itertools.combinations(range(len(links)), 2)
    return {plane: loop_trace(links, rectangle_steps(*plane)).real for plane in planes}


def plaquette(links):
    """(mean, spatial, temporal) plaquette Re tr P / Nc; temporal planes contain the last direction.

    In two dimensions there is no spatial plane and the second entry is nan.
    """
    planes = plaquette_planes(links)
    last = len(links) - 1
    spatial = [value for (_, nu), value in planes.items() if nu != last]
    temporal = [value for (_, nu), value in planes.items() if nu == last]
    return (
        float(np.mean(list(planes.values()))),
        float(np.mean(spatial)) if spatial else float("nan"),
        float(np.mean(temporal)),
    )


def rectangle(links):
    """Re tr R / Nc of the 2 x 1 rectangle averaged over sites and the d (d - 1) ordered pairs mu, nu."""
    pairs = itertools.permutations(range(len(links)), 2)
    return float(np.mean([loop_trace(links, rectangle_steps(mu, nu, 2, 1)).real for mu, nu in pairs]))


def staple(links, mu, loops):
    """A_mu(x) with d/dU_mu(x) [sum_loops w sum_y Re tr W(y)] = Re tr (dU_mu(x) A_mu(x)), by brute force.

    ``loops`` is a list of (weight w, closed path). Walk each loop in both senses: every time it steps forward
    along mu, the rest of the loop, read from the end of that link, is one term. For plaquettes A is the sum
    of the usual staples, each leading from x + mu back to x.
    """
    dims = len(links)
    start = [int(nu == mu) for nu in range(dims)]
    total = np.zeros_like(links[mu])
    for weight, path in loops:
        steps = parse(path, dims) if isinstance(path, str) else path
        for oriented in (steps, reverse(steps)):
            for k, step in enumerate(oriented):
                if step == (mu, 1):
                    total += weight * product(links, oriented[k + 1 :] + oriented[:k], start)
    return total
