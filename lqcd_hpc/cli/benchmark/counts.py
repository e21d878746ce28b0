"""Flops and bytes of the kernels, and how they are counted.

Real additions and multiplications of the straightforward algorithm, a multiply-add being two: a complex
product is 6, a product of two N x N matrices 8 N^3 - 2 N^2 (198 for SU(3)). Random numbers, logarithms, roots
and divisions are not counted. Bytes are the ideal traffic of one launch: every field that it reads or writes
moves once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """Flops and bytes per unit ("link" or "site"), and how the flops were counted."""

    flops: float
    bytes: float
    unit: str
    how: str


def product(n):
    """Product of two complex n x n matrices.

    >>> product(3)
    198
    """
    return 8 * n**3 - 2 * n**2


def generators(n):
    """Dimension of the algebra of SU(n), or U(1)."""
    return n * n - 1 if n > 1 else 1


def staple(n, ndim):
    """Sum of 2 (d - 1) staples of two products each."""
    staples = 2 * (ndim - 1)
    return staples * 2 * product(n) + (staples - 1) * 2 * n * n


def plaquette(n, ndim, size):
    """Per site: two products and the real trace of a third for every plane."""
    planes = ndim * (ndim - 1) // 2
    flops = planes * (2 * product(n) + 4 * n * n - 1)
    return Count(flops, ndim * _link(n, size), "site", "d(d-1)/2 planes x (2 products + Re tr of a third)")


def force(n, ndim, size):
    """Per link: staple, product, projection (2 per generator), update of P (3 per generator)."""
    flops = staple(n, ndim) + product(n) + 5 * generators(n)
    traffic = _link(n, size) + 2 * generators(n) * size
    return Count(flops, traffic, "link", "2(d-1) staples x 2 products + product + 5 per generator")


def exponential(n, ndim, size):
    """Per link: exp by Cayley-Hamilton with 17 terms (SU(3)), and one product."""
    terms = {1: 0, 2: 20}.get(n, 17 * 7 + n * n * 14 + product(n) + 40)
    flops = generators(n) + terms + product(n)
    traffic = 2 * _link(n, size) + generators(n) * size
    return Count(flops, traffic, "link", "H^2, 17 Horner steps of 7, q0 + q1 H + q2 H^2, product with U")


def local_update(n, ndim, size, subgroup):
    """Per link: staple, W = U S, and for every SU(2) subgroup its part (15), `subgroup` more, and rotated
    rows of U and W.
    """
    subgroups = n * (n - 1) // 2
    flops = staple(n, ndim) + product(n) + subgroups * (15 + subgroup + 2 * 28 * n)
    traffic = (2 * (ndim - 1) + 1 + 2) * _link(n, size)  # per link of one parity: both parities of the others
    return Count(
        flops,
        traffic,
        "link",
        f"staple + product + subgroups x (15 + {subgroup} + rotations of 2 rows of U and W)",
    )


def heatbath(n, ndim, size):
    """`local_update` with a quaternion product of 28 and its normalisation."""
    return local_update(n, ndim, size, 35)


def overrelaxation(n, ndim, size):
    """`local_update` with a squared quaternion."""
    return local_update(n, ndim, size, 18)


def path_force(n, ndim, size, lengths):
    """Per link: staples of these numbers of links, each scaled and added, then product, projection and update
    of P.
    """
    paths = sum((length - 1) * product(n) + 4 * n * n for length in lengths) / ndim
    flops = paths + product(n) + 5 * generators(n)
    traffic = 4 * _link(n, size) + 2 * generators(n) * size
    return Count(flops, traffic, "link", "(length - 1) products and 4 N^2 per staple path + product + 5 per generator")


def flow_step(n, ndim, size):
    """Per link: three forces and three exponential updates."""
    f, e = force(n, ndim, size), exponential(n, ndim, size)
    return Count(3 * (f.flops + e.flops), 3 * (f.bytes + e.bytes), "link", "3 x (force + exponential update)")


def clover(n, ndim, size):
    """Per site: four leaves of three products per plane, projections, energy and charge."""
    planes, ng = ndim * (ndim - 1) // 2, generators(n)
    flops = planes * (12 * product(n) + 8 * n * n + 3 * ng) + (planes + 3) * 2 * ng
    return Count(
        flops,
        ndim * _link(n, size),
        "site",
        "d(d-1)/2 planes x (4 leaves x 3 products + sums) + dot products",
    )


def _link(n, size):
    return 2 * n * n * size
