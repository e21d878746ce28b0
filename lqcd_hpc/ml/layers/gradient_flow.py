"""Gradient flow of a sum of loops on the gauge group, its exact divergence, and its adjoint in constant memory.

U' = Z U, Z = -T^a d^a S(U, t) i, S = sum_i c_i(t) W_i, and d log|det|/dt = -sum d^a d^a S, where the Laplacian of the
loops is again a sum of loops (paths/loop_products.py; arXiv:0907.5491, 2212.08469).
"""

from __future__ import annotations

from functools import lru_cache

import torch

from ...paths.loop_products import closure
from ...smearing.gradient_flow import RUNGE_KUTTA
from .loop_sums import LoopSums
from .matrix_fields import Frame


def _tableau():
    """RUNGE_KUTTA, Y <- a Y + b Z, written out: rows A of W_{k+1} = exp(h sum_j A_kj Z_j) W_k, times of the stages."""
    rows, nodes = [], [0.0]
    for a, b in RUNGE_KUTTA:
        rows.append((*(a * x for x in (rows[-1] if rows else ())), b))
        nodes.append(nodes[-1] + sum(rows[-1]))
    return rows, nodes[:-1]


STAGES, NODES = _tableau()
WEIGHTS = [sum(row[j] for row in STAGES[j:]) for j in range(len(STAGES))]  # of the slopes in a whole step: 1/4, 0, 3/4


class Velocity:
    """Z(U) and the divergence for coefficients c of loop classes, on SU(nc) or U(1) (nc = 1)."""

    def __init__(self, classes, nc):
        everything, matrix, constants = closure(classes, nc)
        self.count, self.nc = len(classes), nc
        self.sums = LoopSums(everything)
        self.laplacian = torch.from_numpy(matrix)
        self.constants = torch.from_numpy(constants)

    def __call__(self, frame, links, c, differentiable=False):
        """(Z as one matrix field per direction, divergence (batch,)) for coefficients c (count,) or (batch, count).

        Links must require gradients. T^a d^a S i = [G U^dag]/2 with the gradient G of S in the real and imaginary
        parts of U (U(1): [G U^dag]).
        """
        w = self.sums(frame, links)
        action = (w[:, : self.count] * c).sum()
        gradients = torch.autograd.grad(action, links, create_graph=differentiable, retain_graph=True)
        weight = -1.0 if self.nc == 1 else -0.5
        z = [frame.project(frame.product(g, u, adjoint_b=True), weight) for g, u in zip(gradients, links)]
        laplacian = (w * (c @ self.laplacian.to(c))).sum(1) + frame.lattice.volume * (c @ self.constants.to(c))
        return z, -laplacian


def step(velocity, frame, links, coefficients, h, differentiable=False):
    """One step of size h: links at its end and the change of log|det|; coefficients (3, count) at the stages."""
    slopes, log_det = [], 0
    for stage, weights in enumerate(STAGES):
        if not differentiable:
            links = [u.detach().requires_grad_() for u in links]
        z, divergence = velocity(frame, links, coefficients[stage], differentiable)
        slopes.append(z)
        log_det = log_det + h * WEIGHTS[stage] * divergence
        moves = [sum(h * a * slope[mu] for a, slope in zip(weights, slopes)) for mu in range(len(links))]
        links = [frame.exponential(x, u) for x, u in zip(moves, links)]
    return links, log_det


class _Integral(torch.autograd.Function):
    """All steps; the backward pass walks back over them, from stored states or by integrating backwards."""

    @staticmethod
    def forward(ctx, velocity, frame, coefficients, h, store, *links):
        states, log_det = [], 0
        with torch.enable_grad():
            for c in coefficients.detach():
                if store:
                    states.append(links)
                links, change = step(velocity, frame, links, c, h)
                links = [u.detach() for u in links]
                log_det = log_det + change.detach()
        ctx.velocity, ctx.frame, ctx.h, ctx.states = velocity, frame, h, states
        ctx.save_for_backward(coefficients, *links)
        return log_det, *links

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, log_det_gradient, *gradients):
        coefficients, *links = ctx.saved_tensors
        found = []
        with torch.enable_grad():
            for n in reversed(range(len(coefficients))):
                begin = ctx.states[n] if ctx.states else _back(ctx, links, coefficients[n])
                leaves = [u.detach().requires_grad_() for u in begin]
                c = coefficients[n].detach().requires_grad_()
                end, change = step(ctx.velocity, ctx.frame, leaves, c, ctx.h, differentiable=True)
                outputs, seeds = [change, *end], [log_det_gradient, *gradients]
                *gradients, of_c = torch.autograd.grad(outputs, [*leaves, c], seeds)
                found.append(of_c)
                links = [u.detach() for u in begin]
        return None, None, torch.stack(found[::-1]), None, None, *gradients


def _back(ctx, links, c):
    """The state before a step, by a step backwards in time."""
    reversed_c = torch.stack([_at(c, 1 - node) for node in NODES])
    return step(ctx.velocity, ctx.frame, links, reversed_c, -ctx.h)[0]


def _at(c, node):
    """Coefficients at a time within a step, by the parabola through those of the three stages."""
    value = 0
    for i, x in enumerate(NODES):
        basis = 1.0
        for j, y in enumerate(NODES):
            basis *= (node - y) / (x - y) if i != j else 1.0
        value = value + basis * c[i]
    return value


def integrate(velocity, links, coefficients, length, checkpoints=True):
    """Follow the flow of canonical links (batch, mu, ..., y, x, nc, nc) for a time `length`.

    coefficients (steps, 3, count) at the stages of every step, or (steps, 3, batch, count). The gradient is that of
    the discrete map if `checkpoints`, which keeps the state at the beginning of every step; without, memory does not
    grow with the number of steps and states are recovered by integrating backwards, to the accuracy of the scheme.

    Returns (links, log|det|).
    """
    batch, ndim = links.shape[:2]
    nc = links.shape[-1]
    frame = frame_of(tuple(links.shape[-3:1:-1]), nc, batch, links.real.dtype, torch.get_num_threads())
    fields = [frame.enter(links[:, mu]) for mu in range(ndim)]
    log_det, *fields = _Integral.apply(velocity, frame, coefficients, length / len(coefficients), checkpoints, *fields)
    return torch.stack([frame.leave(u).reshape(links[:, 0].shape) for u in fields], 1), log_det


@lru_cache(maxsize=16)
def frame_of(shape, nc, batch, dtype, threads):
    """The frame of such fields, with its tables, made once."""
    return Frame(shape, nc, batch, dtype, threads)
