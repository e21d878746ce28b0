"""Runs from a run file: the same bits on any ranks and after any death, and clear words for what cannot be done."""

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import fault_runs
import launcher
import pytest

CONFIGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "configs"
GENERATE = """
[lattice]
shape = [4, 4, 4, 8]
group = "SU(3)"
{lattice}
[start]
kind = "hot"
[random]
seed = 3
[action]
kind = "wilson"
beta = 5.7
[[update]]
kind = "heatbath"
overrelaxation = 1
count = 3
[[update]]
kind = "hmc"
tau = 1.0
steps = 6
integrator = "omf4"
count = {hmc}
[measure.plaquette]
[measure.polyakov]
[measure.topology]
[measure.flow]
every = 2
eps = 0.05
steps = 4
interval = 2
[output]
directory = "{directory}"
checkpoint = 2
configurations = 3
report = false
"""
RUN = "import sys; from lqcd_hpc.cli import main; sys.argv = ['lqcd-hpc', 'run', sys.argv[1]]; main()"


def run_file(folder, directory="out", lattice="", hmc=3, change=lambda text: text):
    """A run file in `folder`, after a change of its text."""
    path = folder / "run.toml"
    path.write_text(change(GENERATE.format(directory=folder / directory, lattice=lattice, hmc=hmc)))
    return path


def run(path, code=RUN, extra=None):
    """`lqcd-hpc run` as a process of its own."""
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, capture_output=True, text=True, env=launcher.environment(extra), timeout=280)


def history(directory):
    """Digests of all that must be the same: the journal, and the links of the stored configurations."""
    from lqcd_hpc.io import read_links

    digests = {"journal": hashlib.sha256((directory / "journal.jsonl").read_bytes()).hexdigest()}
    for file in sorted((directory / "configurations").glob("conf_*")):
        digests[file.name] = hashlib.sha256(read_links(file)[0].tobytes()).hexdigest()
    return digests


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """The history of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("quiet")
    done = run(run_file(folder))
    assert done.returncode == 0, done.stderr
    assert "plaquette" in done.stderr
    found = history(folder / "out")
    assert set(found) == {"journal", "conf_00000003.ildg", "conf_00000006.ildg"}
    return found


@pytest.mark.mpirun
@pytest.mark.parametrize("ranks, grid", [(2, [2, 1, 1, 1]), (4, [1, 2, 1, 2]), (8, None)])
def test_the_same_seed_gives_the_same_bits_on_every_process_grid(ranks, grid, quiet, mpirun, tmp_path):
    path = run_file(tmp_path, lattice=f"ranks = {grid}" if grid else "")
    job = mpirun(ranks, ["-c", RUN, path], timeout=280)
    assert job.code == 0, job
    assert history(tmp_path / "out") == quiet


DEATHS = {
    "in the middle of a trajectory": "import lqcd_hpc.sampling.dynamics as m; place, n = (m.Dynamics, 'integrate'), 2",
    "while a checkpoint is written": "import lqcd_hpc.io.sitefields as m; place, n = (m, 'create'), 3",
    "before a checkpoint is renamed": "import lqcd_hpc.io.atomic as m; place, n = (m, '_publish'), 4",
    "while a configuration is written": "import lqcd_hpc.io.ildg as m; place, n = (m, 'write'), 2",
    "between journal and checkpoint": "import lqcd_hpc.sampling.checkpoint as m; place, n = (m, 'write'), 3",
}
DIE = """
import os, signal
{place}
original, calls = getattr(*place), [0]
def dying(*arguments, **names):
    calls[0] += 1
    if calls[0] == n:
        {half}
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **names)
setattr(*place, dying)
"""


@pytest.mark.parametrize("moment", DEATHS)
def test_a_run_killed_at_any_moment_resumes_to_the_same_bits(moment, quiet, tmp_path):
    half = "original(*arguments, **names)" if "written" in moment or "trajectory" in moment else "pass"
    path = run_file(tmp_path)
    killed = run(path, DIE.format(place=DEATHS[moment], half=half) + RUN)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = run(path)
    assert done.returncode == 0, done.stderr
    assert history(tmp_path / "out") == quiet


def test_sigterm_ends_a_run_with_a_checkpoint_and_it_goes_on_to_the_same_bits(quiet, tmp_path):
    path = run_file(tmp_path)
    ended = run(path, fault_runs.SIGNALLED.format(name="SIGTERM") + RUN)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
    assert re.search(
        "SIGTERM: the run ended after 4 of [0-9]+ updates, with a checkpoint", ended.stderr.splitlines()[-1]
    )
    done = run(path)
    assert done.returncode == 0 and "resuming after 4 of" in done.stderr, done.stderr
    assert history(tmp_path / "out") == quiet


@pytest.mark.mpirun
def test_a_killed_run_goes_on_with_another_number_of_ranks(quiet, mpirun, tmp_path):
    path = run_file(tmp_path)
    place = DEATHS["in the middle of a trajectory"]
    job = mpirun(2, ["-c", DIE.format(place=place, half="pass") + RUN, path])
    assert job.code != 0
    job = mpirun(4, ["-c", RUN, path])
    assert job.code == 0 and "resuming" in job.output, job
    assert history(tmp_path / "out") == quiet


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(quiet, tmp_path):
    path = run_file(tmp_path)
    assert run(path, DIE.format(place=DEATHS["in the middle of a trajectory"], half="pass") + RUN).returncode != 0
    newest = sorted((tmp_path / "out").glob("checkpoint_*.h5"))[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    done = run(path)
    assert done.returncode == 0 and "damaged checkpoint" in done.stderr, done.stderr
    assert history(tmp_path / "out") == quiet


def test_a_finished_run_can_be_made_longer(quiet, tmp_path):
    assert run(run_file(tmp_path, hmc=1)).returncode == 0
    assert run(run_file(tmp_path, hmc=3)).returncode == 0
    assert history(tmp_path / "out") == quiet


MISTAKES = {
    "unknown key": (lambda t: t.replace("tau =", "tua ="), r"unknown key 'tua'; did you mean 'tau'"),
    "unknown table": (lambda t: t.replace("[random]", "[randon]"), r"'randon'; did you mean 'random'"),
    "unknown kind": (lambda t: t.replace('"wilson"', '"willson"'), r"'willson' is unknown; did you mean 'wilson'"),
    "infinite number": (lambda t: t.replace("beta = 5.7", "beta = inf"), r"beta = inf: input should be a finite"),
    "missing parameter": (lambda t: t.replace("beta = 5.7", ""), r"\[action\] lacks beta"),
    "wrong type": (lambda t: t.replace("beta = 5.7", 'beta = "high"'), r"\[action\] beta = 'high'"),
    "wrong count": (lambda t: t.replace("count = 3", "count = -1", 1), r"count = -1"),
    "not TOML": (lambda t: t + "\n[output", r"is not TOML"),
    "impossible grid": (
        lambda t: t.replace("[start]", "ranks = [3, 1, 1, 1]\n[start]"),
        r"rank grid 3x1x1x1 has 3 ranks but the job runs 1",
    ),
    "unknown group": (lambda t: t.replace("SU(3)", "SO(3)"), r"'SO\(3\)'"),
    "no file to start from": (lambda t: t.replace('kind = "hot"', 'kind = "file"\nfile = "none.ildg"'), r"none.ildg"),
    "loop that does not close": (
        lambda t: t.replace('kind = "wilson"', 'kind = "loops"\nterms = [["+x +y -x", 1.0]]'),
        r"does not close",
    ),
    "too much memory": (
        lambda t: t.replace("[4, 4, 4, 8]", "[512, 512, 64, 64]"),
        r"not enough memory|too large for one rank",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_run_file_gets_one_clear_message(mistake, tmp_path):
    change, message = MISTAKES[mistake]
    done = run(run_file(tmp_path, change=change))
    assert done.returncode == 2, done.stderr
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "run.toml") in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_directory_of_another_run_is_left_alone(tmp_path):
    assert run(run_file(tmp_path, hmc=1)).returncode == 0
    before = history(tmp_path / "out")
    done = run(run_file(tmp_path, change=lambda t: t.replace("5.7", "5.8")))
    assert done.returncode == 2 and "another action" in done.stderr
    assert history(tmp_path / "out") == before


def test_a_directory_in_use_is_refused(tmp_path):
    import fcntl

    (tmp_path / "out").mkdir()
    with open(tmp_path / "out" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run(run_file(tmp_path))
    assert done.returncode == 2 and "another job works in" in done.stderr


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "wall").write_text("a file")
    done = run(run_file(tmp_path, directory="wall/out"))
    assert done.returncode == 2 and "choose another [output] directory" in done.stderr


def test_a_gpu_that_is_absent_is_refused(tmp_path):
    if os.path.exists("/dev/nvidia0"):
        pytest.skip("this machine has a GPU")
    done = run(run_file(tmp_path), extra={"LQCD_DEVICE": "cuda"})
    assert done.returncode == 2 and re.search("GPU|cupy", done.stderr), done.stderr


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))
"""


def test_a_full_disk_ends_the_run_with_a_message_and_nothing_half_written(quiet, tmp_path):
    path = run_file(tmp_path)
    done = run(path, FULL + RUN)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").rglob("*.part"))
    assert run(path).returncode == 0
    assert history(tmp_path / "out") == quiet


@pytest.mark.mpirun
def test_a_grid_for_another_number_of_ranks_ends_all_ranks_at_once(mpirun, tmp_path):
    job = mpirun(2, ["-c", RUN, run_file(tmp_path, lattice="ranks = [4, 1, 1, 1]")], timeout=30)
    assert job.code == 2, job
    assert job.output.count("rank grid 4x1x1x1 has 4 ranks but the job runs 2; valid grids for 2 ranks") == 1


MEASURE = """
{lattice}
[source]
files = ["{file}"]
[measure.plaquette]
[measure.polyakov]
[measure.topology]
[measure.plaquette_charge]
kind = "topology"
definition = "plaquette"
[measure.wilson_loops]
max_time = {time}
max_distance = {distance}
[measure.flow]
eps = {eps}
steps = {steps}
[output]
directory = "{directory}"
report = false
"""


def measure_file(folder, name, lattice="", time=2, distance=2, eps=0.1, steps=9):
    path = folder / "measure.toml"
    values = {"lattice": lattice, "time": time, "distance": distance, "eps": eps, "steps": steps}
    path.write_text(MEASURE.format(file=CONFIGS / name, directory=folder / "out", **values))
    return path


def measured(directory):
    """The values of a run that measured one file, by measurement."""
    from lqcd_hpc.run.journal import read

    return {record["name"]: record["values"] for record in read(directory / "journal.jsonl")}


needs_configs = pytest.mark.skipif(not CONFIGS.exists(), reason="the public configurations are not beside the project")
REAL_FILES = {
    "weak_field.lime": {},
    "testconf.txt": {
        "lattice": '[lattice]\nshape = [4, 4, 4, 4]\ngroup = "SU(3)"',
        "time": 4, "distance": 4, "eps": 0.01, "steps": 100,
    },
    "lat.sample.l4448": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """Values and journals of the real files, measured on one rank."""
    if not CONFIGS.exists():
        pytest.skip("the public configurations are not beside the project")
    found = {}
    for name, options in REAL_FILES.items():
        folder = tmp_path_factory.mktemp(name)
        done = run(measure_file(folder, name, **options))
        assert done.returncode == 0, done.stderr
        found[name] = measured(folder / "out"), (folder / "out" / "journal.jsonl").read_bytes()
    return found


@pytest.mark.mpirun
@needs_configs
@pytest.mark.parametrize("name, ranks", list(zip(REAL_FILES, (4, 2, 4), strict=True)))
def test_measurements_on_files_have_the_same_bits_on_any_ranks(name, ranks, serial, mpirun, tmp_path):
    job = mpirun(ranks, ["-c", RUN, measure_file(tmp_path, name, **REAL_FILES[name])])
    assert job.code == 0, job
    assert (tmp_path / "out" / "journal.jsonl").read_bytes() == serial[name][1]


@needs_configs
def test_the_weak_field_has_the_published_plaquette_and_polyakov_loop(serial):
    values = serial["weak_field.lime"][0]
    assert values["plaquette"]["plaquette"] == pytest.approx(0.994804132266700, abs=1e-14)
    assert values["plaquette"]["plaquette_ss"] == pytest.approx(0.994798578341303, abs=1e-14)
    assert values["plaquette"]["plaquette_st"] == pytest.approx(0.994809686192096, abs=1e-14)
    loop = complex(values["polyakov"]["polyakov_re"], values["polyakov"]["polyakov_im"])
    assert loop == pytest.approx(0.878769500914 - 0.00991386114j, abs=1e-11)


@needs_configs
def test_the_text_configuration_has_the_published_loops_and_charges(serial):
    values = serial["testconf.txt"][0]
    loop = 3 * complex(values["polyakov"]["polyakov_re"], values["polyakov"]["polyakov_im"])
    assert loop == pytest.approx(0.5255246068616176 - 0.15140850971249734j, abs=1e-14)
    assert values["topology"]["charge"] == pytest.approx(-0.027164585971545994, abs=1e-15)
    assert values["plaquette_charge"]["charge"] == pytest.approx(-0.2730960126400261, abs=1e-14)
    table = {
        "w1_1": 0.586287755906349, "w1_2": 0.365592561577220, "w1_3": 0.234213216509145, "w1_4": 0.149263281717746,
        "w2_1": 0.376124349180774, "w2_2": 0.190421916978802, "w2_3": 0.095527856370176, "w2_4": 0.055721656649890,
    }  # fmt: skip
    for name, value in table.items():
        assert values["wilson_loops"][name] == pytest.approx(value, abs=1.1e-14), name
    assert values["wilson_loops"]["w4_4"] == pytest.approx(0.110494101, abs=2e-9)
    flow = values["flow"]
    assert flow["plaquette"][10] == pytest.approx(0.816831735752286, abs=1e-14)
    assert flow["charge"][10] == pytest.approx(-0.067815462594, abs=1e-12)
    assert flow["plaquette"][50] == pytest.approx(0.986935021954275, abs=1e-14)
    assert flow["plaquette"][100] == pytest.approx(0.997178021776112, abs=1e-14)
    assert flow["energy_time"][100] == pytest.approx(0.031162942406, abs=1e-12)
    assert flow["energy_space"][100] == pytest.approx(0.048293886801, abs=1e-12)


MILC_FLOW = """
1.05787 1.03094 .0955429
.790042 .76505 .0389772
.506125 .481396 .0166373
.321384 .294125 .0106751
.214891 .186857 .0080155
.152452 .125636 .00570391
.11377 .0890839 .00380684
.0884234 .0660664 .00243419
.0710114 .0508605 .00150337
.0585831 .0404036 .000886915
"""


@needs_configs
def test_the_flow_of_the_milc_sample_is_the_published_table(serial):
    """Every digit printed, up to the rounding of the single-precision program that printed them (4e-9 in Q)."""
    flow = serial["lat.sample.l4448"][0]["flow"]
    for k, row in enumerate(MILC_FLOW.split("\n")[1:-1]):
        for name, text in zip(("energy_time", "energy_space", "charge"), row.split(), strict=True):
            ulp = 10.0 ** -len(text.partition(".")[2])
            rounding = 4e-9 if name == "charge" else 1e-7 * float(text)
            assert abs(flow[name][k] - float(text)) <= 0.5 * ulp + rounding, (k, name)
