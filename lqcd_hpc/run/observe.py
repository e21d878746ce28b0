"""Calling a measurement during a run."""


def observe(measure, step, folder):
    """The columns of a measurement; one that draws noise or leaves files (it has `at`) is told the step and where."""
    return measure.at(step, folder) if hasattr(measure, "at") else measure()
