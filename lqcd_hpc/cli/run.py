"""`lqcd-hpc run FILE.toml`: generate or measure what the run file describes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(file: Annotated[Path, typer.Argument(help="The run file (TOML).", show_default=False)]):
    """Generate or measure what a run file describes; resumes by itself from its last checkpoint."""
    from ..run import execute

    execute(file)
