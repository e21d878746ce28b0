"""Wall clocks that jump: nothing but what is shown and dated may follow them."""

import ast
import random
import time

import fault_runs
import pytest
from source_tree import modules

SHOWN = {  # who may ask for the date, to write it down for people
    "run.collect", "run.lock", "io.scidac", "io.milc", "analysis.report", "cli.benchmark.results",
    "jobs.progress", "jobs.submit", "cli.status",
}  # fmt: skip
WALL = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime", "time.ctime", "datetime.now"}
WALL |= {"datetime.today", "datetime.utcnow", "date.today", "datetime.datetime.now", "time.clock_gettime"}


def test_only_what_is_shown_asks_for_the_date():
    asked = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL
    }
    assert asked <= SHOWN


def jumping(back):
    """In the job: every question for the time of day gets an answer years off."""

    def prepare():
        rng, now, date, text = random.Random(back), time.time, time.gmtime, time.strftime

        def jump():
            return now() + rng.uniform(-3e8, 0 if back else 3e8)

        time.time = jump
        time.time_ns = lambda: int(1e9 * jump())
        time.gmtime = time.localtime = lambda seconds=None: date(jump() if seconds is None else seconds)
        time.strftime = lambda form, when=None: text(form, when or date(jump()))

    return prepare


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("kind", fault_runs.KINDS)
def test_clocks_that_jump_change_no_bit(kind, back, quiet, tmp_path, tried):
    if kind == "measure":
        (tmp_path / "generate").symlink_to(quiet[0] / "generate")
    path = fault_runs.run_file(tmp_path, kind)
    ended = fault_runs.run(path, jumping(back))
    assert ended.code == 0, ended
    assert fault_runs.history(tmp_path / kind) == quiet[1][kind]
    tried("clock jumps", f"{kind}, {'back' if back else 'back and forth'} by years", "the bits of a quiet run")
