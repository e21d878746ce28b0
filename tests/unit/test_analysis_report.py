"""The report of a synthetic run: right numbers, self-contained, tolerant of what is missing."""

import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
from unit.synthetic_run import PLAQUETTE, T0, write_synthetic_run

from lqcd_hpc import LqcdError
from lqcd_hpc.analysis import read_measurements, write_report
from lqcd_hpc.analysis.observables import observable_rows
from lqcd_hpc.analysis.pictures import run_pictures
from lqcd_hpc.analysis.report import find_first_step
from lqcd_hpc.analysis.sampling_quality import hmc_rows, timing_rows


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("beta6.0")
    write_synthetic_run(directory / "measurements.h5")
    return directory


def test_file_is_read_with_attributes_and_complex_columns(run):
    found = read_measurements(run)
    assert found.shape == (8, 8, 8, 16) and found.volume == 8192 and found.group == "SU(3)"
    assert found.seed == 7 and found.ranks == "1x1x1x2" and "beta = 6.0" in found.run_toml
    assert found.tables["polyakov"].columns["polyakov"].dtype == complex
    assert set(found.tables["update"].columns["kind"]) == {"heatbath", "hmc"}
    assert found.tables["flow"].time.shape == (81,)
    assert list(found.tables)[:2] == ["update", "plaquette"] and list(found.tables)[-1] == "wilson_loops"


def test_table_holds_the_true_values_within_errors(run):
    found = read_measurements(run)
    first_step = find_first_step(found)
    assert 20 < first_step < 150
    rows = {(row.group, row.symbol): row for row in observable_rows(found, first_step)}
    assert rows["plaquette", "⟨P⟩"].estimate.deviation(PLAQUETTE) < 4
    assert rows["flow", "t₀/a²"].estimate.deviation(T0) < 4
    assert rows["flow", "√t₀/a"].estimate.deviation(np.sqrt(T0)) < 4
    assert rows["polyakov", "Re⟨L⟩"].estimate.deviation(0) < 4
    assert rows["topology", "⟨Q²⟩"].estimate.deviation(1.6**2) < 4
    assert rows["plaquette", "⟨P⟩"].every == 2
    assert ("wilson_loops", "w12") in rows


def test_sampling_tables(run):
    update = read_measurements(run).tables["update"]
    quality = {name: (value, remark) for name, value, remark in hmc_rows(update)}
    assert quality["trajectories"][0] == "500"
    assert "as it must be" in quality["⟨exp(−ΔH)⟩"][1]
    assert quality["acceptance"][0].endswith("%")
    assert [(row[0], row[1]) for row in timing_rows(update)] == [("heatbath", 300), ("hmc", 500)]


def test_report_is_one_self_contained_page(run):
    path = write_report(run)
    assert path == run / "report.html"
    page = path.read_text(encoding="utf-8")
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(links) >= 9 and all(link.startswith("data:image/svg+xml;base64,") for link in links)
    for text in (
        "SU(3) on 8 × 8 × 8 × 16",
        "beta = 6.0",
        "1x1x1x2",
        "⟨exp(−ΔH)⟩",
        "√t₀/a",
        "Wilson loops",
        "0.593",
    ):
        assert text in page
    assert not list(run.glob(".report*")), "the temporary file must be gone"


def test_thermalisation_can_be_given(run, tmp_path):
    with h5py.File(run / "measurements.h5") as source, h5py.File(tmp_path / "measurements.h5", "w") as target:
        source.copy("plaquette", target)
    page = write_report(tmp_path, "late.html", thermalisation=700).read_text(encoding="utf-8")
    assert "Steps before 700 are left out" in page


@pytest.mark.parametrize("missing", ["update", "plaquette", "polyakov", "topology", "flow", "wilson_loops"])
def test_any_table_may_be_missing(run, missing):
    found = read_measurements(run)
    del found.tables[missing]
    assert {row.group for row in observable_rows(found, 50)} == set(found.tables)
    assert len(run_pictures(found, 50)) >= 7


def test_an_empty_file_gives_a_page_that_says_so(tmp_path):
    h5py.File(tmp_path / "measurements.h5", "w").close()
    assert "Nothing was measured" in write_report(tmp_path).read_text(encoding="utf-8")


def test_odd_tables_do_not_stop_the_report(tmp_path):
    with h5py.File(tmp_path / "measurements.h5", "w") as file:
        file["loose"] = 1.0
        file.create_group("empty")
        file["stuck/step"] = np.arange(20)
        file["stuck/value"] = np.ones(20)
        file["stepless/value"] = np.random.default_rng(0).normal(size=30)
        file["replicas/step"] = np.arange(12)
        file["replicas/plaquette"] = np.random.default_rng(1).normal(0.6, 0.1, (12, 8))
        file["flow/time"] = [0.0, 0.1, 0.2]
        file["flow/step"] = np.arange(2)
        file["flow/energy"] = np.ones((2, 3))
        file["flow/charge"] = np.ones((2, 3))
        file["update/step"] = np.arange(3)
        file["update/kind"] = [0, 0, 1]
        file["update/seconds"] = [0.1, np.nan, 0.2]
        file["update/delta_h"] = [np.nan, np.nan, 0.3]
        file["update/accepted"] = [np.nan, np.nan, 1.0]
        file.attrs["lattice"] = "not json"
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "is constant" in page and "Replicas" in page
    rows = {(row.group, row.symbol): row for row in observable_rows(read_measurements(tmp_path))}
    assert rows["replicas", "⟨P⟩"].estimate.samples == 96
    assert rows["flow", "t₀/a²"].estimate is None and rows["flow", "t₀/a²"].note


def test_text_of_the_run_file_is_escaped(tmp_path):
    with h5py.File(tmp_path / "measurements.h5", "w") as file:
        file.attrs["run_toml"] = "<script>alert(1)</script>"
    assert "<script>" not in write_report(tmp_path).read_text(encoding="utf-8")


def test_a_missing_or_broken_file_is_refused_with_the_reason(tmp_path):
    with pytest.raises(LqcdError, match="does not exist"):
        write_report(tmp_path)
    (tmp_path / "measurements.h5").write_bytes(b"not HDF5 at all")
    with pytest.raises(LqcdError, match="cannot be read"):
        write_report(tmp_path)


def test_analysis_loads_nothing_else_of_the_package():
    code = (
        "import sys, lqcd_hpc.analysis as a; a.write_report; a.plots; import lqcd_hpc.analysis.pictures;"
        "ours = {n.split('.')[1] for n in sys.modules if n.startswith('lqcd_hpc.')};"
        "assert ours <= {'analysis', 'errors', 'version'}, ours;"
        "assert not {'mpi4py', 'torch', 'cupy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)
