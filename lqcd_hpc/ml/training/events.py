"""Scalars for tensorboard."""

from __future__ import annotations


def writer(directory, step):
    """A writer of event files in which everything after `step` is forgotten.

    Raises `ImportError` without tensorboard.
    """
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(directory), purge_step=step + 1)
