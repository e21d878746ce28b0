"""`lqcd-hpc train FILE.toml`: train the flow or preconditioner that a run file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    file: Annotated[Path, typer.Argument(help="The run file (TOML) with a train table.", show_default=False)],
    start: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="Start from a model of another volume, coupling or mass.")
    ] = None,
):
    """Train a flow or a preconditioner, or search among trainings; resumes by itself from its last checkpoint."""
    from ..config import PreconditionerFile, TrainFile
    from ..run import execute

    execute(file, start=start, only=(TrainFile, PreconditionerFile))
