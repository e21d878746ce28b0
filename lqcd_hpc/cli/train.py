"""`lqcd-hpc train FILE.toml`: train the flow that a run file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    file: Annotated[Path, typer.Argument(help="The run file (TOML) with a [train] table.", show_default=False)],
    start: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="Start from a model of another volume or coupling.")
    ] = None,
):
    """Train a flow, or search among trainings; resumes by itself from its last checkpoint."""
    from ..config import TrainFile
    from ..run import execute

    execute(file, start=start, only=TrainFile)
