"""Small trainings of preconditioners for tests: a run file, thermalised gauge fields, iterations of a solver."""

import json
from functools import cache

import numpy as np

from lqcd_hpc import Lattice, Random, gauge
from lqcd_hpc.actions.wilson import Wilson as WilsonAction
from lqcd_hpc.sampling.heatbath import Heatbath
from lqcd_hpc.solvers.fgmres import FGMRES

TRAIN = """
[preconditioner]
{preconditioner}
[operator]
kind = "wilson"
mass = {mass}
boundary = [1, -1]
[lattice]
shape = {shape}
group = "U(1)"
[action]
kind = "wilson"
beta = 6.0
[configurations]
count = {count}
updates = 5
[train]
steps = {steps}
batch = 2
learning_rate = 1e-2
evaluate = 10
{train}
[random]
seed = 3
[output]
directory = "{directory}"
checkpoint = 10
report = false
"""


SMOOTHER = """kind = "smoother"
features = {features}
{more}
"""


def run_file(folder, name="out", preconditioner=SMOOTHER, **options):
    """A run file in `folder` whose results go to folder/name."""
    values = {"shape": [8, 8], "features": [1, 1, 1], "more": "", "mass": 0.1, "count": 2, "steps": 20, "train": ""}
    values |= options
    path = folder / f"{name}.toml"
    path.write_text(TRAIN.format(directory=folder / name, preconditioner=preconditioner.format(**values), **values))
    return path


def as_toml(table):
    """A table as lines of a run file, with inline tables inside."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items()).replace("{", "{{").replace("}", "}}")


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


@cache
def thermal(shape, group, beta, seed, updates=40):
    """A gauge field after so many updates of a heatbath."""
    rng = Random(seed)
    U = gauge.hot(Lattice(shape), rng, group)
    heatbath = Heatbath(WilsonAction(beta=beta).on(U), overrelaxation=4)
    for _ in range(updates):
        heatbath.update(rng)
    return U


def solve(D, preconditioner=None, tol=1e-8, restart=30):
    """What FGMRES finds for a source of random numbers."""
    re, im = np.random.default_rng(1).normal(size=(2, *D.vector().to_numpy().shape))
    keys = {"preconditioner": preconditioner, "preconditioner_precision": "single"} if preconditioner else {}
    return FGMRES(tol=tol, restart=restart, **keys)(D, D.vector().from_numpy(re + 1j * im))
