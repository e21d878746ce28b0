"""Small runs of every kind to be disturbed, each in a process that is forked off and can be killed at any moment."""

import hashlib
import io
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from lqcd_hpc.run import termination

SIGNALLED = """
import os, signal, lqcd_hpc.run.generate as generate
original = generate.Chain._one
def one(self, *arguments):
    if self.step == 3:
        os.kill(os.getpid(), signal.{name})
    return original(self, *arguments)
generate.Chain._one = one
"""  # begins a program whose fourth update gets a signal

GENERATE = """
[lattice]
shape = [4, 4]
group = "SU(2)"
[start]
kind = "hot"
[random]
seed = 5
[action]
kind = "wilson"
beta = 2.0
[[update]]
kind = "heatbath"
overrelaxation = 1
count = 4
[[update]]
kind = "hmc"
tau = 1.0
steps = 4
integrator = "omf4"
count = {count}
[measure.plaquette]
[measure.polyakov]
[output]
directory = "generate"
checkpoint = 3
configurations = 4
format = "scidac"
report = {report}
"""
MEASURE = """
[source]
files = ["generate/configurations/*.scidac"]
[measure.plaquette]
[measure.wilson_loops]
max_time = 2
max_distance = 2
[output]
directory = "measure"
report = {report}
"""
TRAIN = """
[lattice]
shape = [4, 4]
[action]
kind = "phi4"
m2 = 1.0
lam = 0.0
normalisation = "full"
[flow]
kind = "affine"
couplings = 2
net = {{ kind = "fully_connected", hidden = [] }}
[train]
loss = "reverse"
steps = {count}
batch = 64
learning_rate = 0.02
evaluate = 10
samples = 128
[random]
seed = 5
[output]
directory = "train"
checkpoint = 5
report = {report}
"""
SAMPLE = """
[lattice]
shape = [4, 4]
[action]
kind = "phi4"
m2 = 1.0
lam = 0.5
normalisation = "full"
[sampler]
kind = "hmc"
samples = {count}
chains = 8
steps = 4
tau = 1.0
integrator = "2mn"
thermalisation = 4
[random]
seed = 5
[output]
directory = "sample"
keep = 100000
report = {report}
"""
TEXTS = {"generate": GENERATE, "measure": MEASURE, "train": TRAIN, "sample": SAMPLE}
COUNTS = {"generate": 12, "measure": 0, "train": 30, "sample": 320}
KINDS = tuple(TEXTS)


def run_file(folder, kind, count=None, report=False, change=lambda text: text):
    """A run file of a kind in `folder`; what it makes goes to folder/kind."""
    path = Path(folder) / f"{kind}.toml"
    count = COUNTS[kind] if count is None else count
    text = TEXTS[kind].format(count=count, report=str(report).lower())
    path.write_text(change(text))
    return path


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code (minus the signal that killed it), and what it wrote to stderr and stdout."""

    code: int
    output: str


class Job:
    """`lqcd-hpc run FILE` in the file's folder, in a process forked off this one; `prepare()` is called there first.

    Sampling runs write a checkpoint every 20 ms.
    """

    def __init__(self, path, prepare=lambda: None, log=None):
        self._log = Path(log or f"{path}.log")
        self._log.write_text("")
        self.pid = os.fork()
        if self.pid == 0:
            _child(path, prepare, self._log)

    def wait(self):
        """An `Ended`."""
        _, status = os.waitpid(self.pid, 0)
        return Ended(os.waitstatus_to_exitcode(status), self._log.read_text(errors="replace"))


def _child(path, prepare, log):
    code = 70
    try:
        for number in termination.SIGNALS:  # some may be ignored here, as under nohup
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        sys.stdout = sys.__stdout__ = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
        sys.stderr = sys.__stderr__ = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
        os.chdir(path.parent)
        _one_thread()
        prepare()
        from lqcd_hpc.cli import main
        from lqcd_hpc.run import sample

        sample.PAUSE = 0.02
        sys.argv = ["lqcd-hpc", "run", str(path)]
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except KeyboardInterrupt:  # before or after the work
        os.write(2, b"interrupted\n")
        code = 130
    finally:
        os._exit(code)


def _one_thread():
    """Threads that OpenMP had before a fork are not there after it, and whoever counts on them waits for ever."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def warm_up(folder):
    """Run every kind once in this process, so that those forked off it find everything loaded."""
    from lqcd_hpc.run import execute

    before = os.getcwd()
    os.chdir(folder)
    try:
        for kind in KINDS:
            execute(run_file(folder, kind), say=lambda text: None)
    finally:
        os.chdir(before)


def run(path, prepare=lambda: None):
    """A whole run in a process of its own."""
    return Job(path, prepare).wait()


def history(directory):
    """Digests of all that must be the same after any disturbance."""
    import h5py

    directory, found = Path(directory), {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.name == "journal.jsonl" or path.parent.name == "configurations":
            found[name] = _digest(_without_date(path.read_bytes()))
        elif path.suffix == ".safetensors" and path.parent.name == "model":
            found[name] = _digest(path.read_bytes())
        elif path.name in ("samples.h5", "measurements.h5"):
            with h5py.File(path) as file:
                file.visititems(lambda key, item, name=name: _note(found, f"{name}/{key}", item))
    return found


def _note(found, key, item):
    if hasattr(item, "dtype") and not key.endswith("/seconds"):
        found[key] = _digest(repr(item[...].tolist()).encode())


def _without_date(data):
    begin = data.find(b"<date>")
    return data if begin < 0 else data[:begin] + data[data.find(b"</date>") :]


def _digest(data):
    return hashlib.sha256(data).hexdigest()
