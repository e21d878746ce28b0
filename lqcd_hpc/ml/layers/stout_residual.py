"""Residual layers of gauge links: stout steps of active links with learned coefficients and an exact Jacobian."""

from __future__ import annotations

from itertools import combinations
from math import ceil, log, prod

import torch

from ...errors import LqcdError
from ..generators import generators
from .roots import increasing_root
from .sun_coupling import traces


class StoutResidual(torch.nn.Module):
    """U' = e^{Z(U)} U of the active links, Z = -TA(sum_k c_k U A_k), with A_k the staples of U (2401.10874).

    TA is the traceless anti-Hermitian part, so that c_k = -rho is a stout step; c = contraction tanh(net)/(number of
    staples), from a network that sees tr A_j^dag A_k. Staples hold no active links: the Jacobian is one block for each
    active link. As sum |c_k| < 1 the map is invertible, and U <- e^{-Z(U)} U' converges to the inverse.

    links : the active ones (CheckerboardLinks); group : `Angles` or `Matrices`, how links are multiplied;
    net : a network of the traces, on the active sites
    """

    def __init__(self, links, group, net, contraction):
        super().__init__()
        self.group, self.net, self.contraction = group, net, contraction
        self.register_buffer("staples", links.table(), persistent=False)
        self.register_buffer("place", links.mu * prod(links.shape) + links.active, persistent=False)

    def forward(self, x):
        return self._move(x, self.group.forward)

    def inverse(self, x):
        return self._move(x, self.group.inverse)

    def _move(self, x, function):
        links = x.flatten(1, 1 + self.group.dims(x)).transpose(0, 1)
        staples = self.group.staples(*links[self.staples].unbind(1))
        c = self.contraction * torch.tanh(self.net.rows(self.group.context(staples))) / len(staples)
        moved, log_det = function(links.index_select(0, self.place), staples, c, self.contraction)
        links = links.index_copy(0, self.place, moved).transpose(0, 1)
        return links.reshape(x.shape), log_det.sum(0)


def staple_pairs(count):
    """Pairs of staples whose traces are seen."""
    return list(combinations(range(count), 2))


class Angles:
    """U(1): theta' = theta - sum_k c_k sin(theta + a_k), d theta'/d theta = 1 - sum_k c_k cos(theta + a_k)."""

    @staticmethod
    def channels(count):
        return 2 * len(staple_pairs(count))

    @staticmethod
    def dims(x):
        return x.dim() - 2

    @staticmethod
    def staples(near, opposite, here):
        sign = torch.tensor([1.0, -1.0], dtype=near.dtype, device=near.device).repeat(len(near) // 2)
        return sign[:, None, None] * (near - here) - opposite

    @staticmethod
    def context(a):
        angles = torch.stack([a[k] - a[j] for j, k in staple_pairs(len(a))])
        return torch.cat([torch.cos(angles), torch.sin(angles)])

    @staticmethod
    def forward(theta, a, c, contraction):
        shift, slope = _shift(theta, a, c)
        return theta + shift, torch.log(slope)

    @staticmethod
    def inverse(moved, a, c, contraction):
        def map_of(theta):
            shift, slope = _shift(theta, a, c)
            return theta + shift, torch.log(slope)

        theta = increasing_root(map_of, moved, moved - 1, moved + 1)
        return theta, -map_of(theta)[1]


def _shift(theta, a, c):
    return -(c * torch.sin(theta + a)).sum(0), 1 - (c * torch.cos(theta + a)).sum(0)


class Matrices:
    """SU(N): with left variations dU = omega U, dU' = (e^{ad Z} omega + Phi(ad Z) dZ) U', Phi(x) = (e^x - 1)/x.

    In the basis i T^a, tr T^a T^b = 1/2, with W = sum_k c_k U A_k and B(X)_ab = 2 Re tr T^a T^b X: dZ = -B(W) omega and
    ad Z = B(Z)^T - B(Z). As det e^{ad Z} = 1, log det = log det(1 - Phi(-ad Z) B(W)), Phi by its series:
    |ad Z| <= 2 contraction.
    """

    def __init__(self, nc):
        self.nc = nc

    def channels(self, count):
        return len(staple_pairs(count)) * (self.nc // 2) * (2 if self.nc > 2 else 1)

    @staticmethod
    def dims(x):
        return x.dim() - 4

    @staticmethod
    def staples(near, opposite, here):
        ahead = near[::2] @ (here[::2] @ opposite[::2]).mH
        behind = (opposite[1::2] @ near[1::2]).mH @ here[1::2]
        return torch.stack([ahead, behind], 1).flatten(0, 1)

    @staticmethod
    def context(a):
        return traces(torch.stack([a[j].mH @ a[k] for j, k in staple_pairs(len(a))]))

    def forward(self, u, a, c, contraction):
        w = u @ _sum(a, c)
        z = -_algebra(w)
        return torch.linalg.matrix_exp(z) @ u, torch.linalg.slogdet(self._jacobian(w, z, contraction))[1]

    def inverse(self, moved, a, c, contraction):
        """The fixed point, then a Newton step that makes it differentiable."""
        total = _sum(a, c)
        with torch.no_grad():
            u = fixed_point(lambda u: torch.linalg.matrix_exp(_algebra(u @ total)) @ moved, moved, contraction)
            w = u @ total
            z = -_algebra(w)
            inverse = torch.linalg.inv(self._jacobian(w, z, contraction)) @ torch.linalg.matrix_exp(-_adjoint(z, self))
        error = _algebra(torch.linalg.matrix_exp(-_algebra(u @ total)) @ u @ moved.mH)
        u = torch.linalg.matrix_exp(-self._element(inverse, error)) @ u
        w = u @ total
        return u, -torch.linalg.slogdet(self._jacobian(w, -_algebra(w), contraction))[1]

    def _element(self, matrix, element):
        """matrix (a, b) applied to an element of the algebra."""
        t = generators(self.nc, element.dtype, element.device)
        numbers = 2 * torch.einsum("aij,...ji->...a", t, element).imag
        return 1j * torch.einsum("aij,...ab,...b->...ij", t, matrix.to(t.dtype), numbers.to(t.dtype))

    def _jacobian(self, w, z, contraction):
        minus_ad = -_adjoint(z, self)
        term = total = -self.products(w)
        for n in range(2, _terms(2 * contraction, total.dtype)):
            term = minus_ad @ term / n
            total = total + term
        return total + torch.eye(total.shape[-1], dtype=total.dtype, device=total.device)

    def products(self, x):
        """B(X)_ab = 2 Re tr T^a T^b X."""
        t = generators(self.nc, x.dtype, x.device)
        pairs = (t[:, None] @ t[None]).mT.flatten(2).flatten(0, 1)
        return 2 * (x.flatten(-2) @ pairs.T).real.unflatten(-1, (len(t), len(t)))


def _adjoint(z, group):
    b = group.products(z)
    return b.mT - b


def _sum(a, c):
    """sum_k c_k A_k of staples (k, sites, batch, N, N)."""
    return (a * c[..., None, None]).sum(0)


def _algebra(x):
    """The traceless anti-Hermitian part."""
    x = (x - x.mH) / 2
    trace = torch.diagonal(x, dim1=-2, dim2=-1).mean(-1)
    return x - trace[..., None, None] * torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def _terms(bound, dtype):
    """Terms of the series of Phi(x) for |x| <= bound that matter."""
    size, n = 1.0, 1
    while size > torch.finfo(dtype).eps:
        n += 1
        size *= bound / n
    return n


def fixed_point(function, start, contraction):
    """x = function(x) of a contraction; raises `LqcdError` where it does not converge at the promised rate."""
    eps = torch.finfo(start.dtype).eps
    x, last = start, 64 * eps
    for _ in range(10 + ceil(log(eps / 10) / log(contraction))):
        before, x = x, function(x)
        if (x - before).abs().max() <= last:
            return x
    raise LqcdError(
        f"a residual layer was not inverted: the iteration does not contract by {contraction}; are its links unitary?"
    )
