"""README and the tutorial say what happens: their files are saved, their commands run, as by a new user."""

from pathlib import Path

import launcher
import pages
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.mpirun,
    pytest.mark.skipif(launcher.UNDER_MPI or launcher.mpirun() is None, reason="starts jobs of its own under mpirun"),
]


def test_the_tutorial(tmp_path):
    pytest.importorskip("torch")
    pages.walk((ROOT / "docs" / "tutorial.md").read_text(), tmp_path)
