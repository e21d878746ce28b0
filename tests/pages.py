"""Walks a page of the documentation as a reader does: saves the files that it shows, runs its commands and its Python
in the order of the page, and compares what they print.

| block | what is done |
| --- | --- |
| any whose first line is a comment with a file name, `# run.toml` or `// mine.h` | saved under that name |
| console | lines that begin with `$` are run by bash; the lines below are what they print, `...` for anything |
| python | run, in one namespace for the page; with `>>>` compared too |

A block below `<!-- not run -->` is left alone. Below `<!-- within errors -->` numbers may differ: values with an error
by SIGMAS of it, others by a fifth; that is for what torch computes, whose last bits depend on the processor.
"""

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import launcher
import pytest

BLOCK = re.compile(r"(?:<!-- (?P<mark>[a-z ]+) -->\s*\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
NAMED = re.compile(r"\A(?:#|//) (?P<name>[\w./-]+\.\w+)\b")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:\(\d+(?:\.\d+)?\))?(?:e[+-]\d+)?")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
SIGMAS, RELATIVE = 5, 0.2


@dataclass(frozen=True)
class Block:
    """A fenced block of a page with the line where its text begins."""

    kind: str
    text: str
    mark: str | None
    line: int

    @property
    def file(self):
        """The name under which it is to be saved, or None."""
        named = NAMED.match(self.text)
        return named and named["name"]

    @property
    def commands(self):
        """(command, what it prints) of a console block."""
        parts = re.split(r"^\$ ", self.text, flags=re.M)[1:]
        return [(command, printed) for command, _, printed in (part.partition("\n") for part in parts)]


def blocks(text):
    """Every block of a page that is to be done."""
    found = [
        Block(match["kind"], match["text"], match["mark"], text.count("\n", 0, match.start("text")))
        for match in BLOCK.finditer(text)
    ]
    return [block for block in found if block.mark != "not run"]


def walk(text, folder, environment=None, commands=True):
    """Do everything that a page says in a folder (without its commands, if these are tested elsewhere). Raises
    AssertionError at the first that is not as the page says.
    """
    namespace = {"__name__": "__example__"}
    for block in blocks(text):
        if block.file:
            path = Path(folder, block.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.kind == "console" and commands:
            for command, printed in block.commands:
                _do(command, printed, folder, environment, block.mark == "within errors")
        elif block.kind == "python":
            _python(block, namespace, folder)


def _do(command, printed, folder, environment, loosely):
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=reader(environment), capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"$ {command}\nended with code {done.returncode}\n{done.stdout}{done.stderr}"
    assert not printed.strip() or agree(printed, done.stdout, loosely), (
        f"$ {command}\nthe page has\n{printed}\nprinted was\n{done.stdout}"
    )


def reader(environment=None):
    """The environment of a reader: this Python's commands first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return launcher.environment({"PATH": path, "COLUMNS": "200"} | (environment or {}))


def _python(block, namespace, folder):
    here = os.getcwd()
    os.chdir(folder)
    try:
        if block.text.lstrip().startswith(">>>"):
            examples = doctest.DocTestParser().get_doctest(block.text, namespace, "page", "page", block.line)
            run_examples(examples)
            namespace |= examples.globs
        else:
            exec(compile("\n" * block.line + block.text, "page", "exec"), namespace)
    finally:
        os.chdir(here)


def run_examples(examples):
    """Run the examples of one docstring or block; fails with the first that prints something else."""
    try:
        doctest.DebugRunner(optionflags=FLAGS).run(examples, clear_globs=False)
    except doctest.DocTestFailure as failure:
        example = failure.example
        where = f"{examples.name}, line {examples.lineno + example.lineno + 1}"
        pytest.fail(f"{where}: {example.source}expected {example.want}got {failure.got}", pytrace=False)
    except doctest.UnexpectedException as failure:
        raise failure.exc_info[1] from None


def agree(expected, found, loosely=False):
    """Whether a command printed what the page has: its lines, with `...` for anything, spaces as they come."""
    if doctest.OutputChecker().check_output(expected, found, FLAGS):
        return True
    return loosely and _agree_in_numbers(expected, found)


def _agree_in_numbers(expected, found):
    """The same words, and numbers that agree within errors."""
    text = re.escape(" ".join(NUMBER.sub("\0", expected).split())).replace(r"\.\.\.", ".*?").replace(r"\ ", " ")
    match = re.fullmatch(text.replace("\0", f"({NUMBER.pattern})"), " ".join(found.split()), re.S)
    return bool(match) and all(map(_close, NUMBER.findall(expected), match.groups()))


def _close(expected, found):
    (a, da), (b, db) = _value(expected), _value(found)
    return abs(a - b) <= SIGMAS * (da**2 + db**2) ** 0.5 if da and db else abs(a - b) <= RELATIVE * abs(a)


def _value(text):
    """(value, error) of 0.1616(24), 512.0(3.0) or 6.70(12)e-04; the error is 0 where there is none.

    >>> _value("0.1616(24)"), _value("12.5")
    ((0.1616, 0.0024), (12.5, 0.0))
    """
    number, digits, error, power = re.fullmatch(
        r"(-?\d+(?:\.(\d+))?)(?:\((\d+(?:\.\d+)?)\))?((?:e[+-]\d+)?)", text
    ).groups()
    scale = float("1" + (power or "e0"))
    unit = 1 if error and "." in error else 10 ** -len(digits or "")
    return float(number) * scale, float(error or 0) * unit * scale
