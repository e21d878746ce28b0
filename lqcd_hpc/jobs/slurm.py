"""What is said to SLURM and heard from it, by its commands: sbatch, scancel, squeue, sacct. No shell is involved."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess

from ..errors import LqcdError

TIMEOUT = 60  # seconds


def present(command="sbatch"):
    """Whether a command of SLURM is on the path."""
    return shutil.which(command) is not None


def test_only(script):
    """What `sbatch --test-only` thinks of a script: (whether it would run, one line)."""
    done = _ask(["sbatch", "--test-only"], script)
    said = [line.removeprefix("sbatch: ") for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return done.returncode == 0, "; ".join(said)


def submit(path, dependency=None):
    """Submit a script; returns the number of the job as text. A job whose dependency fails is cancelled.

    Raises `LqcdError` with SLURM's words.
    """
    words = ["sbatch", "--parsable"]
    if dependency:
        words += [f"--dependency={dependency}", "--kill-on-invalid-dep=yes"]
    done = _ask([*words, str(path)])
    number = done.stdout.strip().partition(";")[0]
    if done.returncode or not re.fullmatch(r"\d+", number):
        raise LqcdError(f"sbatch refused {path}: {(done.stderr or done.stdout).strip()}")
    return number


def cancel(numbers):
    """Cancel jobs."""
    if numbers:
        _ask(["scancel", *numbers])


def states(numbers):
    """{job or job_element: (state, reason or nodes)} of the jobs that SLURM still knows; {} without SLURM.

    A pending array is under the number of the job alone. Jobs that squeue has forgotten are looked up by sacct.
    """
    wanted, found = set(numbers), {}
    if wanted and present("squeue"):
        for name, state, where in _table(["squeue", "-h", "-t", "all", "-u", getpass.getuser(), "-o", "%i|%T|%R"]):
            if name.partition("_")[0] in wanted:
                found |= dict.fromkeys(_elements(name), (state, where))
    forgotten = wanted - {name.partition("_")[0] for name in found}
    if forgotten and present("sacct"):
        fields = ["sacct", "-n", "-X", "-P", "-o", "JobID,State,NodeList", "-j", ",".join(sorted(forgotten))]
        for name, state, where in _table(fields):
            found |= dict.fromkeys(_elements(name), (state.split()[0], where))
    return found


def _elements(name):
    """The elements that a line of squeue stands for: 12, 12_3, 12_[0-2,5%2].

    >>> _elements("12_[0-2,5%2]")
    ['12_0', '12_1', '12_2', '12_5']
    """
    number, _, elements = name.partition("_")
    if not elements.startswith("["):
        return [name]
    ranges = [part.split("-") for part in elements.strip("[]").partition("%")[0].split(",")]
    return [f"{number}_{n}" for first, *last in ranges for n in range(int(first), int((last or [first])[0]) + 1)]


def _table(words):
    done = _ask(words)
    rows = [line.split("|", 2) for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return [row for row in rows if len(row) == 3]


def _ask(words, text=None):
    try:
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=TIMEOUT)
    except FileNotFoundError:
        raise LqcdError(
            f"there is no {words[0]} here: submit on a machine with SLURM, or look at the script with --dry-run"
        ) from None
    except subprocess.TimeoutExpired:
        raise LqcdError(f"{words[0]} gave no answer for {TIMEOUT} s: is SLURM's controller up?") from None
