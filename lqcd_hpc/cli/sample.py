"""`lqcd-hpc sample FILE.toml`: sample the target that a run file or a model describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(file: Annotated[Path, typer.Argument(help="The run file (TOML) with a sampler table.", show_default=False)]):
    """Sample a target, with or without a trained flow, and print values with errors and costs."""
    from ..config import SampleFile
    from ..run import execute

    execute(file, only=SampleFile)
