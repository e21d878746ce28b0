"""The learning rate as a function of the step."""

from __future__ import annotations

from math import cos, pi


def rate(settings, step):
    """The learning rate of a step (from 0): a linear rise over `warm_up` steps times the schedule.

    constant: 1; cosine: (1 + cos(pi step/steps))/2; step: factor^floor(step/every).

    >>> from lqcd_hpc.ml.training.settings import Training
    >>> t = Training(steps=100, batch=1, learning_rate=1.0, schedule="cosine", warm_up=10)
    >>> rate(t, 0), rate(t, 50)
    (0.1, 0.5)
    """
    shape = 1.0
    if settings.schedule == "cosine":
        shape = 0.5 * (1 + cos(pi * step / settings.steps))
    elif settings.schedule == "step":
        shape = settings.factor ** (step // settings.every)
    rise = min(1.0, (step + 1) / settings.warm_up) if settings.warm_up else 1.0
    return settings.learning_rate * shape * rise
