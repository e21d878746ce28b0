"""Products of traces of closed loops, summed over the lattice, and their Laplacian on the gauge group.

A product is a set of loops, each with the place where it begins; with all its images under translations, rotations,
reflections and charge conjugation it is a *class*, and W = sum over the different images of Re prod tr(loop). The
Laplacian sum over links and generators of d^a d^a W is again a sum of classes: for every pair of places where a
product meets a link, sum_a T^a_ij T^a_kl = (delta_il delta_jk - delta_ij delta_kl/N)/2 cuts one trace in two, or joins
two (arXiv:0907.5491, section 4).
"""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache

import numpy as np

from ..errors import LqcdError

# A walk is a tuple of (site, direction, sign): sign +1 is the link U_mu(site), -1 its adjoint.


def walk(path, start):
    """The links of a path of steps +-1, +-2, ... that begins at `start`."""
    place, found = list(start), []
    for step in path:
        mu = abs(step) - 1
        if step > 0:
            found.append((tuple(place), mu, 1))
            place[mu] += 1
        else:
            place[mu] -= 1
            found.append((tuple(place), mu, -1))
    if tuple(place) != tuple(start):
        raise LqcdError(f"the path {path} does not close")
    return tuple(found)


def steps(links):
    """(start, path) of a walk."""
    site, mu, sign = links[0]
    start = tuple(c + (sign < 0) * (nu == mu) for nu, c in enumerate(site))
    return start, tuple(sign * (mu + 1) for _, mu, sign in links)


def product(*loops, ndim=2):
    """A product of loops given as (path, start) or as a path that begins at the origin.

    >>> len(product((1, 2, -1, -2)))
    1
    """
    zero = (0,) * ndim
    pairs = [(loop, zero) if isinstance(loop[0], int) else loop for loop in loops]
    return tuple(walk(path, start) for path, start in pairs)


# ---- the lattice's symmetries


@cache
def _cubic(ndim):
    """Rotations and reflections: (permutation of directions, signs)."""
    return tuple(itertools.product(itertools.permutations(range(ndim)), itertools.product((1, -1), repeat=ndim)))


def _move(links, permutation, signs):
    """A walk after x'_permutation[mu] = signs[mu] x_mu."""
    moved = []
    for site, mu, sign in links:
        target = [0] * len(site)
        for nu, c in enumerate(site):
            target[permutation[nu]] = signs[nu] * c
        direction = permutation[mu]
        if signs[mu] < 0:
            target[direction] -= 1
        moved.append((tuple(target), direction, sign * signs[mu]))
    return tuple(moved)


def _reverse(links):
    return tuple((site, mu, -sign) for site, mu, sign in reversed(links))


def _rotations(links):
    return [links[k:] + links[:k] for k in range(len(links))]


def _placed(loops):
    """The product moved so that its lowest site is the origin, loops in canonical rotation and order."""
    ndim = len(loops[0][0][0])
    low = [min(site[nu] for links in loops for site, _, _ in links) for nu in range(ndim)]
    shifted = [tuple((tuple(np.subtract(site, low).tolist()), mu, s) for site, mu, s in links) for links in loops]
    return tuple(sorted(min(_rotations(links)) for links in shifted))


@cache
def images(loops):
    """The different images of a product up to translations; a product and its complex conjugate count once."""
    ndim = len(loops[0][0][0])
    found = set()
    for permutation, signs in _cubic(ndim):
        moved = tuple(_move(links, permutation, signs) for links in loops)
        found.add(min(_placed(moved), _placed(tuple(_reverse(links) for links in moved))))
    return tuple(sorted(found))


def canonical(loops):
    """The representative of a product's class."""
    return images(tuple(loops))[0]


# ---- the Laplacian


def laplacian(loops, nc):
    """sum over links and a of d^a d^a Re prod tr, as {canonical product (() for 1): coefficient}, per image.

    d^a differentiates along U -> e^{i omega T^a} U, tr T^a T^b = 1/2 (U(1): T = 1, nc = 1).
    """
    found = Counter()
    where = [(k, n) for k, links in enumerate(loops) for n in range(len(links))]
    for first, second in itertools.product(where, repeat=2):
        (site, mu, s), (other, nu, t) = loops[first[0]][first[1]], loops[second[0]][second[1]]
        if (site, mu) == (other, nu):
            for result, c in _contract(loops, first, second, nc):
                found[result] -= s * t * c
    return {_canonical_or_one(result): c for result, c in _gather(found, nc).items() if abs(c) > 1e-14}


def _gather(found, nc):
    """Equal classes summed; loops that retrace themselves are shortened, tr 1 = nc."""
    total = Counter()
    for result, c in found.items():
        shortened = [_shorten(links) for links in result]
        factor = float(nc) ** sum(not links for links in shortened)
        total[_canonical_or_one(tuple(links for links in shortened if links))] += c * factor
    return total


def _canonical_or_one(loops):
    return canonical(loops) if loops else ()


def _shorten(links):
    """The loop without steps that are taken back at once."""
    links = list(links)
    changed = True
    while changed and links:
        changed = False
        for k in range(len(links)):
            a, b = links[k - 1], links[k]
            if len(links) > 1 and a[:2] == b[:2] and a[2] == -b[2]:
                links = [x for n, x in enumerate(links) if n not in (k, (k - 1) % len(links))]
                changed = True
                break
    return tuple(links)


def _contract(loops, first, second, nc):
    """sum_a of T^a inserted at two places: list of (product, coefficient)."""
    if nc == 1:
        return [(loops, 1.0)]
    if first == second:
        return [(loops, (nc * nc - 1) / (2 * nc))]
    rest = tuple(links for k, links in enumerate(loops) if k not in (first[0], second[0]))
    if first[0] == second[0]:
        cut = _cut(loops[first[0]], _insertion(loops, first), _insertion(loops, second))
        pieces = [(rest + cut, 0.5), (loops, -0.5 / nc)]
        return [(tuple(p for p in result), c) for result, c in pieces]
    one, two = (_opened(loops[k], _insertion(loops, (k, n))) for k, n in (first, second))
    return [((*rest, one + two), 0.5), (loops, -0.5 / nc)]


def _insertion(loops, place):
    """T^a stands before a link that is walked forwards, after one that is walked backwards."""
    k, n = place
    return n if loops[k][n][2] > 0 else n + 1


def _opened(links, at):
    at %= len(links)
    return links[at:] + links[:at]


def _cut(links, p, q):
    """The two loops between two insertions (one of them may be empty: a factor nc)."""
    p, q = sorted((p % len(links), q % len(links)))
    return links[p:q], links[q:] + links[:p]


def closure(classes, nc):
    """The classes that the Laplacian makes of `classes`, themselves first, and its matrix.

    Returns (all classes, matrix (given, all), constants (given,)): Delta W_i = sum_j matrix_ij W_j + constant_i V,
    with V sites.
    """
    classes = [canonical(c) for c in classes]
    everything = list(classes)
    rows = []
    for one in classes:
        row, constant = {}, 0.0
        for other, c in laplacian(one, nc).items():
            if other == ():
                constant += c * len(images(one))
                continue
            if other not in everything:
                everything.append(other)
            row[everything.index(other)] = c * len(images(one)) / len(images(other))
        rows.append((row, constant))
    matrix = np.zeros((len(classes), len(everything)))
    for i, (row, _) in enumerate(rows):
        for j, c in row.items():
            matrix[i, j] = c
    return everything, matrix, np.array([constant for _, constant in rows])


def gradient_product(one, two, nc):
    """sum over links and a of (d^a W_one)(d^a W_two) per image of `one`, as `laplacian`.

    Re A Re B = Re (A B + A B^*)/2 for every image B that meets A.
    """
    found = Counter()
    own = {(site, mu) for links in one for site, mu, _ in links}
    for image in images(tuple(two)):
        for other, weight in ((image, 0.5), (tuple(_reverse(links) for links in image), 0.5)):
            for moved in _meeting(own, other):
                joined = tuple(one) + moved
                mine = [(k, n) for k in range(len(one)) for n in range(len(joined[k]))]
                its = [(k, n) for k in range(len(one), len(joined)) for n in range(len(joined[k]))]
                for first, second in itertools.product(mine, its):
                    (site, mu, s), (where, nu, t) = joined[first[0]][first[1]], joined[second[0]][second[1]]
                    if (site, mu) == (where, nu):
                        for result, c in _contract(joined, first, second, nc):
                            found[result] -= s * t * c * weight
    return {result: c for result, c in _gather(found, nc).items() if abs(c) > 1e-14}


def _meeting(links, loops):
    """The translates of a product that share a link with `links`."""
    shifts = {
        tuple(np.subtract(site, other).tolist())
        for site, mu in links
        for walked in loops
        for other, nu, _ in walked
        if mu == nu
    }
    for shift in sorted(shifts):
        yield tuple(tuple((tuple(np.add(s, shift).tolist()), mu, sign) for s, mu, sign in w) for w in loops)
