"""The run files of jobs/ can be run: every table is one that the package knows, every flow can be built."""

import re
from pathlib import Path

import pytest

from lqcd_hpc import config

JOBS = Path(__file__).resolve().parents[2] / "jobs"
FILES = sorted(JOBS.glob("*.toml"))
LEARNS = re.compile(r"^\[(train|sampler)\]", re.M)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_job_can_be_started(file):
    if LEARNS.search(file.read_text()):
        pytest.importorskip("torch")
    run = config.load(file)
    density = getattr(run, "density", None)
    target = density and density.target()
    flow = density and run.flow and run.flow.on(target)
    if isinstance(run, config.SampleFile) and run.model is None:
        run.sampler.on(target, flow)
    if isinstance(run, config.TrainFile):
        assert sum(p.numel() for p in flow.parameters()) > 0


@pytest.mark.parametrize("file", [f for f in FILES if f.stem.startswith("flow-")], ids=lambda file: file.stem)
def test_a_job_says_how_it_is_started_and_keeps_its_results_apart(file):
    text = file.read_text()
    verb = "train" if "[train]" in text else "sample"
    assert text.startswith(f"# lqcd-hpc {verb} jobs/{file.name}")
    assert config.load(file).output.directory == f"{file.stem}-output"
    for model in re.findall(r'^model = "(.*?)-output/model"', text, re.M):
        assert (JOBS / f"{model}.toml").exists()
