"""The verbs of the command line: every file of this folder that defines a function of its own name.

`plan.py` defines `plan`, `build_kernels.py` defines `build_kernels` (the verb build-kernels). A new verb is a
new file.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

_PACKAGE = __name__.rpartition(".")[0]
_SUPPORT = {"app", "failure"}


def verb_files():
    """Names of the files that may hold a verb."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(one.name for one in found if not one.ispkg and one.name not in _SUPPORT)


def verb(name):
    """The function of a verb's file; None if the file has none of its name."""
    return getattr(import_module(f"{_PACKAGE}.{name}"), name, None)


def application(words=()):
    """The typer application: with the one verb that the command line names, or with all of them."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    files = {name.replace("_", "-"): name for name in verb_files()}
    wanted = next((word for word in words if not word.startswith("-")), None)
    for command, name in files.items():
        if wanted in files and command != wanted:
            continue
        if function := verb(name):
            app.command(command)(function)
    return app


def _print_version(wanted: bool):
    if wanted:
        from ..version import __version__

        typer.echo(f"lqcd-hpc {__version__}")
        raise typer.Exit()


_VERSION = typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
_DEBUG = typer.Option("--debug", help="Print the traceback of an error (anywhere on the line).")


def _options(version: Annotated[bool, _VERSION] = False, debug: Annotated[bool, _DEBUG] = False):
    """Lattice gauge theory: generate, measure, inspect and convert configurations."""
