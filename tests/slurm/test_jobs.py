"""Rendered job scripts on a real SLURM: arrays, chains, the time limit, a lost node, GPUs, and silent singletons."""

import hashlib
import json
import re
import time
from functools import cache

import pytest

from lqcd_hpc.jobs import slurm
from lqcd_hpc.jobs.request import requested
from lqcd_hpc.jobs.site import load_site, names
from lqcd_hpc.jobs.submit import plan

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(280)]

LIMITED, DISTURBED = 340, 100  # updates of a tenth of a second; the time limit gives them 5 to 35 seconds at once
RUN = """
[lattice]
shape = {shape}
group = "SU(3)"
[start]
kind = "{start}"
{file}
[random]
seed = 3
[action]
kind = "wilson"
beta = 5.7
[[update]]
kind = "heatbath"
overrelaxation = 1
count = {count}
[measure.plaquette]
[output]
directory = "{directory}"
checkpoint = 20
configurations = {count}
report = false
"""
MEASURE = """
[source]
files = ["{directory}/configurations/*.ildg"]
[measure.polyakov]
[output]
directory = "{directory}/measured"
report = false
"""


def write(user, directory, count, start="hot", file="", shape=(4, 4, 4, 8)):
    """A run file of so many updates."""
    path = user.folder / f"{directory}.toml"
    path.write_text(RUN.format(directory=directory, count=count, start=start, file=file, shape=list(shape)))
    return path.name


def history(directory):
    """Digests of the journal, of the last checkpoint, and of the stored configurations."""
    from lqcd_hpc.io import read_links
    from lqcd_hpc.io.sitefields import read_fields
    from lqcd_hpc.lattice import Lattice

    digests = {"journal": hashlib.sha256((directory / "journal.jsonl").read_bytes()).hexdigest()}
    for file in sorted((directory / "configurations").glob("conf_*")):
        digests[file.name] = hashlib.sha256(read_links(file)[0].tobytes()).hexdigest()
    last = max(directory.glob("checkpoint_*"))
    fields, metadata = read_fields(last, Lattice((4, 4, 4, 8)), None)
    digests[last.name] = [hashlib.sha256(one.values.tobytes()).hexdigest() for one in fields.values()]
    digests[last.name] += [metadata[key] for key in ("step", "event", "journal_bytes")]
    return digests


def completed(user, record, job=None):
    """Wait for a job and require that it ended well."""
    told = user.cluster.wait(job or record["job"])
    assert told["JobState"] == "COMPLETED", f"{told}\n{user.log(record)}"
    return told


@pytest.fixture(scope="session", autouse=True)
def long_jobs(patient_user):
    """Jobs that run beside the other tests: one meets its time limit, one loses its node, two are told to end."""
    user, frail = patient_user, patient_user.site("frail", partition="frail")
    limited = user.submit(write(user, "limited", LIMITED), "--site", user.site(), "--time", 1, pause=0.1)[0]
    lost = user.submit(write(user, "lost", DISTURBED), "--site", frail, pause=0.1)[0]
    jobs = {"limited": limited, "lost": lost}
    for command in ("srun", "mpirun"):
        site = user.site(f"site-{command}", ranks=2, command=command)
        jobs[command] = user.submit(write(user, command, DISTURBED), "--site", site, pause=0.1)[0]
    jobs["array"] = user.submit(write(user, "array", DISTURBED), "--site", user.site(), "--array", 2, pause=0.1)[0]
    _until_lines(user.folder / "lost" / "seconds.txt", 10)
    node = user.cluster.show(lost["job"])["NodeList"]
    user.cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    for command in ("srun", "mpirun"):
        _until_lines(user.folder / command / "seconds.txt", 10)
        user.cluster.ask("scancel", "--batch", "--signal=USR1", jobs[command]["job"])
    for element in range(2):
        _until_lines(user.folder / "array" / f"stream_00{element}" / "seconds.txt", 10)
    elements = [user.cluster.show(f"{jobs['array']['job']}_{n}") for n in range(2)]
    (named,) = [n for n, told in enumerate(elements) if told["JobId"] == told["ArrayJobId"]]
    user.cluster.ask("scancel", "--batch", "--signal=USR1", f"{jobs['array']['job']}_{named}")
    return jobs | {"node": node, "named": named}


def _until_lines(path, count):
    end = time.monotonic() + 60
    while not path.exists() or path.read_text().count("\n") < count:
        assert time.monotonic() < end, f"{path} does not grow"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def quiet(patient_user):
    """`quiet(count)` is the history of the same run on this machine, undisturbed."""

    @cache
    def run(count):
        name = f"quiet-{count}"
        done = patient_user.lqcd("run", write(patient_user, name, count))
        assert done.returncode == 0, done.stderr
        return history(patient_user.folder / name)

    return run


def test_an_array_runs_every_point_of_a_grid_with_its_own_numbers(user):
    run = write(user, "out", 3)
    record = user.submit(run, "--site", user.site(), "--array", 1, "--set", "beta=5.6,5.8")[0]
    for element in range(2):
        completed(user, record, f"{record['job']}_{element}")
    folders = [f"out/beta_{beta}/stream_000" for beta in ("5.6", "5.8")]
    assert [one["directory"] for one in record["members"]] == [str(user.folder / folder) for folder in folders]
    journals = [(user.folder / folder / "journal.jsonl").read_bytes() for folder in folders]
    assert len(set(journals)) == 2 and all(journal.count(b'"update"') == 3 for journal in journals)


def test_links_of_a_chain_wait_for_the_ones_before_them(user):
    run = write(user, "out", 4)
    (user.folder / "measure.toml").write_text(MEASURE.format(directory="out"))
    first, second = user.submit(run, "measure.toml", "--site", user.site(), "--array", 2)
    assert second["dependency"] == f"aftercorr:{first['job']}"
    waiting = user.status()
    assert waiting["out/measured/stream_001"]["state"] == "pending"
    assert waiting["out/measured/stream_001"]["job"] == f"{second['job']}_1"
    for record in (first, second):
        for element in range(2):
            completed(user, record, f"{record['job']}_{element}")
    for stream in ("stream_000", "stream_001"):
        assert b"polyakov" in (user.folder / "out" / "measured" / stream / "journal.jsonl").read_bytes()
    assert {row["state"] for row in user.status().values()} == {"done"} and len(user.status()) == 4


def test_a_link_that_fails_cancels_what_comes_after_it(user):
    run = write(user, "out", 4, start="file", file='file = "no-such.ildg"')
    (user.folder / "measure.toml").write_text(MEASURE.format(directory="out"))
    first, second, third = user.submit(run, "measure.toml", "out", "--site", user.site())
    told = user.cluster.wait(first["job"])
    assert told["JobState"] == "FAILED" and told["ExitCode"] == "2:0", told
    assert user.log(first).count("no-such.ildg") == 1
    for record in (second, third):
        assert user.cluster.wait(record["job"])["JobState"] == "CANCELLED"
    assert {name: row["state"] for name, row in user.status().items()} == {"out": "failed", "out/measured": "cancelled"}


@pytest.mark.parametrize("site", names())
def test_slurm_takes_the_script_of_every_site(user, site, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", user.cluster.environment["SLURM_CONF"])
    monkeypatch.chdir(user.folder)
    run = write(user, "out", 3, shape=(16, 16, 16, 16))
    (one,) = plan([run], load_site(site), requested(nodes=2))
    accepted, said = slurm.test_only(one.script)
    assert accepted and "to start at" in said, said


def test_ranks_on_two_nodes_are_one_job_of_a_site_of_the_package(user):
    run = write(user, "out", 3)
    words = ["--nodes", 2, "--ntasks-per-node", 1, "--cpus-per-task", 1]
    record = user.submit(run, "--site", "cpu", *words)[0]
    completed(user, record)
    assert json.loads((user.folder / "out" / "run.json").read_text())["ranks"] == "1x1x1x2"


def test_every_rank_has_a_gpu_of_its_own(user):
    if not user.cluster.gpus:
        pytest.skip("no device files can be made here")
    record = user.submit(write(user, "out", 3), "--site", user.site(gpus=2, ranks=2))[0]
    completed(user, record)
    assert user.ranks(record["job"]) == {0: "gpus=0 threads=1", 1: "gpus=1 threads=1"}


def test_a_silent_singleton_stops_with_one_message(user):
    """Open MPI does not hear PMI-2: every rank believes to be alone."""
    record = user.submit(write(user, "out", 3), "--site", user.site(ranks=2, mpi="pmi2"))[0]
    told = user.cluster.wait(record["job"])
    assert told["JobState"] == "FAILED", told
    assert len(re.findall("the launcher started 2 processes but MPI sees 1", user.log(record))) == 1, user.log(record)
    assert not (user.folder / "out" / "run.json").exists()


def test_a_program_without_a_launcher_is_refused(user):
    """Whoever forgets srun in a script of his own."""
    run = write(user, "out", 3)
    log, here = user.folder / "log", f"--chdir={user.folder}"
    words = ["--ntasks=2", here, f"--output={log}", f"--wrap=./spy -m lqcd_hpc run {run}"]
    job = user.cluster.ask("sbatch", "--parsable", *words).strip()
    assert user.cluster.wait(job)["JobState"] == "FAILED"
    assert "SLURM gave this job 2 tasks" in log.read_text()


@pytest.mark.parametrize("command", ["srun", "mpirun"])
def test_a_job_of_two_ranks_that_is_told_to_end_goes_on_by_itself(patient_user, long_jobs, quiet, command):
    """The signal of the time limit, sent by hand."""
    user, record = patient_user, long_jobs[command]
    told = completed(user, record)
    assert told["Restarts"] == "1" and user.log(record).count("SIGUSR1: the run ended after") == 1, user.log(record)
    assert history(user.folder / command) == quiet(DISTURBED)


def test_an_element_that_queues_again_leaves_the_others_of_its_array_alone(patient_user, long_jobs, quiet):
    """One element has the number of the whole array: by that number SLURM would queue all of them again."""
    user, record = patient_user, long_jobs["array"]
    told = [completed(user, record, f"{record['job']}_{n}") for n in range(2)]
    assert [one["Restarts"] for one in told] == ["1" if n == long_jobs["named"] else "0" for n in range(2)]
    assert history(user.folder / "array" / "stream_000") == quiet(DISTURBED)


def test_a_run_that_loses_its_node_ends_with_the_same_bits(patient_user, long_jobs, quiet):
    user, record = patient_user, long_jobs["lost"]
    told = completed(user, record)
    assert told["Restarts"] == "1" and told["NodeList"] != long_jobs["node"]
    assert "resuming after" in user.log(record)
    assert history(user.folder / "lost") == quiet(DISTURBED)


def test_a_run_that_meets_its_time_limit_ends_with_the_same_bits(patient_user, long_jobs, quiet):
    user, record = patient_user, long_jobs["limited"]
    while (told := user.cluster.show(record["job"]))["Restarts"] == "0" and told["JobState"] == "RUNNING":
        time.sleep(0.2)
    user.cluster.ask("scontrol", "update", f"jobid={record['job']}", "timelimit=10", check=False)  # once is enough
    told = completed(user, record)
    log = user.log(record)
    assert int(told["Restarts"]) >= 1, f"{told}\n{log}"
    assert re.search("SIGUSR1: the run ended after [0-9]+ of [0-9]+ updates, with a checkpoint", log), log
    assert history(user.folder / "limited") == quiet(LIMITED)
