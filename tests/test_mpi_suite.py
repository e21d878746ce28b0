"""Runs the whole of tests/mpi under mpirun on 2 and on 4 ranks, the tests of same bits also on 8; says what failed.

LQCD_MPIRUN names another launcher, LQCD_MPI_TEST_TIMEOUT other seconds for a job.
"""

import json
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent / "mpi"
ROOT = FOLDER.parent.parent
SECONDS = float(os.environ.get("LQCD_MPI_TEST_TIMEOUT", 480))
SECONDS_PER_TEST = 90


@pytest.mark.mpirun
@pytest.mark.timeout(0)
@pytest.mark.parametrize("ranks", [2, 4])
def test_mpi_folder_passes_on_ranks(ranks, mpirun, request, tmp_path):
    job = run_folder(FOLDER, ranks, mpirun, tmp_path, selected(request))
    faults = find_faults(job, ranks, tmp_path)
    assert not faults, "\n".join([*faults, str(job)])


@pytest.mark.mpirun
@pytest.mark.timeout(0)
@pytest.mark.parametrize("file", ["test_same_bits.py", "test_dirac_same_bits.py"])
def test_eight_ranks_have_the_same_bits(file, mpirun, request, tmp_path):
    job = run_folder(FOLDER / file, 8, mpirun, tmp_path, selected(request))
    faults = find_faults(job, 8, tmp_path)
    assert not faults, "\n".join([*faults, str(job)])


def selected(request):
    """Which tests of the folder: those of long physics only where this run has them."""
    return "not long" if "not long" in request.config.getoption("markexpr") else ""


def run_folder(folder, ranks, mpirun, reports, markers="", seconds=SECONDS, per_test=SECONDS_PER_TEST):
    """One job for a folder of tests (a blocked MPI call yields to a thread, not to a signal)."""
    arguments = ["-m", "pytest", "-c", ROOT / "setup.cfg", "-p", "no:cacheprovider", "-q", "-x"]
    arguments += ["--with-mpi", "-m", markers, f"--timeout={per_test}", "--timeout-method=thread", folder]
    return mpirun(ranks, arguments, timeout=seconds, extra={"LQCD_MPI_REPORT": str(reports)})


def find_faults(job, ranks, reports):
    """One line for everything wrong with the job, from what its ranks wrote; nothing where all is well."""
    faults, passed = [], []
    if job.code != 0:
        faults.append(f"the job of {ranks} ranks " + ("hung" if job.code is None else f"gave {job.code}"))
    for rank in range(ranks):
        path = reports / f"rank-{rank}.jsonl"
        records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        faults += [f"rank {rank}: {fault}" for fault in _rank_faults(records, ranks)]
        passed.append({record["test"] for record in records if record.get("outcome") == "passed"})
    if not faults and any(names != passed[0] for names in passed):
        faults.append("the ranks did not pass the same tests")
    if not faults and not passed[0]:
        faults.append("no test passed on any rank")
    return faults


def _rank_faults(records, ranks):
    if not records:
        return ["never reported (did it start?)"]
    failed = [f"failed {r['test']}\n{r['text']}" for r in records if r.get("outcome") == "failed"]
    last = records[-1]
    if "ended" not in last and not failed:
        begun = [record["begins"] for record in records if "begins" in record]
        return [f"did not end; it was in {begun[-1] if begun else 'its collection'}"]
    if not failed and last.get("size") != ranks:
        return [f"saw a job of {last.get('size')} ranks: launcher and MPI library are of different families"]
    if not failed and last["ended"] != 0:
        return [f"pytest ended with {last['ended']}"]
    return failed
