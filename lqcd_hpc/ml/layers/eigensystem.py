"""Eigenvalues and eigenvectors of unitary matrices, orthonormal also where eigenvalues coincide."""

from __future__ import annotations

from math import pi

import torch


def eigensystem(u):
    """(phases, vectors) of unitary matrices (..., N, N): U = V diag(e^{i phases}) V^dag, phases (..., N) in (-pi, pi].

    Closed formulae for N = 2 and 3; otherwise those of a Hermitian combination of U and U^dag. V is unitary to rounding
    for any U, degenerate or not. Not differentiable.

    >>> phases, v = eigensystem(torch.diag(torch.tensor([1.0, 1j, -1j])))
    >>> torch.allclose(v @ torch.diag(torch.exp(1j * phases)) @ v.mH, torch.diag(torch.tensor([1.0, 1j, -1j])))
    True
    """
    with torch.no_grad():
        v = {2: _vectors_of_two, 3: _vectors_of_three}.get(u.shape[-1], _vectors_of_many)(u)
        return torch.angle((v.conj() * (u @ v)).sum(-2)), v


def _tiny(x):
    return torch.finfo(x.dtype).eps ** 2


def _vectors_of_two(u):
    """U - tr U/2 is a complex number times n.sigma, with a real vector n: the eigenvectors are those of spin up and
    down along n."""
    z, b, c = (u[..., 0, 0] - u[..., 1, 1]) / 2, u[..., 0, 1], u[..., 1, 0]
    turn = torch.sgn(torch.sqrt(z * z + b * c)).conj()
    z, across = (z * turn).real, (b.conj() * turn.conj() + c * turn) / 2
    length = torch.sqrt(z * z + across.real**2 + across.imag**2) + z.abs() + _tiny(u)
    up = z >= 0
    first, second = torch.where(up, length, across.conj()), torch.where(up, across, length)
    v = torch.nn.functional.normalize(torch.stack([first, second], -1), dim=-1, eps=0)
    return torch.stack([v, torch.stack([-v[..., 1], v[..., 0]], -1).conj()], -1)


def _vectors_of_three(u):
    """The eigenvector whose eigenvalue is farthest from the others, then a problem of two in what is orthogonal."""
    v = _isolated(u)
    smallest = torch.nn.functional.one_hot(v.abs().argmin(-1), 3).to(v.dtype)
    a = smallest - v * (v.conj() * smallest).sum(-1, keepdim=True)
    a = a / torch.linalg.vector_norm(a, dim=-1, keepdim=True)
    rest = torch.stack([a, torch.linalg.cross(v, a).conj()], -1)
    return torch.cat([v[..., None], rest @ _vectors_of_two(rest.mH @ (u @ rest))], -1)


def _isolated(u):
    """With X = U - tr U/3 and the root mu of mu^3 + p mu + q that is farthest from the other two, the null vector of
    X - mu is orthogonal to two of its rows."""
    one = torch.eye(3, dtype=u.dtype, device=u.device)
    x = u - torch.diagonal(u, dim1=-2, dim2=-1).mean(-1)[..., None, None] * one
    x = x + _tiny(u) * torch.diag(torch.tensor([1.0, 0.0, -1.0], dtype=u.dtype, device=u.device))
    x = x / torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True)
    p, q = -(x * x.mT).sum((-2, -1)) / 2, -torch.linalg.det(x)
    mu = _roots(p, q)
    apart = 3 * mu * mu + p[..., None]
    best = apart.abs().argmax(-1, keepdim=True)
    mu, apart = mu.gather(-1, best), apart.gather(-1, best)
    mu = mu - (mu**3 + p[..., None] * mu + q[..., None]) / apart
    rows = x - mu[..., None] * one
    normals = torch.linalg.cross(rows, rows.roll(-1, -2))
    best = torch.linalg.vector_norm(normals, dim=-1).argmax(-1)[..., None, None].expand(*u.shape[:-2], 1, 3)
    return torch.nn.functional.normalize(normals.gather(-2, best)[..., 0, :], dim=-1, eps=0)


def _roots(p, q):
    """The roots (..., 3) of mu^3 + p mu + q by Cardano's formula, with the sign that does not cancel."""
    root = torch.sqrt(q * q / 4 + p**3 / 27)
    plus, minus = -q / 2 + root, -q / 2 - root
    cube = torch.where(plus.abs() >= minus.abs(), plus, minus)
    turns = torch.polar(torch.ones(3, dtype=cube.real.dtype), 2 * pi / 3 * torch.arange(3, dtype=cube.real.dtype))
    c = (torch.polar(cube.abs() ** (1 / 3), torch.angle(cube) / 3))[..., None] * turns.to(cube.device)
    return c - p[..., None] / (3 * c)


def _vectors_of_many(u):
    """Those of (e^{-i phi} U + h.c.)/2, whose eigenvalues cos(theta - phi) coincide for different theta only if phi is
    (theta_i + theta_j)/2 mod pi: phi is put into the middle of the largest gap between these."""
    phases = torch.angle(torch.linalg.eigvals(u))
    n = phases.shape[-1]
    i, j = torch.triu_indices(n, n, 1, device=u.device)
    bad = torch.sort(torch.remainder((phases[..., i] + phases[..., j]) / 2, pi), -1)[0]
    gap = torch.cat([bad[..., 1:], bad[..., :1] + pi], -1) - bad
    widest = gap.argmax(-1, keepdim=True)
    phi = (bad + gap / 2).gather(-1, widest)[..., None]
    turned = torch.polar(torch.ones_like(phi), -phi) * u
    return torch.linalg.eigh((turned + turned.mH) / 2)[1]
