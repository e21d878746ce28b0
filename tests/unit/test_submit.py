"""Job scripts without SLURM: what they hold, what a shell makes of them, and what is refused, in one message each."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lqcd_hpc import LqcdError, cli, config
from lqcd_hpc.config.written import toml_text
from lqcd_hpc.errors import Terminated
from lqcd_hpc.jobs import script, slurm
from lqcd_hpc.jobs.members import members, settings
from lqcd_hpc.jobs.request import requested
from lqcd_hpc.jobs.site import load_site, names
from lqcd_hpc.jobs.submit import plan

JOBS = Path(__file__).resolve().parents[2] / "jobs"
RUN = """
[lattice]
shape = [8, 8, 8, 8]
group = "SU(3)"
[start]
kind = "hot"
[random]
seed = 3
stream = 10
[action]
kind = "wilson"
beta = 5.7
[[update]]
kind = "hmc"
tau = 1.0
steps = 6
integrator = "omf4"
count = 3
[output]
directory = "{directory}"
configurations = 1
"""
MEASURE = """
[source]
files = ["{directory}/configurations/*.ildg", "elsewhere/*.ildg"]
[measure.polyakov]
[output]
directory = "{directory}-measured"
"""
SITE = """
about = "here"
[node]
cores = 8
ranks = 2
[environment]
python = "python"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a run file `run.toml` and a site file `here.toml`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(RUN.format(directory="out"))
    (tmp_path / "measure.toml").write_text(MEASURE.format(directory="out"))
    (tmp_path / "here.toml").write_text(SITE)
    return tmp_path


@pytest.fixture
def lqcd(monkeypatch, capfd):
    """`lqcd(*words)` runs the command in this process: (exit code, standard output, standard error)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["lqcd-hpc", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (end.value.code or 0, *capfd.readouterr())

    return run


def scripts(*paths, site="./here.toml", changes=(), streams=None, **request):
    """The scripts of a chain."""
    return [one.script for one in plan(paths, load_site(site), requested(**request), settings(changes), streams)]


def header(text):
    """The options of sbatch in a script."""
    return dict(line[10:].partition("=")[::2] for line in text.splitlines() if line.startswith("#SBATCH --"))


def stubs(folder, **programs):
    """Programs of a few lines of shell that stand for those of a cluster; returns the path that finds them first."""
    place = folder / "stubs"
    place.mkdir()
    for name, text in programs.items():
        (place / name).write_text(f"#!/bin/bash\n{text}\n")
        (place / name).chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


NOTE = 'printf "%s\\0" "$@" > "{0}"'


# ---- every site


@pytest.mark.parametrize("site", names())
@pytest.mark.parametrize("streams", [None, 3])
def test_a_shell_can_read_the_script_of_every_site(site, streams, here):
    (text,) = scripts("run.toml", site=site, streams=streams)
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert read.returncode == 0 and not read.stderr, read.stderr
    options = header(text)
    assert options["ntasks"] == options["ntasks-per-node"] == str(load_site(site).node.ranks)
    assert int(options["cpus-per-task"]) * int(options["ntasks"]) <= load_site(site).node.cores
    assert options["open-mode"] == "append" and "requeue" in options and options["signal"].startswith("B:USR1@")
    assert ("array" in options) == (streams is not None)


@pytest.mark.parametrize("site", names())
def test_scripts_quote_every_expansion_and_check_what_they_need(site, here):
    """What shellcheck asks for (SC2086, SC2164, SC2115): expansions in quotes, and no command that may fail unseen."""
    (text,) = scripts("run.toml", site=site)
    own = "\n".join(line for line in text.splitlines() if line not in load_site(site).environment.setup)
    unquoted = re.sub(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|#.*", "", own)
    assert "$" not in unquoted.replace("$?", "").replace("$!", ""), unquoted
    for line in text.splitlines():
        if line.startswith(("module ", "source ", "mkdir ", "cd ")):
            assert line.endswith("|| exit 1")


def test_sites_are_beside_the_run_files_and_in_the_package():
    assert {path.stem for path in (JOBS / "sites").glob("*.toml")} == set(names())
    assert {"cpu", "gpu"} <= set(names()) and len(names()) >= 5


def test_every_site_starts_ranks_as_its_launcher_wants():
    starts = {}
    for name in names():
        site = load_site(name)
        starts[name] = " ".join(map(str, script._launch(site, plan_of(site))))
    assert "--mpi=pmi2" in starts["mpich-pmi2"] and "--mpi=pmix" in starts["cpu"]
    assert "--gpu-bind=single:1" in starts["gpu"] and "--cpu-bind=cores" in starts["epyc-lustre"]
    assert "--map-by ppr:4:node:PE=8 --bind-to core" in starts["openmpi-mpirun"]
    assert all("--kill-on-bad-exit=1" in one for one in starts.values() if one.startswith("srun"))


def plan_of(site):
    """The resources of one node of a site."""
    from lqcd_hpc.jobs.request import resources

    return resources(site, requested())


# ---- quoting


HOSTILE = [
    "$(touch hacked)",
    "`touch hacked`",
    "a; touch hacked",
    'it\'s "quoted" $HOME',
    "blank  and #comment",
    "-rf *",
    "%j%A",
    "ü",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_read_as_shell(name, here):
    folder = here / "work"
    folder.mkdir()
    (here / "run.toml").write_text(RUN.format(directory=str(folder / name).replace('"', '\\"')))
    (text,) = scripts("run.toml")
    path = stubs(here, srun=NOTE.format(here / "noted"))
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, cwd=here, env={"PATH": path})
    assert done.returncode == 0, done.stderr
    assert (here / "noted").read_bytes().split(b"\0")[-2].decode() == str(folder / name / "jobs" / "001" / "0000.toml")
    assert [one.name for one in folder.iterdir()] == [name] and not list(here.rglob("hacked"))


@pytest.mark.parametrize("name", HOSTILE)
def test_options_of_sbatch_are_escaped(name):
    """As sbatch reads a line: up to a bare blank or #; in quotes a backslash takes the next character as it is."""
    read, quoted, rest = "", False, iter(script.escaped(name))
    for character in rest:
        if character == '"':
            quoted = not quoted
            continue
        assert quoted or character not in " #'$`;()*"
        read += next(rest) if character == "\\" else character
    assert read == name and not quoted


@pytest.mark.parametrize("named", ["/the venv", "/the venv/", "/the venv/bin/activate"])
def test_an_environment_is_activated_by_its_folder_or_its_script(named, here):
    (here / "here.toml").write_text(SITE.replace('python = "python"', f'activate = "{named}"'))
    (text,) = scripts("run.toml")
    assert "source '/the venv/bin/activate' || exit 1\n" in text and "program=( python -m lqcd_hpc run )" in text


def test_variables_of_a_site_are_values_and_not_shell(here):
    (here / "here.toml").write_text(SITE + 'variables = { NOTE = "$(touch hacked) it\'s" }\n')
    (text,) = scripts("run.toml")
    path = stubs(here, srun=f'printf "%s" "$NOTE $OMP_NUM_THREADS" > "{here}/noted"')
    subprocess.run(["bash"], input=text, text=True, cwd=here, env={"PATH": path}, check=True)
    assert (here / "noted").read_text() == "$(touch hacked) it's 4" and not (here / "hacked").exists()


# ---- what a shell does with a script

# A step that a signal takes a moment to end, and what it leaves behind then.
STEP = """
trap 'echo told >> {folder}/told; {leaves}; sleep 0.3; exit {code}' USR1
trap 'echo ended >> {folder}/told; sleep 0.3; exit 143' TERM
touch {folder}/begun
for n in $(seq 100); do sleep 0.1; done
"""


def signalled(here, code, *numbers, leaves="touch OUTPUT/checkpoint_00000005.h5", streams=None):
    """(exit code, what was heard) of a script whose shell gets signals while its step runs."""
    (text,) = scripts("run.toml", streams=streams)
    output = re.search(r"\noutput=\(\n(.*?)\n\)", text, re.DOTALL)[1].split()[0]
    requeue = f'echo "$@" >> {here}/told'
    step = STEP.format(folder=here, code=code, leaves=leaves.replace("OUTPUT", output))
    path = stubs(here, srun=step, scontrol=requeue)
    (here / "job.sh").write_text(text)
    environment = {"PATH": path, "SLURM_JOB_ID": "17"}
    if streams:
        environment |= {"SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "0"}
    job = subprocess.Popen(["bash", "job.sh"], cwd=here, env=environment, stderr=subprocess.PIPE)
    while not (here / "begun").exists():
        time.sleep(0.02)
    for number in numbers:
        job.send_signal(number)
        time.sleep(0.1)
    job.communicate(timeout=30)
    return job.returncode, (here / "told").read_text().split("\n")[:-1]


def test_a_job_whose_time_is_up_tells_its_ranks_and_queues_again(here):
    assert signalled(here, Terminated(signal.SIGUSR1, "").code, signal.SIGUSR1) == (0, ["told", "requeue 17"])


def test_ranks_that_are_killed_while_they_end_do_not_end_the_run(here):
    assert signalled(here, 137, signal.SIGUSR1) == (0, ["told", "requeue 17"])


def test_a_journal_that_grows_is_progress_too(here):
    leaves = "echo line >> OUTPUT/journal.jsonl"
    told = signalled(here, Terminated(signal.SIGUSR1, "").code, signal.SIGUSR1, leaves=leaves)
    assert told == (0, ["told", "requeue 17"])


def test_checkpoints_of_a_trial_of_a_search_are_progress_too(here):
    leaves = "mkdir -p OUTPUT/trials/002; touch OUTPUT/trials/002/checkpoint_00000005.safetensors"
    told = signalled(here, Terminated(signal.SIGUSR1, "").code, signal.SIGUSR1, leaves=leaves)
    assert told == (0, ["told", "requeue 17"])


def test_an_element_of_an_array_queues_itself_again_and_not_the_array(here):
    told = signalled(here, Terminated(signal.SIGUSR1, "").code, signal.SIGUSR1, streams=2)
    assert told == (0, ["told", "requeue 17_0"])


def test_a_job_that_is_cancelled_after_the_warning_stays_so(here):
    code, told = signalled(here, 138, signal.SIGUSR1, signal.SIGTERM)
    assert code != 0 and "requeue 17" not in told


def test_a_job_too_short_for_its_run_to_get_anywhere_does_not_queue_again_for_ever(here):
    code = Terminated(signal.SIGUSR1, "").code
    leaves = "touch OUTPUT/run.json"  # which every start leaves
    assert signalled(here, code, signal.SIGUSR1, leaves=leaves) == (code, ["told"])


def test_a_run_that_is_done_when_time_is_up_is_done(here):
    assert signalled(here, 0, signal.SIGUSR1) == (0, ["told"])


def test_a_job_that_is_cancelled_ends_in_order_and_stays_so(here):
    assert signalled(here, 138, signal.SIGTERM) == (143, ["ended"])


def test_a_job_submitted_from_an_element_of_an_array_is_no_element(here):
    (text,) = scripts("run.toml")
    path = stubs(here, srun=f'printf "%s" "${{@: -1}}" > {here}/noted')
    inherited = {"PATH": path, "SLURM_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "5"}
    subprocess.run(["bash"], input=text, text=True, cwd=here, env=inherited, check=True)
    assert (here / "noted").read_text().endswith("0000.toml")


@pytest.mark.parametrize("code", [0, 2, 139])
def test_the_code_of_the_program_is_that_of_the_job(code, here):
    (text,) = scripts("run.toml")
    path = stubs(here, srun=f"exit {code}", scontrol=f"touch {here}/requeued")
    done = subprocess.run(["bash"], input=text, text=True, cwd=here, env={"PATH": path, "SLURM_JOB_ID": "17"})
    assert done.returncode == code and not (here / "requeued").exists()


def test_an_element_of_an_array_takes_its_own_run_file_and_directory(here):
    (here / "here.toml").write_text(SITE + "[storage]\nstripe_count = 4\n")
    (text,) = scripts("run.toml", streams=3)
    path = stubs(here, srun=NOTE.format(here / "noted"), lfs=f'echo "$@" > {here}/striped')
    subprocess.run(
        ["bash"], input=text, text=True, cwd=here, env={"PATH": path, "SLURM_ARRAY_TASK_ID": "2"}, check=True
    )
    assert (here / "noted").read_bytes().split(b"\0")[-2].endswith(b"out/jobs/001/0002.toml")
    assert (here / "out" / "stream_002").is_dir() and not (here / "out" / "stream_001").exists()
    assert (here / "striped").read_text() == "setstripe -c 4 -- out/stream_002\n"


# ---- members


def test_streams_and_a_grid_of_couplings_have_their_own_numbers_and_folders():
    (made,) = members([RUN.format(directory="out")], settings(["beta=5.8,6.0", "update.1.count=7"]), 2)
    tables = [tomllib.loads(one.text) for one in made]
    assert [(one["action"]["beta"], one["random"]["stream"]) for one in tables] == [
        (5.8, 10),
        (5.8, 11),
        (6.0, 12),
        (6.0, 13),
    ]
    assert [one.directory for one in made] == [f"out/beta_{b}/stream_00{s}" for b in (5.8, 6.0) for s in (0, 1)]
    assert all(one["update"][0]["count"] == 7 and one["random"]["seed"] == 3 for one in tables)
    assert all(config.parse(one.text).output.directory == one.directory for one in made)


def test_paths_into_the_output_of_a_link_follow_its_members():
    texts = [RUN.format(directory="out"), MEASURE.format(directory="out")]
    generated, measured = members(texts, {}, 2)
    source = tomllib.loads(measured[1].text)["source"]["files"]
    assert source == ["out/stream_001/configurations/*.ildg", "elsewhere/*.ildg"]
    assert measured[1].directory == "out-measured/stream_001" and generated[1].directory == "out/stream_001"


def test_another_output_directory_takes_paths_and_records_along():
    texts = [RUN.format(directory="out"), MEASURE.format(directory="out")]
    texts[1] = texts[1].replace('directory = "out-measured"', 'directory = "m"')
    with_it = members(texts[:1] + texts[1:], settings(["output.directory=new"]), None)
    ((one,), (two,)) = with_it
    assert (one.directory, one.base) == ("new", "new") and one.labels == {}
    assert tomllib.loads(two.text)["source"]["files"][0] == "new/configurations/*.ildg"


def test_a_run_file_that_nothing_changes_stays_as_it_is():
    text = "# a remark\n" + RUN.format(directory="out")
    ((one,),) = members([text], {}, None)
    assert one.text == text and one.directory == "out"


def test_the_elements_of_an_array_wait_for_their_own(here, monkeypatch):
    said = []
    monkeypatch.setattr(slurm, "present", lambda *_: True)
    monkeypatch.setattr(slurm, "submit", lambda path, dependency: said.append(dependency) or str(len(said) + 100))
    from lqcd_hpc.jobs.submit import submit

    site = load_site("./here.toml")
    records = submit(plan(["run.toml", "measure.toml"], site, requested(), {}, 2), site, ["7"])
    records += submit(plan(["run.toml", "out", "measure.toml"], site, requested()), site)
    assert said == ["afterok:7", "aftercorr:101", None, "afterok:103", "afterok:104"]
    assert [Path(one["script"]).parent.name for one in records] == ["001", "001", "002", "003", "002"]
    for record in records:
        folder = Path(record["script"]).parent
        assert json.loads((folder / "submission.json").read_text()) == record
        assert all(not one["run_file"] or config.load(folder / one["run_file"]) for one in record["members"])
    assert header(Path(records[3]["script"]).read_text())["ntasks"] == "1"
    assert [one["run_file"] for one in records[3]["members"]] == [None]  # an analysis is no run


def test_a_chain_that_is_refused_half_way_leaves_nothing(here, monkeypatch):
    cancelled = []

    def refuse(path, dependency):
        if dependency:
            raise LqcdError("sbatch refused it")
        return "101"

    monkeypatch.setattr(slurm, "present", lambda *_: True)
    monkeypatch.setattr(slurm, "submit", refuse)
    monkeypatch.setattr(slurm, "cancel", cancelled.extend)
    from lqcd_hpc.jobs.submit import submit

    site = load_site("./here.toml")
    with pytest.raises(LqcdError, match="sbatch refused"):
        submit(plan(["run.toml", "measure.toml"], site, requested()), site)
    assert cancelled == ["101"] and not list(here.rglob("job.sh"))


def test_a_submission_that_is_second_leaves_the_files_of_the_first(here, monkeypatch):
    monkeypatch.setattr(slurm, "present", lambda *_: True)
    monkeypatch.setattr(slurm, "submit", lambda path, dependency: "101")
    monkeypatch.setattr(slurm, "cancel", lambda numbers: None)
    from lqcd_hpc.jobs.submit import submit

    site = load_site("./here.toml")
    first, second = (plan(["run.toml"], site, requested()) for _ in range(2))
    (record,) = submit(first, site)
    kept = {path: path.read_bytes() for path in Path(record["script"]).parent.iterdir()}
    with pytest.raises(LqcdError, match="another submission took .*001 at this moment: submit again"):
        submit(second, site)
    assert {path: path.read_bytes() for path in Path(record["script"]).parent.iterdir()} == kept


def test_a_file_in_the_place_of_the_output_directory_is_not_another_submission(here, monkeypatch):
    monkeypatch.setattr(slurm, "present", lambda *_: True)
    monkeypatch.setattr(slurm, "cancel", lambda numbers: None)
    from lqcd_hpc.jobs.submit import submit

    site = load_site("./here.toml")
    planned = plan(["run.toml"], site, requested())
    (here / "out").write_text("a file")
    with pytest.raises(LqcdError, match="choose another .output. directory"):
        submit(planned, site)
    assert (here / "out").read_text() == "a file"


def test_a_job_that_may_be_queued_keeps_its_files(here, monkeypatch):
    def mute(path, dependency):
        raise slurm.NoAnswer("sbatch gave no answer for 60 s: is SLURM's controller up?")

    monkeypatch.setattr(slurm, "present", lambda *_: True)
    monkeypatch.setattr(slurm, "submit", mute)
    from lqcd_hpc.jobs.submit import submit

    site = load_site("./here.toml")
    with pytest.raises(LqcdError, match="gave no answer.*may be queued"):
        submit(plan(["run.toml"], site, requested()), site)
    assert len(list(here.rglob("job.sh"))) == len(list(here.rglob("0000.toml"))) == 1


def test_an_analysis_asks_for_no_gpu(here):
    generate, analysis = plan(["run.toml", "out"], load_site("gpu"), requested())
    assert "gres" in header(generate.script) and "--gpu-bind" in generate.script
    assert "gres" not in header(analysis.script) and "--gpu-bind" not in analysis.script


# ---- TOML

PLAIN = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text())
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
TABLES = st.dictionaries(
    st.text(), VALUES | st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=3), max_size=4
)


@given(TABLES)
def test_tables_that_are_written_read_back(tables):
    assert tomllib.loads(toml_text(tables)) == tables


@pytest.mark.parametrize("file", sorted(JOBS.glob("*.toml")), ids=lambda file: file.stem)
def test_run_files_that_are_written_read_back(file):
    tables = tomllib.loads(file.read_text())
    assert tomllib.loads(toml_text(tables)) == tables


# ---- the command, and what it refuses


def test_a_dry_run_prints_the_script_and_writes_nothing(lqcd, here):
    before = sorted(here.rglob("*"))
    code, out, err = lqcd(
        "submit", "run.toml", "--site", "cpu", "--dry-run", "--time", "2-12", "--option=--mail-type=END"
    )
    assert code == 0 and sorted(here.rglob("*")) == before, err
    options = header(out)
    assert options["time"] == "2-12" and options["mail-type"] == "END" and options["chdir"] == str(here)
    (one,) = json.loads(lqcd("submit", "run.toml", "--site", "cpu", "--dry-run", "--json")[1])
    assert one["name"] == "run" and one["script"].startswith("#!/bin/bash")


MISTAKES = {
    "an unknown site": (["--site", "cpp"], "there is no site 'cpp'; did you mean 'cpu'?"),
    "no site file": (["--site", "./none.toml"], "cannot read the site file ./none.toml"),
    "no time": (["--time", "soon"], "[options] time = 'soon'"),
    "no time at all": (["--time", "0"], "a job needs some time"),
    "no nodes": (["--nodes", "0"], "[options] nodes = 0"),
    "too many ranks": (["--ntasks-per-node", "80"], "do not fit on a node of here"),
    "ranks that do not divide": (["--nodes", "3"], "cannot be divided over 6 ranks"),
    "a partition with a blank": (["--partition", "a b"], "[options] partition = 'a b'"),
    "an option with a line break": (["--option=--a\n#SBATCH --b"], "[options] options.0"),
    "an option without a dash": (["--option=a"], "[options] options.0"),
    "no number of streams": (["--array", "0-3"], "--array 0-3: give the number of streams"),
    "an unknown key": (["--set", "bete=5.8,6.0"], "--set bete: no run file has this key; did you mean 'beta'?"),
    "a key of two tables": (["--set", "kind=a,b"], "--set kind: it is in [start] and [action]"),
    "table number 0": (["--set", "update.0.count=5"], "tables of a list are counted from 1"),
    "a value twice": (["--set", "beta=5.8,5.8"], "two points of the grid would write in out/beta_5.8"),
    "no value": (["--set", "beta"], "--set beta: write KEY=VALUE"),
    "a key twice": (["--set", "beta=1", "--set", "beta=2"], "--set beta comes twice"),
    "a value of a wrong type": (["--set", "beta=5.8,x"], "run.toml with beta = x: [action] beta = 'x'"),
    "one directory twice": (["measure.toml", "--set", "output.directory=x"], "two run files of the chain have it"),
    "one file twice": (["run.toml"], "run.toml is there twice"),
    "no job": (["--after", "x"], "--after x: give the number of a job"),
    "no run file": (["nothing"], "nothing is neither a run file (.toml) nor the [output] directory"),
    "a missing run file": (["none.toml"], "cannot read the run file none.toml"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_clear_message(mistake, lqcd, here):
    words, message = MISTAKES[mistake]
    given = [] if "--site" in words else ["--site", "./here.toml"]
    code, _, err = lqcd("submit", "run.toml", *given, *words, "--dry-run")
    assert code == 2 and message in err and err.count("\n") == 1, err


SITE_MISTAKES = {
    "[node]\ncores = 8\nranks = 2\ngpu = 1\n": "[node] has the unknown key 'gpu'; did you mean 'gpus'?",
    "[nodes]\ncores = 8\n": "the site file has the unknown key 'nodes'; did you mean 'node'?",
    "[node]\ncores = 8\n": "[node] lacks ranks",
    "[node]\ncores = 8\nranks = 9\n": "[node] ranks = 9: a node has 8 cores only",
    "[launch]\nmpi = 'pmix'\n": "the table [node] is missing",
    SITE + "[launch]\nmpi = 'pmi3'\n": "[launch] mpi = 'pmi3'",
    SITE + "[queue]\ntime = '1:2:3:4'\n": "[queue] time = '1:2:3:4'",
    SITE + "modules = ['a; rm -rf']\n": "[environment] modules.0 = 'a; rm -rf'",
    SITE + 'setup = ["a\\nb"]\n': "[environment] setup.0",
    "[node": "is not TOML",
}


@pytest.mark.parametrize("text", SITE_MISTAKES)
def test_a_mistake_in_a_site_file_gets_one_clear_message(text, here):
    (here / "wrong.toml").write_text(text)
    with pytest.raises(LqcdError, match="site file.* ./wrong.toml") as refusal:
        load_site("./wrong.toml")
    assert SITE_MISTAKES[text] in str(refusal.value)


@pytest.mark.parametrize("directory", ["a\\\\b", "a\\nb"])
def test_a_path_that_no_script_can_hold_is_refused(directory, here):
    (here / "run.toml").write_text(RUN.format(directory=directory))
    with pytest.raises(LqcdError, match="line break or a backslash"):
        scripts("run.toml")


def test_without_slurm_nothing_is_submitted_and_nothing_left(lqcd, here, monkeypatch):
    monkeypatch.setenv("PATH", str(here))
    code, _, err = lqcd("submit", "run.toml", "--site", "./here.toml")
    assert code == 2 and "there is no sbatch here" in err and not (here / "out").exists()
