"""README and the tutorial say what happens: their files are saved, their commands run, as by a new user."""

import re
import shutil
import sys
from pathlib import Path

import launcher
import pages
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ("Makefile", "setup.cfg", "pyproject.toml", "constraints.txt")
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(launcher.UNDER_MPI or launcher.mpirun() is None, reason="starts jobs of its own under mpirun"),
]


def test_the_tutorial(tmp_path):
    pytest.importorskip("torch")
    pages.walk((ROOT / "docs" / "tutorial.md").read_text(), tmp_path)


def test_the_readme(tmp_path):
    """In a folder that looks like the tree, with this environment as its .venv and much shorter run files."""
    pytest.importorskip("torch")
    for name in BUILD:
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "installed").touch()
    (tmp_path / "jobs").mkdir()
    for name in ("demo.toml", "flow-phi4-e1.toml"):
        (tmp_path / "jobs" / name).write_text(shortened((ROOT / "jobs" / name).read_text()))
    environment = {"MAKEFLAGS": f"INSTALLED=installed VENV={sys.prefix}"}
    pages.walk((ROOT / "README.md").read_text(), tmp_path, environment)


def shortened(run):
    """A run file with a few updates or steps instead of its own, on a smaller lattice."""
    few = {"count": 6, "steps": 4, "every": 2, "interval": 1, "samples": 500, "evaluate": 4, "configurations": 5}
    run = run.replace("shape = [8, 8, 8, 8]", "shape = [4, 4, 4, 4]")
    return re.sub(rf"^({'|'.join(few)}) = \d+", lambda found: f"{found[1]} = {few[found[1]]}", run, flags=re.M)


@pytest.mark.parametrize("page", ["action", "operator", "layer", "site"])
def test_the_how_to(page, tmp_path):
    """With the contract tests on what the page adds."""
    pytest.importorskip("torch")
    pages.walk((ROOT / "docs" / f"howto-new-{page}.md").read_text(), tmp_path, {"CLONE": str(ROOT)})
