"""Small trainings for tests: a run file, and a flow of which everything is known."""

from math import exp, log, pi

import torch

from lqcd_hpc.ml.flow import Flow
from lqcd_hpc.ml.targets.scalar import ScalarTarget

TRAIN = """
[lattice]
shape = {shape}
[action]
kind = "phi4"
m2 = -4.0
lam = 8.0
normalisation = "full"
[flow]
kind = "affine"
couplings = {couplings}
net = {{ kind = "convolutional", hidden = [4], kernel = 3 }}
[train]
steps = {steps}
batch = 64
learning_rate = {rate}
evaluate = 20
samples = 256
{train}
[random]
seed = 5
[output]
directory = "{directory}"
checkpoint = 10
report = false
"""
COMMAND = "import sys; from lqcd_hpc.cli import main; sys.argv = ['lqcd-hpc', *sys.argv[1:]]; main()"


def run_file(folder, name="out", **options):
    """A run file in `folder` whose results go to folder/name."""
    values = {"shape": [4, 4], "couplings": 2, "steps": 30, "rate": 1e-3, "train": ""} | options
    path = folder / f"{name}.toml"
    path.write_text(TRAIN.format(directory=folder / name, **values))
    return path


class ScaleAndShift(torch.nn.Module):
    """x = e^a z + b."""

    def __init__(self, a, b):
        super().__init__()
        self.a = torch.nn.Parameter(torch.tensor(a, dtype=torch.float64))
        self.b = torch.nn.Parameter(torch.tensor(b, dtype=torch.float64))

    def forward(self, z):
        return self.a.exp() * z + self.b, self.a * z[0].numel() * torch.ones(len(z), dtype=z.dtype)

    def inverse(self, x):
        return (x - self.b) * (-self.a).exp(), -self.a * x[0].numel() * torch.ones(len(x), dtype=x.dtype)


SITES, QUADRATIC = 4, 2.0


def gaussian(a=0.3, b=-0.2):
    """(flow, target): x = e^a z + b for S = 2 sum x^2 on 2 x 2 sites, so that p is N(0, 1/4)."""
    target = ScalarTarget(None, (2, 2), hopping=0.0, quadratic=QUADRATIC, quartic=0.0)
    return Flow(target.prior, [ScaleAndShift(a, b)]), target


def reverse_loss(a, b, z):
    """(value, d/da, d/db) of <log q + S> for samples z, by hand."""
    x = exp(a) * z + b
    scaled = x - b
    square = (z * z).sum(1).mean()
    value = -0.5 * square - SITES * (0.5 * log(2 * pi) + a) + QUADRATIC * (x * x).sum(1).mean()
    return value, -SITES + 2 * QUADRATIC * (x * scaled).sum(1).mean(), 2 * QUADRATIC * x.sum(1).mean()
