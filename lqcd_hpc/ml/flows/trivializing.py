"""Learned trivializing gradient flow (Luescher, arXiv:0907.5491; Bacchio et al., arXiv:2212.08469)."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import torch
from pydantic import PositiveInt
from scipy.interpolate import CubicSpline

from ...description import description
from ...errors import LqcdError
from ...fields.kinds import colours
from ...paths import loop_products
from ...paths.loops import plaquettes
from ..flow import Flow
from ..layers.gradient_flow import NODES, Velocity, integrate


@description
class Trivializing:
    """U' = -i T^a d^a S(U, t) U from t = 0 to 1 with S = sum_i c_i(t) W_i, coefficients learned at `knots` times.

    order : 0 the plaquette alone, 1 and 2 with the products of two and of three that Luescher's expansion has
    knots : times at which coefficients are parameters; linear (2) or cubic splines (4 or more) between them
    steps : of a third-order Lie group integrator
    start : "zero", "leading" or "next": coefficients of the expansion, to order t^0 or t^1
    checkpoints : keep the links of every step, for the gradient of the discrete map; without, memory is constant

    In two dimensions order 1 has 7 loops and order 2 has 42. Coefficients do not depend on the volume.

    Raises `LqcdError` for targets without plaquette action.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> flow = Trivializing(order=1, knots=2, steps=4).on(target(Wilson(beta=4.0), (4, 4), "SU(3)"))
    >>> sum(p.numel() for p in flow.parameters())
    14
    """

    order: Literal[0, 1, 2]
    knots: PositiveInt
    steps: PositiveInt
    start: Literal["zero", "leading", "next"] = "leading"
    checkpoints: bool = True

    def on(self, target):
        """The flow towards a gauge target."""
        if getattr(target, "group", None) is None:
            raise LqcdError(f"a trivializing flow needs a target of gauge links, not {target}")
        ndim = len(target.shape)
        if sorted(target.description.loops(ndim)) != sorted((p, 1.0) for p in plaquettes(ndim)):
            raise LqcdError("the trivializing flow is known for the isotropic plaquette action only")
        if self.knots == 3:
            raise LqcdError("knots = 3: a cubic spline needs 4 times or more; 2 are joined by a line")
        return Flow(target.prior, [TrivializingLayer(self, target)])


class TrivializingLayer(torch.nn.Module):
    """The flow from t = 0 to 1. Parameters do not depend on the volume."""

    per_sample = True  # c may be (batch, knots, classes)

    def __init__(self, description, target):
        super().__init__()
        self.description = description
        nc, ndim = colours(target.group), len(target.shape)
        self.classes = families(ndim, nc, description.order)
        self._check_extents(target.shape)
        self.velocity = Velocity(self.classes, nc)
        knots = np.linspace(0, 1, description.knots)
        self.c = torch.nn.Parameter(torch.from_numpy(self._start(knots, target.beta, nc, ndim)))
        times = (np.arange(description.steps)[:, None] + np.array(NODES)) / description.steps
        self.register_buffer("basis", torch.from_numpy(_basis(knots, times)), persistent=False)
        self.register_buffer("back", torch.from_numpy(_basis(knots, 1 - times)), persistent=False)
        self.angles = nc == 1

    def _check_extents(self, shape):
        """A loop that meets itself around the lattice has another Laplacian than its class."""
        widest = self.description.order + 3  # sites that the loops of this order and its Laplacian span, and one more
        if min(shape) < widest:
            raise LqcdError(f"loops of order {self.description.order} need extents of {widest} or more, not {shape}")

    def _start(self, knots, beta, nc, ndim):
        """Coefficients (knots, classes) of the expansion in t."""
        c = np.zeros((len(knots), len(self.classes)))
        if self.description.start == "zero":
            return c
        known = expansion(ndim, nc, 1 if self.description.start == "next" and self.description.order else 0)
        for power, row in enumerate(known):
            for loop, value in _without_repeats(row, nc).items():
                c[:, self.classes.index(loop)] += value * (beta / nc) ** (power + 1) * knots**power
        return c

    def grown(self, c):
        """Coefficients (knots, classes) of a flow of lower order or fewer knots as those of this one: the same function
        of t, where it can be; others are given back as they are."""
        knots, classes = c.shape
        if knots > self.c.shape[0] or classes > self.c.shape[1] or c.shape == self.c.shape:
            return c
        own = torch.zeros_like(self.c, dtype=c.dtype)
        times = np.linspace(0, 1, self.description.knots)
        own[:, :classes] = torch.from_numpy(_basis(np.linspace(0, 1, knots), times)).to(c) @ c
        return own

    def forward(self, z):
        """(x, log|det|) by integrating forwards."""
        return self._follow(z, self._at(self.basis), 1.0)

    def inverse(self, x):
        """(z, log|det|) by integrating backwards."""
        return self._follow(x, self._at(self.back), -1.0)

    def _at(self, basis):
        """Coefficients (steps, stages, classes) at the times of a basis; with c of every sample (.., .., batch, ..)."""
        return torch.einsum("nsk,...kc->ns...c", basis.to(self.c), self.c)

    def _follow(self, u, coefficients, length):
        links = torch.exp(1j * u)[..., None, None] if self.angles else u
        links, log_det = integrate(self.velocity, links, coefficients, length, self.description.checkpoints)
        return (torch.angle(links[..., 0, 0]) if self.angles else links), log_det


def _basis(knots, times):
    """Weights of the knots at times (steps, stages): (steps, stages, knots)."""
    if len(knots) == 1:
        return np.ones((*times.shape, 1))
    unit = np.eye(len(knots))
    if len(knots) == 2:
        return np.stack([1 - times, times], -1)
    return CubicSpline(knots, unit)(times)


@cache
def orders(ndim, nc):
    """Loop classes that appear first at t^0, t^1, t^2 of the expansion."""
    plaquette = loop_products.canonical(loop_products.product(*[plaquettes(ndim)[0]], ndim=ndim))
    found = [[plaquette]]
    for _ in range(2):
        new = set()
        for loop in found[-1]:
            new |= set(loop_products.gradient_product(loop, plaquette, nc)) - {()}
        everything, _, _ = loop_products.closure(sorted(new), nc)
        known = {loop for order in found for loop in order}
        found.append([loop for loop in everything if loop not in known])
    return found


def families(ndim, nc, order):
    """The loop classes of a flow: those of the expansion to an order, up to SU(3) without the single traces of a
    repeated loop, which Cayley and Hamilton express by the others."""
    found = [loop for some in orders(ndim, nc)[: order + 1] for loop in some]
    return found if nc > 3 else [loop for loop in found if not _repeated(loop)]


def _repeated(loops):
    """The path that a single trace runs through twice or more, or None."""
    start, path = loop_products.steps(loops[0])
    periods = [n for n in range(1, len(path)) if len(path) % n == 0 and path == path[:n] * (len(path) // n)]
    return (path[: periods[0]], start) if len(loops) == 1 and periods else None


def _without_repeats(row, nc):
    """tr P^2 = (tr P)^2 - 2 tr P^dag for SU(3), less 2 for SU(2), (tr P)^2 for U(1)."""
    reduced = {}
    for loop, value in row.items():
        once = nc <= 3 and _repeated(loop)
        if not once:
            reduced[loop] = reduced.get(loop, 0.0) + value
            continue
        ndim = len(once[1])
        square = loop_products.canonical(loop_products.product(once, once, ndim=ndim))
        reduced[square] = reduced.get(square, 0.0) + value
        if nc == 3:
            single = loop_products.canonical(loop_products.product(once, ndim=ndim))
            reduced[single] = reduced.get(single, 0.0) - 2 * value
    return reduced


@cache
def expansion(ndim, nc, order):
    """Coefficients of W by powers of t, in units of (beta/nc)^(power + 1): -Delta S0 = S, -Delta S1 = -(dS, dS0)."""
    (plaquette,), first = orders(ndim, nc)[:2]
    casimir = 1.0 if nc == 1 else (nc * nc - 1) / (2 * nc)
    rows = [{plaquette: -1 / (4 * casimir)}]
    if order:
        everything, matrix, _ = loop_products.closure(first, nc)
        source = np.zeros(len(everything))
        for loop, value in loop_products.gradient_product(plaquette, plaquette, nc).items():
            if loop != ():
                source[everything.index(loop)] += value / len(loop_products.images(loop))
        solution = np.linalg.lstsq(matrix.T, source)[0] / (4 * casimir)  # classes of U(1) depend on each other
        rows.append(dict(zip(everything, solution)))
    return rows
