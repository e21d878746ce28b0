"""Fields of 3 x 3 matrices in plain torch: complex matrix products and torch.roll, gradients by autograd.

A `PlainFrame` has the operations of ml/layers/matrix_fields.py on tensors (batch, ..., y, x, 3, 3) and
(batch, ..., y, x), so that loops, velocity and integrator are the very same text on both.
"""

from math import prod
from types import SimpleNamespace

import torch
from torch import nn

from lqcd_hpc.ml.layers.gradient_flow import step
from lqcd_hpc.ml.priors import haar


class PlainFrame:
    """The operations on a lattice of shape (Lx, Ly, ...)."""

    def __init__(self, shape):
        self.lattice = SimpleNamespace(ndim=len(shape), volume=prod(shape))

    def product(self, a, b, at_a=None, at_b=None, adjoint_a=False, adjoint_b=False):
        """op(a(x + at_a)) op(b(x + at_b)), matrices or numbers."""
        a, b = self._placed(a, at_a, adjoint_a), self._placed(b, at_b, adjoint_b)
        return a @ b if self._matrices(a) else a * b

    def trace(self, a, b, at_a=None, at_b=None, adjoint_a=False, adjoint_b=False):
        """tr op(a(x + at_a)) op(b(x + at_b))."""
        return (self._placed(a, at_a, adjoint_a) * self._placed(b, at_b, adjoint_b).mT).sum((-2, -1))

    def exponential(self, x, u):
        """exp(x) u."""
        return torch.linalg.matrix_exp(x) @ u

    def project(self, m, weight=1.0):
        """weight (m - m^dag)/2 without its trace."""
        m = (m - m.mH) / 2
        trace = torch.diagonal(m, dim1=-2, dim2=-1).sum(-1)
        return weight * (m - trace[..., None, None] * torch.eye(3, dtype=m.dtype) / 3)

    def site_sum(self, number):
        """Real parts summed over sites, (batch,)."""
        return number.real.flatten(1).sum(1)

    def _matrices(self, field):
        return field.dim() > 1 + self.lattice.ndim

    def _placed(self, field, place, adjoint):
        trailing = 2 if self._matrices(field) else 0
        moves = [(-s, -1 - mu - trailing) for mu, s in enumerate(place or ()) if s]
        if moves:
            field = torch.roll(field, *zip(*moves))
        if not adjoint:
            return field
        return field.mH if trailing else field.conj()


class Flow(nn.Module):
    """The trivializing flow with the coefficients of a layer of ml/flows/trivializing.py, by backprop."""

    def __init__(self, layer, target):
        super().__init__()
        self.velocity, self.target = layer.velocity, target
        self.c = nn.Parameter(layer.c.detach().clone())
        self.basis, self.frame = layer.basis, PlainFrame(target.shape)

    def sample(self, count):
        """`count` samples and their log q."""
        return self.follow(haar(torch.randn(count, *self.target.prior.shape, 2, dtype=self.c.dtype)))

    def follow(self, u):
        """The flow of links (batch, mu, ..., y, x, 3, 3): (links, -log|det|)."""
        training = torch.is_grad_enabled()
        links, log_det = list(u.requires_grad_().unbind(1)), 0.0
        with torch.enable_grad():
            for c in torch.einsum("nsk,kc->nsc", self.basis.to(self.c), self.c):
                c = c if training else c.detach()
                links, change = step(self.velocity, self.frame, links, c, 1 / len(self.basis), training)
                log_det = log_det + change
        x = torch.stack(links, 1)
        return (x, -log_det) if training else (x.detach(), -log_det.detach())
