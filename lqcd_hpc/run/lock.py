"""One job per directory: a lock that says who holds it, and that nobody has to clear away after a kill.

The file `lock` is held twice. flock keeps others out for as long as the holder lives: the kernel drops it when the
holder dies, in whatever way. A record in the file says who holds it, and beats; it is emptied on an orderly end. Most
file systems that nodes share know flock across nodes, but some only within a node, some not at all. So what is found
in a lock that is free or cannot be had decides:

| flock | record | what happens |
| --- | --- | --- |
| free | empty | taken |
| free | of this machine | taken: its process is gone |
| any | of an earlier start of this SLURM job (requeued) | taken: SLURM has ended that start |
| free | of another machine | watched for `PATIENCE` seconds: refused if it beats, taken if not |
| held | any other | refused: the message says who holds it |
| unknown here | of this machine | taken if its process is gone, else refused |
| unknown here | of another machine | refused: the message says which file to remove if that job is gone |

A holder whose record was replaced by another's ends its job at the next beat. No clock is compared with another's:
a beat is a count, and `since` is for people.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ..errors import LqcdError

NAME = "lock"
BEAT = 5.0  # seconds between beats
PATIENCE = 4 * BEAT
_SIZE = 1024  # bytes of a record: always the same, so that it is replaced by one write
_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")


class Lock:
    """The lock of a directory, held until `release`. Raises `LqcdError` if another job holds it.

    `lost` is called, from a thread of its own, with a message if another job has taken the lock over. `note` says from
    whom the lock was taken over; None if nobody had left it.
    """

    def __init__(self, directory, lost):
        self.path, self._lost, self.note = Path(directory) / NAME, lost, None
        self._record = _this_process()
        self._handle, free = self._open()
        try:
            self._take(free)
        except BaseException:
            os.close(self._handle)
            raise
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._heart.start()

    def release(self, remove=False):
        """Let other jobs work here; `remove` takes the file away too."""
        self._ended.set()
        self._heart.join()
        with suppress(OSError):
            if remove:
                self.path.unlink(missing_ok=True)
            os.ftruncate(self._handle, 0)
        os.close(self._handle)

    def _open(self):
        """(file handle, whether flock is ours: None where the file system has none)."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            free = _flock(handle)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(self.path)):
                    return handle, free
            os.close(handle)  # removed by another job between open and flock

    def _take(self, free):
        found = _read(self.path)
        if self._requeued(found):
            self._replace(free)
            self.note = f"this job was requeued: took over the lock of {_who(found)}"
            return
        if free is False:
            raise LqcdError(
                f"another job works in {self.path.parent}: {_who(found)}; wait for it, or choose another [output] "
                f"directory; only if you know that it is gone (a lost node), remove {self.path}"
            )
        if found:
            self._outlive(found, free)
        self._write()
        if free is None:
            self._insist()

    def _requeued(self, found):
        """Whether the record is of an earlier start of this job."""
        job, restart = self._record["job"], self._record["restart"]
        return bool(job) and found.get("job") == job and found.get("restart") != restart

    def _replace(self, free):
        """A file of our own under the name, where a node that is lost may hold flock on the one before."""
        if free is False:
            os.close(self._handle)
            self.path.unlink(missing_ok=True)
            self._handle, _ = self._open()
        self._write()

    def _outlive(self, found, free):
        """Make sure that whoever left the record is gone."""
        refusal = f"another job works in {self.path.parent}: {_who(found)}"
        if found.get("machine") == self._record["machine"]:
            if not free and _started(found.get("pid")) == found.get("started"):
                raise LqcdError(f"{refusal}; wait for it, or choose another [output] directory")
        elif not free:
            raise LqcdError(
                f"{refusal}; this file system cannot tell whether it still runs: if it does not, remove {self.path}"
            )
        elif self._beats(found):
            raise LqcdError(f"{refusal}, and is alive; wait for it, or choose another [output] directory")
        self.note = f"took over the lock of {_who(found)}, which is gone"

    def _beats(self, found):
        """Whether the record changes within PATIENCE."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            time.sleep(BEAT / 5)
            if _read(self.path) != found:
                return True
        return False

    def _insist(self):
        """Without flock: of two jobs that write at the same time the later one stays."""
        time.sleep(1.0)
        found = _read(self.path)
        if not self._owns(found):
            raise LqcdError(f"another job works in {self.path.parent}: {_who(found)}; wait for it")

    def _beat(self):
        while not self._ended.wait(BEAT):
            with suppress(OSError):
                if not self._still_ours():
                    self._lost(
                        f"the lock {self.path} was taken over or removed ({_who(_read(self.path))} has it now): this "
                        "job ends, so that one job alone works there"
                    )
                    return
                self._record["beat"] += 1
                self._write()

    def _still_ours(self):
        """Whether the file is there without another's record; raises `OSError` if that cannot be told now."""
        try:
            found = _parsed(self.path.read_bytes())
        except FileNotFoundError:
            return False
        return not found or self._owns(found)

    def _owns(self, found):
        return all(found.get(key) == self._record[key] for key in ("machine", "pid", "started", "restart"))

    def _write(self):
        os.pwrite(self._handle, json.dumps(self._record).encode()[:_SIZE].ljust(_SIZE), 0)


def _flock(handle):
    """True: flock is ours; False: another's; None: this file system has none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return None


def _read(path):
    """The record in a lock file; empty if there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return _parsed(file.read(_SIZE))
    except OSError:
        return {}


def _parsed(text):
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _this_process():
    job = next((f"{name} {os.environ[name]}" for name in _JOBS if os.environ.get(name)), "")
    return {
        "host": socket.gethostname()[:64],
        "machine": _machine(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
        "job": job[:64],
        "restart": os.environ.get("SLURM_RESTART_COUNT", "0")[:16],
        "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "beat": 0,
    }


def _machine():
    """What tells this boot of this machine (and, in a container, its process numbers) from all others."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _started(pid):
    """When a process began, in ticks since the machine did; None if there is none of that number."""
    try:
        return Path(f"/proc/{int(pid)}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, TypeError, ValueError, IndexError):
        return None


def _who(found):
    if not found:
        return "someone who left no name"
    job = f" ({found['job']})" if found.get("job") else ""
    return f"process {found.get('pid')} on host {found.get('host')}{job}, since {found.get('since')}"


def end_job(comm, message):
    """What a job does that has lost its lock: says so, and ends on all ranks without another byte written."""
    with suppress(OSError, ValueError):
        print(message, file=sys.__stderr__, flush=True)
    comm.abort(2)
