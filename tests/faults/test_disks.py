"""Full and read-only disks: one message and exit code 2, nothing half written, and the next start goes on."""

import os
import re
import time

import fault_jobs
import fault_runs
import pytest

SWEEP = [0, 8192, 32768, 131072, 2**20 + 2**14]  # bytes left
ALL = [0, *(4096 * n for n in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)), *(2**20 + 2**n for n in (12, 14, 16, 17))]
FULL = "No space left on device|cannot be written"


@pytest.fixture
def disk(tmp_path):
    made = fault_jobs.Disk(tmp_path / "disk", "8m")
    if not made.usable:
        made.close()
        pytest.skip("a small disk can be mounted by root alone")
    yield made
    made.close()


def prepared(disk, kind, quiet):
    path = fault_runs.run_file(disk.path, kind, report=True)
    if kind == "measure":
        (disk.path / "generate").symlink_to(quiet[0] / "generate")
    return path


def written(output):
    """What could not be written, by the message: a checkpoint, a configuration, ..."""
    names = {"checkpoint": "checkpoint", "configurations/": "configuration", "measurements.h5": "measurements.h5"}
    names |= {
        "model": "model",
        "report": "report",
        "samples": "states",
        "run.json": "run.json",
        "result": "result.json",
    }
    names |= {"process_": "checkpoint", "cannot write in": "lock"}
    last = [line for line in output.splitlines() if re.search(FULL, line)][-1]
    return next((name for word, name in names.items() if word in last), "journal")


@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_a_disk_that_fills_up_at_any_write(kind, disk, quiet, tried, sweep=SWEEP):
    """The space that is left is swept, so that each kind of write meets the end of it."""
    for left in sweep:
        path = prepared(disk, kind, quiet) if not (disk.path / f"{kind}.toml").exists() else disk.path / f"{kind}.toml"
        disk.fill(left)
        ended = fault_runs.Job(path, log=disk.path.parent / "log").wait()
        disk.empty()
        if ended.code == 0:
            break
        assert ended.code == 2 and re.search(FULL, ended.output), (left, ended)
        assert "Traceback" not in ended.output and "unexpected" not in ended.output, ended
        assert not list((disk.path / kind).rglob("*.part")), list((disk.path / kind).rglob("*.part"))
        tried(
            "full disk",
            f"{kind}: {written(ended.output)}",
            "exit 2 and one message, goes on to the bits of a quiet run",
        )
    ended = fault_runs.Job(path, log=disk.path.parent / "log").wait()
    assert ended.code == 0, ended
    assert fault_runs.history(disk.path / kind) == quiet[1][kind]


@pytest.mark.long
@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_a_disk_that_fills_up_at_many_places(kind, disk, quiet, tried):
    test_a_disk_that_fills_up_at_any_write(kind, disk, quiet, tried, ALL)


@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_every_file_of_a_run_may_be_the_one_that_is_too_long(kind, quiet, tmp_path, tried):
    """For those who are not root: a limit on the size of files, at growing sizes."""
    path = fault_runs.run_file(tmp_path, kind, report=True)
    if kind == "measure":
        (tmp_path / "generate").symlink_to(quiet[0] / "generate")
    for limit in (1000, 2000, 10_000, 100_000):  # the log is a file, too
        ended = fault_runs.Job(path, lambda size=limit: limited(size), tmp_path / "log").wait()
        if ended.code == 0:
            break
        assert ended.code == 2 and re.search(f"size limit|File too large|{FULL}", ended.output), (limit, ended)
        assert "Traceback" not in ended.output and "unexpected" not in ended.output, ended
        tried("file size limit", kind, "exit 2 and one message, goes on to the bits of a quiet run")
    ended = fault_runs.run(path)
    assert ended.code == 0, ended
    assert fault_runs.history(tmp_path / kind) == quiet[1][kind]


def limited(size):
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_log_on_a_full_disk_does_not_end_a_run(quiet, tmp_path, tried):
    path = fault_runs.run_file(tmp_path, "generate")
    job = fault_runs.Job(path, to_full_device)
    assert job.wait().code == 0
    assert fault_runs.history(tmp_path / "generate") == quiet[1]["generate"]
    tried("full disk", "the log", "the run goes on without its log")


def to_full_device():
    for stream in (1, 2):
        os.dup2(os.open("/dev/full", os.O_WRONLY), stream)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_a_read_only_directory(kind, begun, disk, quiet, tried):
    path = prepared(disk, kind, quiet)
    log = disk.path.parent / "log"
    if begun:
        job = fault_runs.Job(path, log=log)
        time.sleep(0.1)
        fault_jobs.kill(job.pid, 9)
        job.wait()
    if not disk.mount("ro"):
        pytest.skip("cannot be remounted here")
    ended = fault_runs.Job(path, log=log).wait()
    assert ended.code == 2 and "Read-only file system; choose" in ended.output and "Traceback" not in ended.output, (
        ended
    )
    assert disk.mount("rw")
    ended = fault_runs.Job(path, log=log).wait()
    assert ended.code == 0, ended
    assert fault_runs.history(disk.path / kind) == quiet[1][kind]
    tried(
        "read-only directory",
        f"{kind}, {'resumed' if begun else 'new'}",
        "exit 2 and one message, goes on when writable",
    )
