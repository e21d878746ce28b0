"""Runs of scalars and spins: from the run file to the tables, resumed to the same bits, and clear words for mix-ups."""

import h5py
import numpy as np
import pytest

from lqcd_hpc import LqcdError
from lqcd_hpc.cli.plan import plans
from lqcd_hpc.config import parse
from lqcd_hpc.run import execute

GENERATE = """
[lattice]
shape = [4, 8]
replicas = {replicas}
[start]
kind = "{start}"
[random]
seed = 3
[action]
{action}
[[update]]
kind = "metropolis"
width = 0.6
hits = 2
count = 3
[[update]]
kind = "hmc"
tau = 1.0
steps = 6
integrator = "2mn"
count = {hmc}
[measure.scalar]
[measure.scalar_correlator]
every = 2
[output]
directory = "{directory}"
checkpoint = 2
report = {report}
"""
ACTIONS = {
    "phi4": 'kind = "phi4"\nm2 = -1.0\nlam = 0.8\nnormalisation = "full"',
    "phi4_hopping": 'kind = "phi4_hopping"\nbeta = 0.5\nlam = 0.5',
    "complex_phi4": 'kind = "complex_phi4"\neta = 4.2\nlam = 0.6',
    "sigma": 'kind = "sigma"\nbeta = 0.8\ncomponents = 3',
}


def run_file(folder, action="phi4", start="hot", replicas=1, hmc=4, report="false"):
    path = folder / "run.toml"
    values = {"action": ACTIONS[action], "start": start, "replicas": replicas, "hmc": hmc, "report": report}
    path.write_text(GENERATE.format(**values, directory=folder / "out"))
    return path


@pytest.mark.parametrize("start", ["cold", "hot"])
@pytest.mark.parametrize("action, replicas", [(action, 1) for action in ACTIONS] + [("complex_phi4", 4), ("sigma", 4)])
def test_a_run_leaves_its_tables_and_resumes_to_the_same_bits(action, replicas, start, tmp_path, capfd):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = execute(run_file(tmp_path / "whole", action, start, replicas))
    for hmc in (1, 4):
        parts = execute(run_file(tmp_path / "parts", action, start, replicas, hmc))
    assert (whole / "journal.jsonl").read_bytes() == (parts / "journal.jsonl").read_bytes()
    assert "action density" in capfd.readouterr().err
    with h5py.File(whole / "measurements.h5") as file:
        assert file["update/action_density"].shape == ((7,) if replicas == 1 else (7, replicas))
        assert file["scalar/m2"].shape[0] == 7 and file["scalar_correlator/correlator"].shape[:2] == (3, 8)
        assert 0 < np.mean(file["update/acceptance"][:3]) < 1


def test_a_run_of_scalars_has_a_report_and_a_plan(tmp_path):
    path = run_file(tmp_path, report="true", hmc=12)
    page = (execute(path) / "report.html").read_text()
    assert "action density after each update" in page and "effective masses of φ" in page
    assert plans((4, 8), 2, str(path))["group"] == "scalars"


MIXED = [
    (
        "shape = [4, 8]",
        'shape = [4, 8]\ngroup = "SU(2)"',
        r"\[lattice\] group = 'SU\(2\)': the action is one of scalars",
    ),
    ('kind = "hot"', 'kind = "instanton"', r"\[start\] kind = 'instanton' is for gauge fields"),
    ("checkpoint = 2", "checkpoint = 2\nconfigurations = 2", r"\[output\] configurations"),
    ("[measure.scalar]", "[measure.plaquette]", r"\[measure.plaquette\] kind = 'plaquette' is for gauge fields"),
    (ACTIONS["phi4"], 'kind = "wilson"\nbeta = 1.0', r"\[measure.scalar\] kind = 'scalar' is for scalars"),
    ('normalisation = "full"', "", r"lacks normalisation: there is no default"),
    ('normalisation = "full"', 'normalisation = "none"', r"normalisation = 'none': input should be 'full' or 'half'"),
    (ACTIONS["phi4"], 'kind = "sigma"\nbeta = 1.0\ncomponents = 1', "components = 1"),
    ("width = 0.6", "width = -0.6", "width = -0.6"),
]


@pytest.mark.parametrize("before, after, why", MIXED)
def test_scalars_and_gauge_fields_are_not_mixed_up(before, after, why, tmp_path):
    text = run_file(tmp_path).read_text()
    assert before in text
    with pytest.raises(LqcdError, match=why):
        parse(text.replace(before, after))


def test_gauge_actions_need_a_group(tmp_path):
    text = run_file(tmp_path).read_text().replace(ACTIONS["phi4"], 'kind = "wilson"\nbeta = 1.0')
    text = text.replace("[measure.scalar]", "").replace("[measure.scalar_correlator]\nevery = 2", "")
    with pytest.raises(LqcdError, match=r"\[lattice\] lacks group"):
        parse(text)


def test_the_heatbath_is_for_links(tmp_path):
    path = run_file(tmp_path)
    path.write_text(path.read_text().replace('"metropolis"\nwidth = 0.6\nhits = 2', '"heatbath"'))
    with pytest.raises(LqcdError, match="heatbath is for links"):
        execute(path)
