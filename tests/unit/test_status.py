"""What `lqcd-hpc status` says of runs: it reads, and disturbs nothing."""

import json
import os
import sys
import time

import fault_runs
import pytest

from lqcd_hpc import LqcdError, cli
from lqcd_hpc.jobs import slurm
from lqcd_hpc.jobs.members import members
from lqcd_hpc.jobs.progress import Progress, progress
from lqcd_hpc.jobs.status import status
from lqcd_hpc.run import execute, journal

RUN = """
[lattice]
shape = [4, 4, 4, 8]
group = "SU(3)"
[start]
kind = "cold"
[random]
seed = 3
[action]
kind = "wilson"
beta = 5.7
[[update]]
kind = "heatbath"
overrelaxation = 1
count = 2
measure = false
[[update]]
kind = "hmc"
tau = 1.0
steps = 4
integrator = "omf4"
count = 8
[measure.plaquette]
[output]
directory = "out"
checkpoint = 3
report = false
"""


def quietly(text):
    """Say nothing."""


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    """Two streams of an array of three, the first one done, the second one half way; and a record of the array."""
    folder = tmp_path_factory.mktemp("ensemble")
    before = os.getcwd()
    os.chdir(folder)
    try:
        (streams,) = members([RUN], {}, 3)
        jobs = folder / "out" / "jobs" / "001"
        jobs.mkdir(parents=True)
        for n, one in enumerate(streams):
            (jobs / f"{n:04d}.toml").write_text(one.text)
        execute(jobs / "0000.toml", say=quietly)
        half = folder / "half.toml"
        half.write_text(streams[1].text.replace("count = 8", "count = 3"))
        execute(half, say=quietly)
        record = {"job": "17", "name": "run", "verb": "run", "submitted": "2026-01-01T00:00:00", "array": True}
        record["members"] = [
            {"run_file": f"{n:04d}.toml", "directory": str(folder / one.directory)} for n, one in enumerate(streams)
        ]
        (jobs / "submission.json").write_text(json.dumps(record))
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def queue(monkeypatch):
    """What SLURM says, as a dict that a test fills."""
    said = {}
    monkeypatch.setattr(slurm, "states", lambda numbers: said)
    return said


def test_every_stream_has_a_row_with_its_job_and_progress(ensemble, queue, monkeypatch):
    queue |= {"17_0": ("COMPLETED", "n1"), "17_1": ("RUNNING", "n2"), "17_2": ("PENDING", "(Resources)")}
    monkeypatch.chdir(ensemble)
    rows = status(["."])
    assert [(row.run, row.job, row.state) for row in rows] == [
        ("out/stream_000", "17_0", "done"),
        ("out/stream_001", "17_1", "running"),
        ("out/stream_002", "17_2", "pending"),
    ]
    assert [(row.progress.done, row.progress.goal) for row in rows] == [(10, 10), (5, 10), (0, 10)]
    assert [row.progress.complete for row in rows] == [True, False, False]
    assert rows[1].progress.left == pytest.approx(5 * rows[1].progress.seconds) and rows[1].log.endswith("17_1.log")


def test_numbers_are_those_of_the_measured_updates(ensemble, queue):
    found = progress(ensemble / "out" / "stream_000")
    records = journal.read(ensemble / "out" / "stream_000" / "journal.jsonl")
    rows = [record["values"] for record in records if record["name"] == "update"][2:]
    assert len(rows) == 8 and found.acceptance == sum(row["accepted"] for row in rows) / 8
    name, value = found.watched
    assert name == "plaquette" and float(value.partition("(")[0]) == pytest.approx(
        sum(row["plaquette"] for row in rows) / 8, abs=1e-5
    )
    seconds = [float(line.split()[1]) for line in (ensemble / "out/stream_000/seconds.txt").read_text().splitlines()]
    assert found.seconds >= min(seconds) and found.left == 0


def test_a_failed_job_is_failed_and_a_run_without_a_job_is_stopped(ensemble, queue, monkeypatch):
    monkeypatch.chdir(ensemble)
    assert [row.state for row in status(["out"])] == ["done", "stopped", "unknown"]
    queue |= {"17_1": ("FAILED", "n2"), "17_2": ("CANCELLED", "")}
    assert [row.state for row in status(["out"])] == ["done", "failed", "cancelled"]


def test_a_job_that_failed_after_the_last_step_has_failed(ensemble, queue, monkeypatch):
    """All updates are made, but what comes after them is not there: the disk was full."""
    monkeypatch.chdir(ensemble)
    log = ensemble / "out" / "jobs" / "001" / "17_0.log"
    log.touch()
    queue |= {"17_0": ("FAILED", "n1")}
    try:
        assert status(["out"])[0].state == "failed"
        os.utime(log, (time.time() - 3600, time.time() - 3600))
        assert status(["out"])[0].state == "done"  # somebody has finished it since
    finally:
        log.unlink()


def test_a_run_whose_lock_beats_is_running_without_slurm(ensemble, queue):
    lock = ensemble / "out" / "stream_001" / "lock"
    lock.write_text('{"machine": "here"}')
    try:
        (row,) = status([str(ensemble / "out" / "stream_001")])
        assert (row.state, row.job) == ("running", "17_1")
        os.utime(lock, (time.time() - 60, time.time() - 60))
        (row,) = status([str(ensemble / "out" / "stream_001")])
        assert row.state == "stopped"
    finally:
        lock.write_text("")


def test_reading_changes_nothing(ensemble, queue):
    def listing():
        return {path: path.stat().st_mtime_ns for path in ensemble.rglob("*")}

    before = listing()
    status([str(ensemble)])
    assert listing() == before


def test_a_damaged_journal_is_told_and_the_others_are_shown(ensemble, queue, monkeypatch):
    path = ensemble / "out" / "stream_001" / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"step":2', b'"step":3', 1))
    try:
        rows = status([str(ensemble)])
    finally:
        path.write_bytes(whole)
    assert "damaged" in rows[1].progress.problem and rows[0].progress.problem is None


def test_a_longer_run_file_is_the_goal_of_its_latest_submission(ensemble):
    longer = RUN.replace("count = 8", "count = 100")
    found = progress(ensemble / "out" / "stream_000", longer)
    assert (found.done, found.goal, found.complete) == (10, 102, False)


TRAINING = "[flow]\n[train]\nsteps = 500\n[output]\ndirectory = 'x'\n"


def test_trainings_and_measurements_have_progress_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    book = journal.Journal(tmp_path / journal.NAME, True)
    book.append(250, "train", {"loss": -1.0})
    book.append(250, "evaluation", {"ess": 0.875, "loss": -1.0})
    book.append(1, "configuration", {"file": "a"})
    book.close()
    for name in ("a", "b"):
        (tmp_path / f"{name}.ildg").touch()
    for step in (100, 200, 300):
        (tmp_path / f"checkpoint_{step:08d}.safetensors").touch()
        os.utime(tmp_path / f"checkpoint_{step:08d}.safetensors", (step, 2e9 + step / 2))
    (tmp_path / "run.json").write_text("{}")
    trained = progress(tmp_path, TRAINING)
    assert (trained.done, trained.goal, trained.watched) == (300, 500, ("ess", "0.875"))
    assert trained.seconds == 0.5 and trained.left == 100
    os.utime(tmp_path / "run.json", (3e9, 3e9))
    assert progress(tmp_path, TRAINING).seconds is None  # the run was started anew since
    measured = progress(tmp_path, "[source]\nfiles = ['*.ildg']\n")
    assert (measured.kind, measured.done, measured.goal) == ("source", 1, 2)


COMPARISON = """
[compare]
masses = [-0.1, 0.0, 0.1]
reference = "cg"
rhs = [1, 2, 4]
[source]
files = ["*.ildg"]
[[solver]]
name = "cg"
[[solver]]
name = "slow"
rhs = [1]
[output]
directory = "x"
"""


def test_a_comparison_is_done_when_every_solver_has_met_every_mass_and_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.ildg").touch()
    found = progress(tmp_path, COMPARISON)
    assert (found.kind, found.done, found.goal) == ("compare", 0, 2 * 3 * (3 + 1))
    assert progress(tmp_path, COMPARISON.replace("rhs = [1, 2, 4]\n", "")).goal == 2 * 3 * (2 + 1)


def test_a_sampling_tells_how_many_samples_its_checkpoints_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    execute(fault_runs.run_file(tmp_path, "sample", 64), say=quietly)
    ended = progress(tmp_path / "sample")
    assert (ended.kind, ended.done, ended.goal) == ("sampler", 64, 64) and 0 < ended.acceptance <= 1
    (tmp_path / "sample" / "result.json").unlink()
    assert (progress(tmp_path / "sample").done, progress(tmp_path / "sample").goal) == (64, 64)
    for checkpoint in (tmp_path / "sample").glob("process_*/*"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:20])
    assert progress(tmp_path / "sample").done == 0


def test_places_without_runs_are_refused(tmp_path):
    with pytest.raises(LqcdError, match="there is no run in or below"):
        status([str(tmp_path)])
    with pytest.raises(LqcdError, match="is not a directory"):
        status([str(tmp_path / "none")])


@pytest.mark.parametrize("json_wanted", [False, True])
def test_the_command_prints_a_table_or_json(json_wanted, ensemble, queue, monkeypatch, capfd):
    queue |= {"17_2": ("PENDING", "(Resources)")}
    monkeypatch.chdir(ensemble)
    monkeypatch.setattr(sys, "argv", ["lqcd-hpc", "status", *(["--json"] if json_wanted else [])])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out = capfd.readouterr().out
    assert not end.value.code
    if json_wanted:
        first, _, last = json.loads(out)
        assert (first["state"], first["progress"]["done"], last["where"]) == ("done", 10, "(Resources)")
        assert first["progress"]["watched"] == "plaquette"
    else:
        lines = out.splitlines()
        assert "out/stream_001" in out and any("50" in line and "stopped" in line for line in lines)
        assert "out/stream_002: pending (Resources)" in lines


def test_what_squeue_and_sacct_print_is_understood(monkeypatch):
    said = {
        "squeue": "12_2|PENDING|(Resources)\n12_3|PENDING|(Resources)\n12_0|RUNNING|n1\n99|RUNNING|n7\n",
        "sacct": "14|CANCELLED by 0|None assigned\n13_1|COMPLETED|n2\n12_0|PENDING|n1\n12_1|COMPLETED|n1\n",
    }

    class Done:
        returncode = 0

    def ask(words, text=None):
        done = Done()
        done.stdout = said[words[0]]
        return done

    monkeypatch.setattr(slurm, "_ask", ask)
    monkeypatch.setattr(slurm, "present", lambda name="sbatch": True)
    found = slurm.states(["12", "13", "14"])
    waiting = dict.fromkeys(["12_2", "12_3"], "PENDING")
    others = {"12_0": "RUNNING", "12_1": "COMPLETED", "14": "CANCELLED", "13_1": "COMPLETED"}
    assert {name: state for name, (state, _) in found.items()} == waiting | others


def test_nothing_known_is_nothing_said():
    assert Progress("update").left is None and not Progress("update").complete
