"""Jobs on several ranks to be disturbed, and what disturbs them."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import fault_runs
import launcher

RUN = """
import sys
from lqcd_hpc.cli import main
from lqcd_hpc.run import sample
sample.PAUSE = 0.1
sys.argv = ["lqcd-hpc", "run", sys.argv[1]]
main()
"""
PATIENT = {"OMPI_MCA_mpi_yield_when_idle": "1"}  # other work shares the cores
IN_ORDER = {128 + n for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}


class MpiJob:
    """`mpirun -n RANKS lqcd-hpc run FILE` in the file's folder, in a session of its own."""

    def __init__(self, path, ranks=2):
        self.ranks, self.log = ranks, Path(f"{path}.log")
        words = [*launcher.mpirun().split(), "-n", str(ranks), sys.executable, "-c", RUN, str(path)]
        with open(self.log, "w") as log:
            self._job = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=launcher.environment(PATIENT), cwd=path.parent, start_new_session=True,
            )  # fmt: skip
        self.pid = self._job.pid

    def running(self):
        return self._job.poll() is None

    def pids(self):
        """The processes of the ranks, by rank."""
        found = {}
        for pid in launcher._session(self.pid):
            with contextlib.suppress(OSError):
                for one in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    if one.startswith(b"OMPI_COMM_WORLD_RANK=") or one.startswith(b"PMI_RANK="):
                        found[int(one.split(b"=")[1])] = pid
        return found

    def wait(self, timeout=600):
        """(exit code, seconds until the last process was gone); code None where they had to be stopped."""
        begin, code = time.monotonic(), None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._job.wait(timeout)
        while launcher._session(self.pid) and time.monotonic() - begin < timeout:
            time.sleep(0.02)
        seconds = time.monotonic() - begin
        if launcher._session(self.pid):
            code = None
        launcher._stop(self._job)
        return code, seconds

    def output(self):
        return self.log.read_text(errors="replace")


def kill(pid, number):
    """Send a signal to a process that may be gone already; whether it was there."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def a_rank_killed(job, rng):
    pids = job.pids()
    return bool(pids) and kill(pids[rng.choice(sorted(pids))], signal.SIGKILL)


def all_ranks_killed(job, rng):
    return sum(kill(pid, signal.SIGKILL) for pid in job.pids().values()) > 0


def launcher_killed(job, rng):
    return kill(job.pid, signal.SIGKILL)


def terminated(job, rng):
    return kill(job.pid, signal.SIGTERM)


def warned(job, rng):
    return kill(job.pid, signal.SIGUSR1)


def interrupted(job, rng):
    return sum(kill(pid, signal.SIGINT) for pid in job.pids().values()) > 0


def a_rank_terminated_twice(job, rng):
    pids = job.pids()
    if not pids:
        return False
    pid = pids[rng.choice(sorted(pids))]
    return kill(pid, signal.SIGTERM) and (time.sleep(rng.uniform(0, 0.05)) or kill(pid, signal.SIGTERM) or True)


SIGNALS = {
    "SIGKILL of one rank": a_rank_killed,
    "SIGKILL of all ranks at once": all_ranks_killed,
    "SIGKILL of mpirun": launcher_killed,
    "SIGTERM to mpirun": terminated,
    "SIGUSR1 to mpirun": warned,
    "SIGINT to all ranks": interrupted,
    "SIGTERM twice to one rank": a_rank_terminated_twice,
}


def checkpoints(folder):
    """The checkpoints in a folder, not what is half written, oldest first."""
    found = [path for path in Path(folder).rglob("checkpoint_*.*") if path.suffix in (".h5", ".safetensors")]
    return sorted(found, key=lambda path: path.name)


def damage(path, rng):
    """Damage a file in one of the ways of disks; says which."""
    way = rng.choice(["flipped bit", "truncated", "empty", "missing"])
    data = bytearray(path.read_bytes())
    if way == "flipped bit":
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
    elif way == "truncated":
        os.truncate(path, rng.randrange(1, len(data)))
    elif way == "empty":
        os.truncate(path, 0)
    else:
        path.unlink()
    return way


def leave_temporary_files(folder, rng):
    """What a killed job leaves: halves of files under temporary names."""
    names = [path for path in Path(folder).rglob("*") if path.is_file() and path.suffix in (".h5", ".safetensors")]
    for path in rng.sample(names, min(len(names), 3)):
        data = path.read_bytes()
        path.with_name(path.name + ".part").write_bytes(data[: rng.randrange(len(data) + 1)])
    return len(names)


class Disk:
    """A small disk that can be filled; `usable` is false where none can be mounted."""

    def __init__(self, folder, size="48m"):
        self.path = Path(folder)
        self.path.mkdir(exist_ok=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.path)]
        self.usable = os.geteuid() == 0 and subprocess.run(words, capture_output=True).returncode == 0

    def free(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, left=0):
        """Take all but so many bytes."""
        with open(self.path / "filler", "wb") as file:
            while (size := self.free() - left) > 0:
                with contextlib.suppress(OSError):  # the job has taken some meanwhile
                    os.posix_fallocate(file.fileno(), 0, size)
                    return

    def empty(self):
        (self.path / "filler").unlink(missing_ok=True)

    def mount(self, options):
        """Remount with other options, such as ro; whether that was possible."""
        words = ["mount", "-o", f"remount,{options}", str(self.path)]
        return subprocess.run(words, capture_output=True).returncode == 0

    def close(self):
        if self.usable:
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True)


def quiet_runs(folder, files):
    """Run files one after the other, undisturbed: digests and seconds by name."""
    digests, seconds = {}, {}
    for kind, path in files.items():
        begin = time.monotonic()
        job = MpiJob(path)
        code, _ = job.wait()
        assert code == 0, job.output()
        seconds[kind] = time.monotonic() - begin
        digests[kind] = fault_runs.history(Path(folder) / kind)
    return digests, seconds


def seeded(number):
    return random.Random(number)
