"""What verbs print: tables for people, JSON for programs, on rank 0 only."""

from __future__ import annotations

import json


def print_json(content):
    """Print one JSON document; numbers that are not finite become null."""
    print(json.dumps(finite(content), indent=1), flush=True)


def finite(value):
    """The same with null in the place of numbers that are not finite."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def console():
    """A rich console on standard output; where that is not a terminal, lines are as long as they are."""
    import sys

    from rich.console import Console

    from ..lattice.communicator import launched_size

    # launchers give ranks a terminal of their own, whatever their output goes to
    terminal = sys.stdout.isatty() and not launched_size()
    return Console(highlight=False) if terminal else Console(highlight=False, width=240, force_terminal=False)


def table(*columns, title=None):
    """A plain rich table; columns that start with ">" are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for name in columns:
        made.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
    return made


def size(count):
    """Bytes as people read them.

    >>> size(3 * 2**30)
    '3.0 GiB'
    """
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
