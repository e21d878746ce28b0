"""The laws of flows, for the contract battery: samples, charts of the manifolds, dense Jacobians, symmetries."""

from __future__ import annotations

import importlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import own_files
import torch

from lqcd_hpc import config
from lqcd_hpc.ml import priors
from lqcd_hpc.ml.noise import Noise


@dataclass(frozen=True)
class Sample:
    """A flow description on a target, with the symmetries that it promises and what numerical inversion allows.

    symmetries : any of "z2", "translations by N" (N sites in every direction), "gauge", "rotation" (of O(N))
    tolerance : of the inverse (1e-10 unless the inverse is found by iteration)
    jacobian : False where the lattice is too large for the dense Jacobian
    scale : of the random numbers that are added to the parameters
    """

    flow: object
    target: object
    symmetries: tuple[str, ...] = ()
    tolerance: float = 1e-10
    jacobian_tolerance: float = 1e-10
    jacobian: bool = True
    scale: float = 0.1


def kinds():
    """The kinds of flow: files of ml/flows."""
    files = [path for folder in config.folder("ml.flows").__path__ for path in Path(folder).glob("*.py")]
    return sorted(path.stem for path in files if describes(path.stem))


def describes(name):
    """The description in a file of ml/flows, or None."""
    module = importlib.import_module(f"lqcd_hpc.ml.flows.{name}")
    own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    return next((v for v in own if hasattr(v, "__pydantic_fields__") and hasattr(v, "on")), None)


def samples():
    """(name, sample) of every kind; each needs a file of its name in tests/flow_samples, or in tests/ml/flows of
    $LQCD_PATH, with SAMPLES."""
    found, own = [], own_files.modules("ml.flows")
    for kind in kinds():
        module = own.get(kind) or importlib.import_module(f"flow_samples.{kind}")
        found += [(f"{kind}-{number}", sample) for number, sample in enumerate(module.SAMPLES)]
    return found


def build(sample, dtype=torch.float64):
    """The flow with its parameters moved away from where they start."""
    torch.manual_seed(5)
    flow = sample.flow.on(sample.target).to(dtype)
    for parameter in flow.parameters():
        parameter.data += sample.scale * torch.randn(parameter.shape, dtype=torch.float64).to(parameter.dtype)
    return flow


def draw(flow, count, dtype=torch.float64, event=0):
    """Samples of the prior."""
    return flow.prior.sample(count, Noise(seed=3, event=event, dtype=dtype))


def generators(nc):
    """Hermitian T^a with tr T^a T^b = 1/2, (Nc^2 - 1, Nc, Nc)."""
    found = []
    for i, j in itertools.combinations(range(nc), 2):
        for entry in (0.5, -0.5j):
            t = torch.zeros(nc, nc, dtype=torch.complex128)
            t[i, j], t[j, i] = entry, torch.tensor(entry).conj()
            found.append(t)
    for k in range(1, nc):
        t = torch.diag(torch.tensor([1.0] * k + [-k] + [0.0] * (nc - k - 1))).to(torch.complex128)
        found.append(t / (2 * k * (k + 1)) ** 0.5)
    return torch.stack(found)


class Chart:
    """Coordinates of the tangent spaces at one sample x0 and at its image y0: a point moves by `move(omega)`, and
    `read(y)` is linear in a small change of y, volume-preserving for the invariant measure."""

    def __init__(self, prior, x0):
        self.prior, self.x0 = prior, x0
        if isinstance(prior, priors.Haar):
            self.t = generators(x0.shape[-1])
            self.size = x0[..., 0, 0].numel() * len(self.t)
        elif isinstance(prior, priors.UniformSphere):
            self.size = x0[..., 0].numel() * (x0.shape[-1] - 1)
        else:
            self.size = x0.numel()

    def move(self, omega):
        """x0 displaced by every omega (n, size): (n, ...)."""
        x0 = self.x0
        if isinstance(self.prior, priors.Haar):
            step = torch.einsum("...a,aij->...ij", omega.reshape(-1, *x0.shape[:-2], len(self.t)).to(x0.dtype), self.t)
            return torch.linalg.matrix_exp(1j * step) @ x0
        if isinstance(self.prior, priors.UniformSphere):
            tangent = torch.einsum("...ai,...a->...i", frame(x0), omega.reshape(-1, *x0.shape[:-1], x0.shape[-1] - 1))
            return torch.nn.functional.normalize(x0 + tangent, dim=-1)
        return x0 + omega.reshape(-1, *x0.shape)

    def read(self, y, y0):
        """Coordinates of every y (n, ...) near y0, (n, size)."""
        if isinstance(self.prior, priors.Haar):
            return 2 * torch.einsum("aij,...ji->...a", -1j * self.t, y @ y0.mH).real.flatten(1)
        if isinstance(self.prior, priors.UniformSphere):
            return torch.einsum("...ai,...i->...a", frame(y0), y).flatten(1)
        return y.flatten(1)


def frame(x):
    """An orthonormal frame (..., D - 1, D) of the tangent space at unit vectors x (..., D)."""
    d = x.shape[-1]
    full = torch.cat([x[..., None, :], torch.eye(d, dtype=x.dtype).expand(*x.shape[:-1], d, d)[..., : d - 1, :]], -2)
    q, _ = torch.linalg.qr(full.mT)
    return q.mT[..., 1:, :]


def dense_log_det(flow, z0):
    """log|det| of the Jacobian of one sample (a batch of one), by automatic differentiation of every coordinate."""
    chart = Chart(flow.prior, z0[0])
    with torch.no_grad():
        y0 = flow(z0)[0][0]

    omega = torch.zeros(chart.size, chart.size, dtype=torch.float64, requires_grad=True)
    coordinates = chart.read(flow(chart.move(omega))[0], y0)  # one copy of the sample for every row of the Jacobian
    (jacobian,) = torch.autograd.grad(torch.diagonal(coordinates).sum(), omega)
    return torch.linalg.slogdet(jacobian)[1]


def transform(x, prior, name, seed=11):
    """x under a symmetry by its name: a function of fields that keeps log q and commutes with the flow."""
    if name == "z2":
        return -x
    if name.startswith("translations by"):
        step = int(name.split()[-1])
        trailing = 2 if isinstance(prior, priors.Haar) else 1 if isinstance(prior, priors.UniformSphere) else 0
        return torch.roll(x, (step, step), (-1 - trailing, -2 - trailing))
    if name == "gauge":
        return gauge_transform(x, prior, seed)
    if name == "rotation":
        return x @ torch.linalg.qr(Noise(seed=seed, event=0).normal(x.shape[-1], (x.shape[-1],)))[0]
    raise ValueError(name)


def gauge_transform(x, prior, seed):
    """Links after a random gauge transformation, the same for every sample."""
    noise = Noise(seed=seed, event=0)
    d = x.shape[1]
    if isinstance(prior, priors.Haar):
        g = priors.haar(noise.normal(1, (*x.shape[2:-2], *x.shape[-2:], 2)))
        ahead = torch.stack([torch.roll(g, -1, -3 - mu) for mu in range(d)], 1)
        return g[:, None] @ x @ ahead.mH
    g = 2 * torch.pi * noise.uniform(1, x.shape[2:])
    ahead = torch.stack([torch.roll(g, -1, -1 - mu) for mu in range(d)], 1)
    return g[:, None] + x - ahead


def distance(x, y, prior):
    """The largest difference of two batches; angles are compared on the circle."""
    if isinstance(prior, priors.UniformAngles):
        return (torch.exp(1j * x) - torch.exp(1j * y)).abs().max()
    return (x - y).abs().max()
