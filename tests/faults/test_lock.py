"""Two jobs on one directory: one is refused, in words, and what a dead one left needs no hands."""

import json
import os
import socket
import threading
import time

import fault_runs
import pytest

from lqcd_hpc import LqcdError
from lqcd_hpc.run import lock

BEAT = 0.05


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(lock, "BEAT", BEAT)
    monkeypatch.setattr(lock, "PATIENCE", 4 * BEAT)
    for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)


def taken(folder, lost=lambda message: None):
    return lock.Lock(folder, lost)


def record(**changes):
    """The record of another machine's process, as a killed job leaves it."""
    other = {"host": "n17", "machine": "another boot", "pid": 4711, "started": "99", "job": "", "restart": "0"}
    return other | {"since": "2026-01-01 00:00:00 UTC", "beat": 5} | changes


def leave(folder, found):
    (folder / "lock").write_text(json.dumps(found))


def no_flock(monkeypatch):
    monkeypatch.setattr(lock, "_flock", lambda handle: None)


def test_a_second_job_is_told_who_works_there(tmp_path, monkeypatch, tried):
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    first = taken(tmp_path)
    with pytest.raises(LqcdError) as error:
        taken(tmp_path)
    told = str(error.value)
    assert f"process {os.getpid()} on host {socket.gethostname()} (SLURM_JOB_ID 123), since 20" in told
    assert "wait for it" in told and str(tmp_path / "lock") in told
    first.release()
    taken(tmp_path).release()
    tried("two jobs on one directory", "both alive", "the second is refused, told who works there")


def test_two_runs_at_once_leave_the_bits_of_one(quiet, tmp_path, tried):
    path = fault_runs.run_file(tmp_path, "generate")
    jobs = [fault_runs.Job(path, log=tmp_path / f"log{n}") for n in range(3)]
    ended = [job.wait() for job in jobs]
    assert sorted(one.code for one in ended)[:2] != [2, 2] and {one.code for one in ended} <= {0, 2}, ended
    for one in ended:
        assert one.code == 0 or "another job works in generate: process" in one.output, one.output
        tried("two jobs on one directory", "three runs started at once", "one works, the others are refused")
    assert fault_runs.history(tmp_path / "generate") == quiet[1]["generate"]


def test_a_lock_of_a_killed_process_of_this_machine_is_taken_over(tmp_path, tried):
    dead = os.fork()
    if dead == 0:
        taken(tmp_path)
        os._exit(0)
    os.waitpid(dead, 0)
    begin = time.monotonic()
    one = taken(tmp_path)
    assert f"took over the lock of process {dead}" in one.note and time.monotonic() - begin < BEAT
    one.release()
    assert taken(tmp_path).note is None
    tried("two jobs on one directory", "the other was killed, same host", "taken over at once")


def test_a_lock_of_another_machine_is_watched(tmp_path, tried):
    leave(tmp_path, record())
    one = taken(tmp_path)
    assert "process 4711 on host n17" in one.note
    one.release()
    tried("two jobs on one directory", "the other is dead, other host", "taken over after its beats stay away")
    leave(tmp_path, record())
    stop = threading.Event()

    def beat():
        number = 0
        while not stop.wait(BEAT / 4):
            leave(tmp_path, record(beat=(number := number + 1)))

    heart = threading.Thread(target=beat)
    heart.start()
    with pytest.raises(LqcdError, match="host n17.*is alive"):
        taken(tmp_path)
    stop.set()
    heart.join()
    tried("two jobs on one directory", "the other is alive, other host", "the second is refused")


def test_without_flock_a_dead_process_is_told_from_a_living_one(tmp_path, monkeypatch, tried):
    no_flock(monkeypatch)
    mine = lock._this_process()
    leave(tmp_path, mine)
    with pytest.raises(LqcdError, match="another job works in"):
        taken(tmp_path)
    leave(tmp_path, mine | {"started": "1"})  # the number was given to another process since
    taken(tmp_path).release()
    leave(tmp_path, record())
    with pytest.raises(LqcdError, match=f"host n17.*cannot tell whether it still runs.*remove {tmp_path}/lock"):
        taken(tmp_path)
    (tmp_path / "lock").unlink()
    taken(tmp_path).release()
    tried("two jobs on one directory", "a file system without flock", "refused unless the other is surely gone")


def test_a_requeued_job_takes_its_own_lock_over(tmp_path, monkeypatch, tried):
    monkeypatch.setenv("SLURM_JOB_ID", "123")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    leave(tmp_path, record(job="SLURM_JOB_ID 123"))
    begin = time.monotonic()
    one = taken(tmp_path)
    assert "requeued" in one.note and time.monotonic() - begin < BEAT
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")  # flock of a lost node stays held
    lost = []
    one._lost = lost.append
    two = taken(tmp_path)
    assert "requeued" in two.note
    time.sleep(3 * BEAT)
    assert len(lost) == 1 and "taken over or removed" in lost[0]
    two.release()
    tried("two jobs on one directory", "a requeued SLURM job", "takes its own lock over")


def test_a_job_whose_lock_was_taken_ends_without_another_byte(quiet, tmp_path, tried):
    path = fault_runs.run_file(tmp_path, "generate", count=10**6)
    job = fault_runs.Job(path)
    place = tmp_path / "generate" / "lock"
    while not (place.exists() and place.read_bytes().strip()):
        time.sleep(0.01)
    leave(tmp_path / "generate", record())
    ended = job.wait()
    assert ended.code == 2 and "was taken over or removed (process 4711 on host n17" in ended.output
    tried("two jobs on one directory", "a living job's lock is taken away", "it ends within a beat, exit 2")


@pytest.mark.parametrize("left", [b"", b"{", b"[1]", b"\xff" * 2000, b"[" * 1024, b'{"machine": 3}'])
def test_a_lock_file_with_nonsense_in_it_is_taken(left, tmp_path):
    (tmp_path / "lock").write_bytes(left)
    taken(tmp_path).release()


def test_a_lock_file_that_is_removed_meanwhile_is_made_anew(tmp_path, monkeypatch):
    original, calls = lock._flock, []

    def removed(handle):
        calls.append(1)
        if len(calls) == 1:
            (tmp_path / "lock").unlink()
        return original(handle)

    monkeypatch.setattr(lock, "_flock", removed)
    one = taken(tmp_path)
    assert len(calls) == 2 and (tmp_path / "lock").exists()
    one.release()
