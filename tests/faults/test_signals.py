"""Signals at random moments: the documented exit code, nothing lost, and the next start ends with the same bits."""

import os
import re
import signal
import time

import fault_jobs
import fault_runs
import pytest

from lqcd_hpc import LqcdError
from lqcd_hpc.errors import Terminated
from lqcd_hpc.run import termination

RANDOM = 2  # moments for each kind of run and signal in the fast suite
SIGNALS = {"SIGTERM": [15], "SIGINT": [2], "SIGUSR1": [10], "SIGTERM twice": [15, 15], "SIGINT twice": [2, 2]}
SIGNALS |= {"SIGKILL": [9], "SIGUSR1, then SIGTERM": [10, 15]}


def disturb(path, kind, name, seconds, rng):
    """One start with the signals at a random moment; its end."""
    job = fault_runs.Job(path)
    time.sleep(rng.uniform(0, seconds))
    for number in SIGNALS[name]:
        fault_jobs.kill(job.pid, number)
        time.sleep(rng.uniform(0, 0.02) if len(SIGNALS[name]) > 1 else 0)
    return job.wait()


def in_order(name, ended):
    """Whether the end is one that the docs promise: as after the first signal, in order or before work began."""
    first = SIGNALS[name][0]
    words = {0: "", 130: "interrupted"}
    words[128 + first] = f"{words.get(128 + first, '^$')}|{signal.Signals(first).name}: .* ended (after|before)"
    killed = {-number for number in SIGNALS[name]}
    return ended.code in killed or ended.code in words and re.search(words[ended.code], ended.output)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_a_signal_at_any_moment_loses_nothing(kind, name, quiet, tmp_path, tried, moments=RANDOM):
    folder, digests = quiet
    path, rng = fault_runs.run_file(tmp_path, kind), fault_jobs.seeded(f"{kind} {name}")
    if kind == "measure":
        (tmp_path / "generate").symlink_to(folder / "generate")
    for _ in range(moments):
        ended = disturb(path, kind, name, 0.3, rng)
        assert in_order(name, ended) and "Traceback" not in ended.output, ended
        tried(name, f"{kind}, random moment", "goes on to the bits of a quiet run")
    ended = fault_runs.run(path)
    assert ended.code == 0, ended
    assert fault_runs.history(tmp_path / kind) == digests[kind]


@pytest.mark.long
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_signals_at_many_moments(kind, name, quiet, tmp_path, tried):
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        test_a_signal_at_any_moment_loses_nothing(kind, name, quiet, folder, tried, moments=20)


@pytest.fixture
def nothing_ignored():
    """Also where the tests were started in a way that ignores signals: by nohup, or in the background of a script."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in termination.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def noticing(numbers):
    with termination.noticed() as came:
        for number in numbers:
            os.kill(os.getpid(), number)
        return came()


@pytest.mark.parametrize("number", termination.SIGNALS)
def test_every_signal_that_asks_for_an_end_is_noticed(number, nothing_ignored):
    assert noticing([number]) == number
    assert noticing([number, signal.SIGTERM]) == number
    assert noticing([]) == 0


def test_a_second_interrupt_interrupts_at_once(nothing_ignored):
    with pytest.raises(KeyboardInterrupt):
        noticing([signal.SIGINT, signal.SIGINT])


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert noticing([signal.SIGHUP]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_exit_code_tells_the_signal():
    from lqcd_hpc.cli.failure import describe

    assert describe(Terminated(10, "kept")) == ("SIGUSR1: kept", 138)
    assert describe(LqcdError("wrong"))[1] == 2 and describe(KeyboardInterrupt())[1] == 130
