"""Kernel instances by name of what needs them: those of a run file, and the usual ones of a group."""

from __future__ import annotations

from .rehearsal import ACTIONS, rehearse, usual_run


def programs_of_run(path):
    """The kernel instances of a run file. Raises `LqcdError` for a faulty one."""
    from ..config import RunFile, load

    return rehearse(load(path, RunFile)).programs


def usual_programs(groups=("SU(3)",), dimensions=(4,), precisions=("double",)):
    """Instances of the usual starts, updates, actions and measurements, without repetitions."""
    found = {}
    for group in groups:
        for ndim in dimensions:
            for precision in precisions:
                for action in ACTIONS:
                    run = usual_run(group, ndim, precision, action=action)
                    found |= dict.fromkeys(rehearse(run).programs)
    return tuple(found)
