"""The page on SLURM says what happens: its commands run, with a stand-in for sbatch that numbers jobs and runs none."""

from pathlib import Path

import pages
import pytest

from lqcd_hpc.jobs import site

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "slurm.md").read_text()
SBATCH = """#!/bin/bash
if [ "$1" = --test-only ]; then
    echo "sbatch: Job 1 to start at once" >&2
else
    echo $RANDOM
fi
"""


def test_the_page_on_slurm(tmp_path):
    import os

    pytest.importorskip("torch")
    place = tmp_path / "bin"
    place.mkdir()
    for name, text in {"sbatch": SBATCH, "squeue": "#!/bin/sh\n", "sacct": "#!/bin/sh\n"}.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    (tmp_path / "work").mkdir()
    path = f"{place}{os.pathsep}{pages.reader()['PATH']}"
    pages.walk(PAGE, tmp_path / "work", {"PATH": path})


def test_the_page_on_slurm_has_every_key_and_site():
    table = PAGE[PAGE.index("| key | meaning |") :]
    for name, table_of in site.TABLES.items():
        assert f"`[{name}]`" in table
        assert all(f"`{key}`" in table for key in table_of.__pydantic_fields__)
    assert all(f"`{name}`" in PAGE for name in site.names())
