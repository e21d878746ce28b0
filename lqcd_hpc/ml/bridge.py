"""Where torch meets the kernels: tensors of batches to fields of replicas and back, and actions that torch can
differentiate.

Batches are replicas, on a lattice of this process alone. Tensors have the canonical order (ml/__init__.py).
"""

from __future__ import annotations

import numpy as np
import torch

from ..errors import LqcdError
from ..fields import kinds
from ..fields.field import Field
from ..lattice.communicator import SerialCommunicator
from ..lattice.lattice import Lattice
from .generators import generators


def field_kind(target):
    """The kind of field that the kernels of a target's action act on.

    Raises `LqcdError` for a target without kernels.
    """
    description = getattr(target, "description", None)
    if hasattr(description, "loops"):
        return kinds.links(kinds.colours(target.group), len(target.shape))
    if hasattr(description, "field_kind"):
        return description.field_kind
    raise LqcdError(f"{target} has no kernels: use a sampler that needs none, such as flow_hmc or independence")


def field_of(target, replicas, precision="double"):
    """A zero field of so many replicas for a target.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> field_of(target(Wilson(beta=2.0), (4, 4), "U(1)"), 3).lattice.replicas
    3
    """
    lattice = Lattice(target.shape, replicas=replicas, comm=SerialCommunicator(), threads=torch.get_num_threads())
    return Field(lattice, field_kind(target), precision)


def to_field(x, field):
    """Set a field from a batch (replicas, ...) in canonical order; angles become phases. Returns the field."""
    kind = field.kind
    if kind.law == "link" and kind.nc == 1:
        x = torch.polar(torch.ones_like(x), x)[..., None, None]
    elif _is_complex_scalar(kind):
        x = torch.complex(x[:, 0], x[:, 1])
    values = x.detach().cpu().numpy()
    return field.from_numpy(values if field.lattice.replicas > 1 else values[0])


def to_tensor(field, device="cpu"):
    """The batch (replicas, ...) of a field: the inverse of `to_field`."""
    kind, values = field.kind, field.to_numpy()
    values = torch.from_numpy(np.ascontiguousarray(values)).to(device)
    values = values if field.lattice.replicas > 1 else values[None]
    if kind.law == "link" and kind.nc == 1:
        return torch.angle(values[..., 0, 0])
    return torch.stack([values.real, values.imag], 1) if _is_complex_scalar(kind) else values


def slots(field):
    """The numbers of this rank's sites as a real tensor (blocks, copies, reals, lanes): the memory of the field itself.

    What writes to it must say `field.touch()`. Raises `LqcdError` for a field of several buffers.
    """
    if field.kind.buffers > 1:
        raise LqcdError(f"{field!r} has several buffers: they are no single tensor")
    blocks = field.layout.first_ghost * field.layout.lanes // field.layout.group
    return torch.from_dlpack(field.data[0, :blocks])


class KernelAction:
    """S(x) of a target by the kernels of its action, with the kernels' force as its gradient.

    For links of SU(Nc) the gradient is its part along the group, which is all that a force needs. A second
    derivative raises `LqcdError`: use `target.action`, which is the same number in torch.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> u1 = target(Wilson(beta=2.0), (4, 4), "U(1)")
    >>> KernelAction(u1, replicas=3)(torch.zeros(3, 2, 4, 4, dtype=torch.float64))
    tensor([0., 0., 0.], dtype=torch.float64)
    """

    def __init__(self, target, replicas, precision="double"):
        self.field = field_of(target, replicas, precision)
        self.action = target.description.on(self.field)
        kind = self.field.kind
        self.force = self.field.like(kinds.algebra(kind.nc, len(target.shape)) if kind.law == "link" else kind)

    def __call__(self, x):
        """S, (batch,)."""
        return _Value.apply(x, self)

    def value(self, x):
        """S by the kernels, without a gradient."""
        to_field(x, self.field)
        return torch.as_tensor(np.atleast_1d(self.action.value()), dtype=x.real.dtype, device=x.device)

    def gradient(self, x):
        """dS/dx by the kernels' force."""
        to_field(x, self.field)
        self.action.force(self.force)
        force = to_tensor_of_momenta(self.force, x.device)
        if self.field.kind.law == "link" and self.field.kind.nc > 1:
            return -2j * force @ x
        return -force


class _Value(torch.autograd.Function):
    @staticmethod
    def forward(context, x, action):
        context.save_for_backward(x)
        context.action = action
        return action.value(x)

    @staticmethod
    def backward(context, weight):
        (x,) = context.saved_tensors
        return _Gradient.apply(weight, x, context.action), None


class _Gradient(torch.autograd.Function):
    @staticmethod
    def forward(context, weight, x, action):
        return weight.reshape(-1, *[1] * (x.dim() - 1)) * action.gradient(x)

    @staticmethod
    def backward(context, *_):
        raise LqcdError("kernels have no second derivative: use target.action, the same action in torch")


def to_tensor_of_momenta(P, device="cpu"):
    """Momenta as a batch: H = p^a T^a for links of SU(Nc), else as the field itself."""
    if P.kind.law != "coefficients":
        return to_tensor(P, device)
    values = P.to_numpy() if P.lattice.replicas > 1 else P.to_numpy()[None]
    p = torch.from_numpy(np.ascontiguousarray(values)).to(device)
    if P.kind.nc == 1:
        return p[..., 0]
    p = torch.complex(p, torch.zeros_like(p))
    return torch.tensordot(p, generators(P.kind.nc, p.dtype, p.device), 1)


def _is_complex_scalar(kind):
    return kind.law == "scalar" and kind.number == "complex"
