"""A SLURM cluster on this machine: munged, slurmctld and several slurmd, in a folder and on ports of their own."""

import ctypes
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"  # where daemons lie
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
CONF = """
ClusterName=lqcdtest
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket,cred_expire=10
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
TmpFS={folder}/tmp/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=100000
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=1
SlurmctldTimeout=30
SlurmdTimeout=30
InactiveLimit=0
KillWait=5
MinJobAge=3600
Waittime=0
JobRequeue=1
PropagateResourceLimits=NONE
MailProg=/bin/true
"""
NODE = (
    "NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} Boards=1 SocketsPerBoard=1 "
    "CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory=4000 Feature=gpu{gres} State=UNKNOWN\n"
)


class NoCluster(Exception):
    """Why SLURM cannot be tested here."""


class Cluster:
    """The partition `main` has all nodes but the last two, which are in `frail` and may be taken down; `standard` and
    `gpu`, which some sites name, are `main`."""

    def __init__(self, folder, nodes=6, cpus=128, gpus=4):
        self.folder, self.nodes, self.gpus = Path(folder), nodes, gpus
        self._daemons = []
        _require()
        try:
            self._write(nodes, cpus)
            self._start(nodes)
        except BaseException:
            self.stop()
            raise

    @property
    def environment(self):
        """The environment in which SLURM's commands find this cluster."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        return kept | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PATH}

    def _write(self, nodes, cpus):
        for name in ("log", "run", "state", *(f"{d}/n{n}" for d in ("spool", "tmp") for n in range(1, nodes + 1))):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        (self.folder / "log").chmod(0o700)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        host, ports = socket.gethostname().split(".")[0], _free_ports(nodes + 1)
        gres = f" Gres=gpu:{self.gpus}" if self._fake_gpus(nodes) else ""
        text = CONF.format(folder=self.folder, host=host, port=ports[0])
        for n in range(1, nodes + 1):
            text += NODE.format(n=n, host=host, port=ports[n], cpus=cpus, gres=gres)
        text += f"PartitionName=main Nodes=n[1-{nodes - 2}] Default=YES MaxTime=INFINITE State=UP\n"
        text += "".join(f"PartitionName={name} Nodes=n[1-{nodes - 2}] State=UP\n" for name in ("standard", "gpu"))
        text += f"PartitionName=frail Nodes=n[{nodes - 1}-{nodes}] MaxTime=INFINITE State=UP\n"
        (self.folder / "slurm.conf").write_text(text)

    def _fake_gpus(self, nodes):
        """Character devices that nobody opens stand for GPUs; whether they could be made."""
        try:
            for n in range(self.gpus):
                os.mknod(self.folder / f"gpu{n}", 0o20600, os.makedev(195, n))
        except OSError:
            self.gpus = 0
            return False
        devices = f"{self.folder}/gpu[0-{self.gpus - 1}]"
        lines = [f"NodeName=n{n} Name=gpu File={devices}\n" for n in range(1, nodes + 1)]
        (self.folder / "gres.conf").write_text("".join(lines))
        return True

    def _start(self, nodes):
        self._daemon("guard", [sys.executable, __file__, str(self.folder)])
        run, log = self.folder / "run", self.folder / "log"
        munge = ["munged", "--foreground", f"--key-file={self.folder}/munge.key", f"--socket={run}/munge.socket"]
        munge += [f"--pid-file={run}/munged.pid", f"--log-file={log}/munged.log", f"--seed-file={run}/munged.seed"]
        self._daemon("munged", [*munge, "--force", "--num-threads=2"])
        _until(lambda: (run / "munge.socket").exists(), 10, "munged did not start")
        self._daemon("slurmctld", ["slurmctld", "-D", "-c"])
        for n in range(1, nodes + 1):
            self._daemon(f"n{n}", ["slurmd", "-D", "-N", f"n{n}"])
        _until(lambda: self._idle() >= nodes, 30, f"the nodes of SLURM did not come up\n{self.log_tail()}")
        hello = ["srun", "--mpi=pmix", "--time=1", "true"]
        if subprocess.run(hello, capture_output=True, timeout=30, env=self.environment).returncode:
            raise NoCluster("srun --mpi=pmix does not work: apt-get install libpmix-dev")

    def _daemon(self, name, command):
        with open(self.folder / "log" / f"{name}.out", "w") as out:
            self._daemons.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self.environment, cwd=self.folder,
                    start_new_session=True, preexec_fn=_die_with_parent,
                )
            )  # fmt: skip

    def _idle(self):
        if any(one.poll() is not None for one in self._daemons):
            raise NoCluster(f"a daemon of SLURM ended at once\n{self.log_tail()}")
        return self.ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N", check=False).count("n")

    def log_tail(self):
        """The ends of the daemons' logs."""
        logs = sorted((self.folder / "log").iterdir())
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-600:]}" for path in logs)

    def ask(self, *words, check=True, timeout=60):
        """The output of a command of SLURM."""
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, env=self.environment)
        assert done.returncode == 0 or not check, f"{' '.join(words)}: {done.stderr}"
        return done.stdout

    def show(self, job):
        """What `scontrol show job` tells of a job or an element of an array, as a dict."""
        text = self.ask("scontrol", "-o", "show", "job", job).splitlines()[0]
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def wait(self, job, *states, seconds=120):
        """Wait until a job is in one of these states (or over, if none are given); returns what `show` tells."""
        end = time.monotonic() + seconds
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")
        while (found := self.show(job))["JobState"] not in (states or over):
            assert time.monotonic() < end, (
                f"job {job} is {found['JobState']} ({found.get('Reason')})\n{self.log_tail()}"
            )
            time.sleep(0.2)
        return found

    def stop(self):
        """End all jobs, then the daemons, then whatever else still belongs to this cluster."""
        with suppress(Exception):
            self.ask("scancel", "-u", getpass.getuser(), "--signal=KILL", "--full", check=False, timeout=10)
            self.ask("scancel", "-u", getpass.getuser(), check=False, timeout=10)
            _until(lambda: not self.ask("squeue", "-h", "-t", "R,CG", check=False).strip(), 10, "")
        for one in reversed(self._daemons):
            one.terminate()
        for one in reversed(self._daemons):
            with suppress(subprocess.TimeoutExpired):
                one.wait(5)
            one.kill()
            one.wait()
        _kill_all(self.folder)

    def left_behind(self):
        """Living processes that were started in the environment of this cluster, or work in its folder."""
        return _processes(self.folder)


def _require():
    missing = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if missing:
        raise NoCluster(f"SLURM is not installed ({', '.join(missing)}): apt-get install slurm-wlm munge libpmix-dev")
    if os.geteuid():
        raise NoCluster("only root can start a cluster of SLURM")


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _until(holds, seconds, complaint):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise NoCluster(complaint)
        time.sleep(0.1)


def _processes(folder):
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(process.name) != os.getpid() and (
                f"SLURM_CONF={folder}/".encode() in (process / "environ").read_bytes()
                or os.readlink(process / "cwd").startswith(f"{folder}")
            ):
                found.append(int(process.name))
    return found


def _kill_all(folder):
    for pid in _processes(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _guard(folder):
    """Wait for the end of the tests; where they were killed, end what they have left."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.sigwait([signal.SIGTERM])
    if os.getppid() == 1:
        _kill_all(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _die_with_parent():
    """Ask the kernel to end this process when the one that started it is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


if __name__ == "__main__":
    _guard(sys.argv[1])
