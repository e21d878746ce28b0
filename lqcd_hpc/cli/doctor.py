"""`lqcd-hpc doctor`: what this machine has, what is missing, and the command that mends it."""

from __future__ import annotations

from typing import Annotated

import typer

MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "fault": "[bold red]fault[/]"}


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False):
    """Check compiler, MPI, GPU, memory, HDF5 and disk; say what is missing and which command mends it.

    Ends with exit code 1 if something is missing without which runs cannot work.
    """
    from .failure import rank_in_job
    from .output import print_json

    if rank_in_job():
        return
    found = examine(None if json else show)
    ok = not any(check.state == "fault" for check in found)
    if json:
        lines = [{"name": c.name, "value": c.value, "state": c.state, "remedy": c.remedy} for c in found]
        print_json({"ok": ok, "checks": lines})
    if not ok:
        raise typer.Exit(1)


def examine(show=None):
    """All checks, each shown as soon as it is made."""
    from importlib import import_module

    from .doctor_checks import GROUPS

    found = []
    for group in GROUPS:
        for check in import_module(f"{__package__}.doctor_checks.{group}").checks():
            found.append(check)
            if show:
                show(check)
    return found


def show(check):
    """Print one check for people."""
    from rich.markup import escape

    from .output import console

    out = console()
    value = check.text or ("missing" if check.value is None else str(check.value))
    out.print(f"{MARKS[check.state]:>4} {check.name}: {escape(value)}", soft_wrap=True)
    if check.remedy:
        out.print(f"     [bold]mend:[/] {escape(check.remedy)}", soft_wrap=True)
