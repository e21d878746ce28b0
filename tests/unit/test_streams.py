"""[random] stream: whatever draws numbers has others in another stream, and nothing changes in stream 0."""

import re

import numpy as np
import pytest

pytest.importorskip("torch")

import fault_runs  # noqa: E402
import preconditioner_runs  # noqa: E402
import training_runs  # noqa: E402

from lqcd_hpc.analysis import read_measurements  # noqa: E402
from lqcd_hpc.config.generate import RandomTable  # noqa: E402
from lqcd_hpc.ml.training.state import read_model  # noqa: E402
from lqcd_hpc.run import execute  # noqa: E402
from lqcd_hpc.run.journal import read  # noqa: E402


def metropolis(text):
    """A run file of hybrid Monte Carlo, for Metropolis."""
    for line in ("steps = 4\n", "tau = 1.0\n", 'integrator = "2mn"\n'):
        text = text.replace(line, "")
    return text.replace('kind = "hmc"', 'kind = "metropolis"\nwidth = 1.0')


SAMPLERS = {"hmc": lambda text: text, "metropolis": metropolis}


def quietly(text):
    """Say nothing."""


def in_stream(path, stream):
    """A run file again, in another stream and for another directory."""
    text = path.read_text().replace("[random]", f"[random]\nstream = {stream}")
    other = path.with_name(f"{path.stem}-{stream}.toml")
    other.write_text(re.sub('directory = "(.*)"', rf'directory = "\1-{stream}"', text))
    return other


def test_seed_and_stream_in_one_number_are_never_the_same_for_two_streams():
    assert RandomTable(seed=2**40).as_seed == 2**40
    for seed in (0, 7, 2**32 - 1):
        numbers = [RandomTable(seed=seed, stream=stream).as_seed for stream in range(50_000)]
        assert len(set(numbers)) == len(numbers) and all(0 <= one < 2**32 for one in numbers)
    near = {RandomTable(seed=seed, stream=stream).as_seed for seed in range(100) for stream in range(100)}
    assert len(near) == 10_000  # neighbours do not meet either


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplings_of_two_streams_differ(sampler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = fault_runs.run_file(tmp_path, "sample", 32, change=SAMPLERS[sampler])
    values = []
    for one in (path, in_stream(path, 0), in_stream(path, 1)):
        execute(one, say=quietly)
        columns = read_measurements(one.with_suffix("")).tables["samples"].columns
        values.append({name: np.asarray(columns[name]) for name in columns})
    assert set(values[0]) == set(values[2]) and len(values[0]) > 1
    assert all(np.array_equal(values[0][name], values[1][name]) for name in values[0])
    assert any(not np.array_equal(values[0][name], values[2][name]) for name in values[0] if name != "step")


@pytest.mark.parametrize("runs", [training_runs, preconditioner_runs])
def test_trainings_of_two_streams_differ(runs, tmp_path):
    path = runs.run_file(tmp_path, steps=2)
    losses, weights = [], []
    for one in (path, in_stream(path, 0), in_stream(path, 1)):
        execute(one, say=quietly)
        folder = one.with_suffix("")
        records = read(folder / "journal.jsonl")
        losses.append([record["values"]["loss"] for record in records if record["name"] == "train"])
        weights.append(read_model(folder)[1]["checksum"])
    assert losses[0] == losses[1] != losses[2] and weights[0] == weights[1] != weights[2]
