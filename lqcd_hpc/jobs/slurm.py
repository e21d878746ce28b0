"""What is said to SLURM and heard from it, by its commands: sbatch, scancel, squeue, sacct. No shell is involved."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess

from ..errors import LqcdError

TIMEOUT = 60  # seconds


class NoAnswer(LqcdError):
    """SLURM did not answer in time; what it was asked to do may be done all the same."""


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

    Elements of arrays have a line each. sacct knows those that squeue has forgotten.
    """
    wanted, found = set(numbers), {}
    if wanted and present("sacct"):
        fields = ["sacct", "-n", "-X", "-P", "--array", "-o", "JobID,State,NodeList", "-j", ",".join(sorted(wanted))]
        found |= {name: (state.split()[0], where) for name, state, where in _table(fields)}
    if wanted and present("squeue"):
        told = _table(["squeue", "-h", "-r", "-t", "all", "-u", getpass.getuser(), "-o", "%i|%T|%R"])
        found |= {name: (state, where) for name, state, where in told if name.partition("_")[0] in wanted}
    return found


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
        raise NoAnswer(f"{words[0]} gave no answer for {TIMEOUT} s: is SLURM's controller up?") from None
