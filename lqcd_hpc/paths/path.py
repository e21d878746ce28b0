"""Symbolic paths on the lattice, and the staple that follows from a closed loop.

A path is a tuple of steps +-(mu + 1): (+1, +2, -1, -2) is the plaquette +x +y -x -y.
"""

from __future__ import annotations

from ..errors import LqcdError

_LETTERS = "xyzt"


def parse(text):
    """The path of a text such as "+x +y -x -y" ("x2" or "+x+x" for two steps).

    Raises `LqcdError` for anything else.

    >>> parse("+x +y -x -y")
    (1, 2, -1, -2)
    """
    if isinstance(text, (tuple, list)):
        return tuple(int(s) for s in text)
    steps, sign, previous = [], 1, None
    for c in str(text).replace(" ", "").replace(",", ""):
        if c in "+-":
            sign = 1 if c == "+" else -1
        elif c in _LETTERS:
            previous = sign * (_LETTERS.index(c) + 1)
            steps.append(previous)
            sign = 1
        elif c.isdigit() and c != "0" and previous:
            steps += [previous] * (int(c) - 1)
        else:
            raise LqcdError(f'cannot read the path {text!r}: write steps such as "+x +y -x -y"')
    return tuple(steps)


def write(path):
    """The text of a path.

    >>> write((1, -4))
    '+x -t'
    """
    return " ".join(("+" if s > 0 else "-") + _LETTERS[abs(s) - 1] for s in path)


def reverse(path):
    """The path walked backwards (the adjoint product).

    >>> reverse((1, 2))
    (-2, -1)
    """
    return tuple(-s for s in path[::-1])


def end(path, ndim):
    """The displacement from start to end."""
    position = [0] * ndim
    for s in path:
        position[abs(s) - 1] += 1 if s > 0 else -1
    return tuple(position)


def extent(path, ndim):
    """Extent of the path in every direction.

    >>> extent((1, 1, 2, -1, -1, -2), 2)
    (2, 1)
    """
    position, low, high = [0] * ndim, [0] * ndim, [0] * ndim
    for s in path:
        mu = abs(s) - 1
        position[mu] += 1 if s > 0 else -1
        low[mu], high[mu] = min(low[mu], position[mu]), max(high[mu], position[mu])
    return tuple(h - m for h, m in zip(high, low))


def check_loop(path, ndim):
    """The path itself if it is a closed loop in `ndim` directions; raises `LqcdError` otherwise."""
    if not path or max(abs(s) for s in path) > ndim:
        raise LqcdError(
            f"the loop {write(path) or '(empty)'} uses directions that a lattice of {ndim} dimensions lacks"
        )
    if any(end(path, ndim)):
        raise LqcdError(f"the loop {write(path)} does not close: it ends at {end(path, ndim)}")
    return path


def staples(loop, mu):
    """What is left of the loop when a link +mu is taken out, for every occurrence of it.

    The link is the first step of the loop or of its reverse, turned cyclically; the rest starts at x + mu:
    Re tr loop = Re tr U_mu(x) rest. One entry per occurrence.

    >>> staples((1, 2, -1, -2), 0)
    [(2, -1, -2), (-2, -1, 2)]
    """
    found = []
    for walk in (tuple(loop), reverse(loop)):
        for k, s in enumerate(walk):
            if s == mu + 1:
                found.append(walk[k + 1 :] + walk[:k])
    return found


def links(path, start, ndim):
    """The links of a path as (direction, position, daggered), walking from `start`.

    >>> links((1, -1), (0, 0), 2)
    [(0, (0, 0), False), (0, (0, 0), True)]
    """
    position, found = list(start), []
    for s in path:
        mu = abs(s) - 1
        if s < 0:
            position[mu] -= 1
        found.append((mu, tuple(position), s < 0))
        if s > 0:
            position[mu] += 1
    return found
