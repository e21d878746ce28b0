"""Run files: TOML to descriptions, every key checked.

A `kind` names a file in the folder of its role (`action` -> actions/, `update` -> sampling/, `measure` ->
measurements/, `flow` -> ml/flows/, `sampler` -> ml/samplers/); the description class of that file holds its keys. A
table within a table is looked up in the role that its key names (`operator` -> operators/, `solver` -> solvers/,
`source` -> sources/, `net` -> ml/nets/), or else in that of the outer one (`inner` of a solver, `flows` of a sequence).

Folders of one's own, in the places that $LQCD_PATH names, are looked up after those of the package.

`tables.py` makes descriptions of tables, `generate.py` holds the run files that generate and measure, `learn.py` those
that train flows and sample, `preconditioner.py` those that train preconditioners, `compare.py` those that set solvers
side by side.
"""

from __future__ import annotations

import re
import tomllib

from ..errors import LqcdError
from .compare import CompareFile, parse_compare
from .generate import RunFile, parse_generate, parse_measure
from .learn import SampleFile, TrainFile, parse_sample, parse_train
from .preconditioner import PreconditionerFile, parse_preconditioner
from .tables import described, folder, kinds, refuse_unknown

__all__ = ["CompareFile", "PreconditionerFile", "RunFile", "SampleFile", "TrainFile", "described", "folder", "kinds"]
__all__ += ["load", "parse"]

LONGEST = 1 << 20  # bytes of a run file
_DOES = {RunFile: "generates or measures", TrainFile: "trains a flow", SampleFile: "samples a target"}
_DOES |= {CompareFile: "compares solvers", PreconditionerFile: "trains a preconditioner"}
KINDS = {  # the table that marks a kind of run file, what it is called, all its tables, and what reads it
    "compare": (
        "compares solvers",
        {"compare", "lattice", "source", "operator", "solver", "random", "output"},
        parse_compare,
    ),
    "preconditioner": (
        "trains a preconditioner",
        {"preconditioner", "operator", "configurations", "lattice", "action", "train", "random", "output"},
        parse_preconditioner,
    ),
    "source": ("measures on files", {"lattice", "source", "measure", "output"}, parse_measure),
    "train": (
        "trains a flow",
        {"lattice", "action", "target", "flow", "train", "search", "random", "output"},
        parse_train,
    ),
    "sampler": ("samples", {"lattice", "action", "target", "flow", "sampler", "random", "output"}, parse_sample),
    "update": (
        "generates an ensemble",
        {"lattice", "start", "random", "action", "update", "measure", "output"},
        parse_generate,
    ),
}


def load(path, only=None):
    """Read and check a run file; `only` is the class that is wanted, or a tuple of them.

    Raises `LqcdError` for what is missing, unknown (with the nearest spelling) or of a wrong type.
    """
    try:
        run = parse(_text(path))
        if only is not None and not isinstance(run, only):
            wanted = " or ".join(_DOES[one] for one in (only if isinstance(only, tuple) else (only,)))
            raise LqcdError(f"this file {_DOES[type(run)]}, what is wanted here is one that {wanted}")
        return run
    except OSError as error:
        raise LqcdError(f"cannot read the run file {path}: {error.strerror}") from None
    except ValueError as error:  # of TOML, of UTF-8, of numbers with thousands of digits
        raise LqcdError(f"{path} is not TOML: {error}") from None
    except RecursionError:
        raise LqcdError(f"{path} is no run file: its tables lie too deep in each other") from None
    except LqcdError as error:
        raise LqcdError(f"{path}: {error}") from None


def _text(path):
    """The text of a run file, which is a short one."""
    with open(path, "rb") as file:
        text = file.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise LqcdError(f"this is no run file: it has more than {LONGEST} bytes")
    if re.search(rb"(?:[\w-]+[ \t]*\.[ \t]*){32}", text):
        raise LqcdError("this is no run file: a key in it has more than 32 parts")
    return text.decode()


def parse(text):
    """The checked run file of a TOML text."""
    tables = tomllib.loads(text)
    mark = next((name for name in KINDS if name in tables), "update")
    does, allowed, read = KINDS[mark]
    everything = {name for _, names, _ in KINDS.values() for name in names}
    for name in tables:
        if name in everything - allowed:
            raise LqcdError(f"[{name}] does not go together with [{mark}]: a run file that {does} has no such table")
    refuse_unknown(tables, allowed, "the run file")
    return read(text, tables)
