"""Half an hour of random faults on 2 ranks: every run ends with the bits of one that nothing disturbed.

`pytest tests/faults/test_soak.py -m long --soak=30 --results=benchmarks/results`
"""

import time

import fault_jobs
import fault_runs
import launcher
import pytest

COUNTS = {"generate": 26, "measure": 0, "train": 40, "sample": 640}
OTHERS = ("disk full", "damaged checkpoint", "truncated temporary files")
SEED = 2026

pytestmark = [pytest.mark.long, pytest.mark.mpirun]


def files(folder):
    return {kind: fault_runs.run_file(folder, kind, COUNTS[kind]) for kind in fault_runs.KINDS}


class Soak:
    """Passes over all kinds of run, disturbed until each of them ends by itself."""

    def __init__(self, disk, digests, seconds, tried):
        self.disk, self.digests, self.seconds, self.tried = disk, digests, seconds, tried
        self.rng, self.starts, self.longest, self.passes = fault_jobs.seeded(SEED), 0, 0.0, 0

    def one_pass(self, end):
        folder = self.disk.path / f"pass{self.passes}"
        folder.mkdir()
        for kind, path in files(folder).items():
            while not self.start(kind, path, time.monotonic() < end):
                pass
            assert fault_runs.history(folder / kind) == self.digests[kind], (self.passes, kind)
            self.tried("soak", f"{kind} to its end", "the bits of a quiet run")
        self.passes += 1
        fault_jobs.subprocess.run(["rm", "-rf", str(folder)])

    def start(self, kind, path, disturb):
        """Start a job and disturb it; whether it came to its end."""
        self.starts += 1
        job = fault_jobs.MpiJob(path)
        fault, done = self.rng.choice([*fault_jobs.SIGNALS, *OTHERS]) if disturb else None, False
        if fault:
            end = time.monotonic() + self.rng.uniform(0.2, 1.05) * self.seconds[kind]
            while job.running() and time.monotonic() < end:
                time.sleep(0.01)
            if job.running():
                done = self.strike(fault, job, kind, path)
        code, seconds = job.wait()
        print(f"{kind} {fault} {code} {seconds:.1f} s", flush=True)
        self.disk.empty()
        assert code is not None, f"{fault} of {kind}: still there after ten minutes\n{job.output()}"
        if code == 0:
            if done:
                self.tried(fault, f"{kind}, 2 ranks", "it had ended just before")
            return True
        assert done, f"{kind} ended with {code} though nothing was done to it\n{job.output()}"
        assert "Traceback" not in job.output() and "unexpected" not in job.output(), (fault, job.output())
        self.longest = max(self.longest, seconds)
        self.tried(fault, f"{kind}, 2 ranks", self.outcome(code))
        if fault in OTHERS[1:]:
            self.after(fault, path.parent / kind)
        return False

    def strike(self, fault, job, kind, path):
        if fault == "disk full":
            if not self.disk.usable:
                return False
            self.disk.fill(self.rng.choice([0, 4096, 65536]))
            return True
        return fault_jobs.SIGNALS.get(fault, fault_jobs.a_rank_killed)(job, self.rng)

    def after(self, fault, folder):
        """What the disk does to files of a job that is dead."""
        if fault == "damaged checkpoint":
            found = fault_jobs.checkpoints(folder)
            by_place = {path.parent: path for path in found if len(fault_jobs.checkpoints(path.parent)) > 1}
            for path in by_place.values():
                self.tried("damaged checkpoint", fault_jobs.damage(path, self.rng), "goes on")
        else:
            fault_jobs.leave_temporary_files(folder, self.rng)

    def outcome(self, code):
        if code in fault_jobs.IN_ORDER:
            return f"ends with {code}, goes on"
        if code == 2:
            return "ends with 2 and one message, goes on"
        return "all ranks end, goes on"


def test_random_faults_leave_no_trace(request, tmp_path, tried, figure):
    if launcher.UNDER_MPI or not launcher.mpirun():
        pytest.skip("no mpirun here, or already under one")
    minutes = float(request.config.getoption("--soak"))
    disk = fault_jobs.Disk(tmp_path / "disk")
    try:
        quiet = disk.path / "quiet"
        quiet.mkdir()
        digests, seconds = fault_jobs.quiet_runs(quiet, files(quiet))
        soak, end = Soak(disk, digests, seconds, tried), time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            soak.one_pass(end)
        for name, value in {"minutes": minutes, "starts": soak.starts, "passes": soak.passes}.items():
            figure(f"soak: {name}", value)
        figure("soak: seconds until all ranks are gone, longest", soak.longest)
        assert soak.starts > soak.passes and soak.longest < 300
    finally:
        disk.close()
