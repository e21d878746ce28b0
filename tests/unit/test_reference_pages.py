"""The reference has every public name: each has a docstring with an example, and a page that shows it."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from lqcd_hpc import LqcdError

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ("lqcd_hpc", "lqcd_hpc.operators", "lqcd_hpc.solvers", "lqcd_hpc.analysis")


def public():
    """(module, name, object) of every class and function that a package offers by its name."""
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                yield pytest.param(module, name, thing, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("module, name, thing", list(public()))
def test_a_public_name_says_what_it_is_with_an_example(module, name, thing):
    told = thing.__dict__.get("__doc__") if isinstance(thing, type) else thing.__doc__
    assert told and len(told.split("\n")[0].strip()) > 10, f"{name} needs a sentence"
    assert ">>>" in told or thing is LqcdError, f"{name} needs an example"


@pytest.mark.parametrize("package", PUBLIC)
def test_the_reference_lists_every_public_name(package):
    page = (ROOT / "docs" / "reference.md").read_text()
    listed = set(re.findall(r"\{py:obj\}`(?:\w+ )?<?~?([\w.]+)>?`", page))
    module = importlib.import_module(package)
    for name in module.__all__:
        thing = getattr(module, name)
        if callable(thing) or inspect.ismodule(thing):
            home = thing.__name__ if inspect.ismodule(thing) else f"{thing.__module__}.{thing.__name__}"
            assert home in listed, f"docs/reference.md lacks {name}: {home}"
