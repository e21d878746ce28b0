"""What a training is: the keys of a run file's [train] table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from ...description import description
from ...errors import LqcdError


@description
class Optimisation:
    """Adam, whatever it makes small.

    steps, batch : of Adam, and samples of each, over all processes
    learning_rate, schedule : "constant", "cosine" (to zero), or "step" (times `factor` every `every` steps)
    warm_up : steps in which the rate rises linearly from zero
    clip : largest norm of the gradient
    precision : "double" or "single"
    evaluate : steps between evaluations
    start : model to start from
    """

    steps: PositiveInt
    batch: PositiveInt
    learning_rate: PositiveFloat
    schedule: Literal["constant", "cosine", "step"] = "constant"
    factor: PositiveFloat = 0.5
    every: PositiveInt | None = None
    warm_up: NonNegativeInt = 0
    clip: PositiveFloat | None = None
    precision: Literal["double", "single"] = "double"
    evaluate: PositiveInt = 500
    start: str | None = None

    def __post_init__(self):
        if (self.schedule == "step") != (self.every is not None):
            raise LqcdError('[train] needs every = ... (steps) with schedule = "step", and only then')


@description
class Training(Optimisation):
    """Adam on a loss of a flow q and a target p = e^{-S}/Z, or Gauss and Newton for the variance of log w.

    loss : "reverse", "path", "forward" or "mixed" (losses.py); "variance" for few parameters (gauss_newton.py):
    then learning_rate is how much a coefficient alone is expected to change log w in a step
    samples : fresh samples of each evaluation, over all processes
    target_ess : end as soon as an evaluation finds this effective sample size
    mix : weight of the forward part of "mixed"
    data : file with samples of the target (`samples.h5` of a sampling run), for "forward" and "mixed"
    start : a model of another volume or coupling
    """

    loss: Literal["reverse", "path", "forward", "mixed", "variance"] = "reverse"
    samples: PositiveInt = 10000
    target_ess: float | None = Field(default=None, gt=0, le=1)
    mix: float | None = Field(default=None, gt=0, lt=1)
    data: str | None = None

    def __post_init__(self):
        super().__post_init__()
        if (self.loss == "mixed") != (self.mix is not None):
            raise LqcdError('[train] needs mix = ... (between 0 and 1) with loss = "mixed", and only then')
        if (self.loss in ("forward", "mixed")) != (self.data is not None):
            raise LqcdError('[train] needs data = "samples.h5" with loss = "forward" or "mixed", and only then')


@description
class Inversion(Optimisation):
    """Adam on <|M D v - v|^2/|v|^2>: M learns D^-1 on random vectors v.

    batch : random vectors of each configuration in a step
    together : configurations in a step; steps go through all of them in turn
    groups : processes are divided into so many, each with configurations of its own; those of a group share a lattice
    filtered : v is the error that so many iterations of FGMRES leave of a random vector (arXiv:2602.23840)
    """

    together: PositiveInt = 1
    groups: PositiveInt = 1
    filtered: NonNegativeInt = 0
    precision: Literal["double", "single"] = "single"

    def __post_init__(self):
        super().__post_init__()
        if self.together % self.groups:
            raise LqcdError(f"[train] together = {self.together} is not a multiple of groups = {self.groups}")
