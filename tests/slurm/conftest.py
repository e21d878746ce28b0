"""A cluster of SLURM for the tests of this folder, a site file for it, and `lqcd-hpc` on it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

import launcher
import pytest
from slurm_cluster import Cluster, NoCluster
from source_tree import PACKAGE

SITE = """
about = "the cluster of the tests"
[node]
cores = 2
gpus = {gpus}
ranks = {ranks}
[queue]
time = "10"
partition = "{partition}"
[launch]
command = "{command}"
mpi = "{mpi}"
cpu_bind = "none"
gpu_bind = "single:1"
[environment]
python = "{python}"
variables = {{ OMPI_MCA_mpi_yield_when_idle = "1" }}
[checkpoint]
before = 25
"""
# The Python of the jobs: notes what its rank was given, and takes its time for every update.
PYTHON = """#!/bin/sh
echo "$SLURM_JOB_ID $SLURM_PROCID gpus=$CUDA_VISIBLE_DEVICES threads=$OMP_NUM_THREADS" >> {ranks}
shift 2
exec {python} {slowly} "$@"
"""
SLOWLY = """
import os, sys, time
from lqcd_hpc.cli import main
from lqcd_hpc.run import generate
one = generate.Chain._one
def slowly(self, *arguments):
    time.sleep(float(os.environ.get("TEST_PAUSE", 0)))
    return one(self, *arguments)
generate.Chain._one = slowly
sys.argv[0] = "lqcd-hpc"
main()
"""


@pytest.fixture(scope="session")
def cluster():
    """A cluster of six nodes; skips where there can be none."""
    folder = tempfile.mkdtemp(prefix="lqcd-slurm-")
    try:
        made = Cluster(folder)
    except NoCluster as reason:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(str(reason))
    try:
        yield made
    finally:
        made.stop()
        left = made.left_behind()
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes of the cluster outlived it: {left}"


class User:
    """Someone who works in a folder of his own on the cluster."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster = folder, cluster
        (folder / "slowly.py").write_text(SLOWLY)
        spy = folder / "spy"
        words = {"ranks": folder / "ranks", "slowly": folder / "slowly.py", "python": sys.executable}
        spy.write_text(PYTHON.format(**{name: shlex.quote(str(word)) for name, word in words.items()}))
        spy.chmod(0o755)

    def site(self, name="site", ranks=1, partition="main", command="srun", mpi="pmix", gpus=0):
        """The path of a site file."""
        path = self.folder / f"{name}.toml"
        words = {"ranks": ranks, "partition": partition, "command": command, "mpi": mpi, "gpus": gpus}
        path.write_text(SITE.format(python=self.folder / "spy", **words))
        return path

    def lqcd(self, *words, pause=0.0):
        """`lqcd-hpc WORDS` in the folder of the user."""
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        extra = self.cluster.environment | {"PYTHONPATH": path, "TEST_PAUSE": str(pause)}
        bin = os.path.dirname(sys.executable)
        extra["PATH"] = f"{bin}{os.pathsep}{extra['PATH']}"
        return subprocess.run(
            [sys.executable, "-m", "lqcd_hpc", *map(str, words)],
            cwd=self.folder, capture_output=True, text=True, timeout=120, env=launcher.environment(extra),
        )  # fmt: skip

    def submit(self, *words, pause=0.0):
        """The records of a submission."""
        done = self.lqcd("submit", *words, "--json", pause=pause)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def status(self):
        """The rows of `lqcd-hpc status` by their runs."""
        return {row["run"]: row for row in json.loads(self.lqcd("status", "--json").stdout)}

    def log(self, record):
        """What the jobs of a record have printed."""
        logs = sorted(self.folder.joinpath(record["script"]).parent.glob("*.log"))
        return "\n".join(f"{one.name}:\n{one.read_text(errors='replace')}" for one in logs)

    def ranks(self, job):
        """What was noted of the ranks of a job: {rank: rest of the line}."""
        lines = [line.split(" ", 2) for line in (self.folder / "ranks").read_text().splitlines()]
        return {int(rank): rest for number, rank, rest in lines if number == job}


@pytest.fixture
def user(cluster, tmp_path):
    """A user in a new folder, of a name that no shell and no line of #SBATCH may stumble over."""
    folder = tmp_path / "a user's #1 $(touch hacked)"
    folder.mkdir()
    yield User(folder, cluster)
    assert not list(tmp_path.rglob("hacked"))


@pytest.fixture(scope="session")
def patient_user(cluster, tmp_path_factory):
    """A user whose jobs run beside those of the other tests."""
    return User(tmp_path_factory.mktemp("patient"), cluster)
