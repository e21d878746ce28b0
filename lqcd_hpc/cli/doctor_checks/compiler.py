"""The C++ compiler, and whether a small kernel can be compiled and loaded."""

from __future__ import annotations

import subprocess

from .check import Check, attempt

REMEDY = "apt-get install g++   (or: module load gcc; or: pip install 'lqcd_hpc[compiler]')"


def checks():
    """Which compiler, OpenMP, and a trial."""
    found = attempt("compiler", _version, REMEDY)
    yield found
    if found.remedy is None:
        yield attempt("compiled code", _trial, REMEDY)


def _version():
    from ...backend import compiler

    words = compiler.command()
    done = subprocess.run([*words, "--version"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} --version failed: {done.stderr.strip()}")
    first = done.stdout.splitlines()[0]
    return Check("compiler", first, text=f"{first} ({' '.join(words)})")


def _trial():
    from ...backend import compiler, cpu
    from .check import NOTE

    cpu.runtime()
    if "-fopenmp" not in compiler.flags():
        return Check(
            "compiled code",
            "no OpenMP",
            NOTE,
            "apt-get install libgomp1 g++",
            "works, but without threads (no OpenMP)",
        )
    return Check("compiled code", "works with OpenMP")
