"""Named fields with metadata in one HDF5 file: what checkpoints are made of."""

import json
import os

import h5py
import numpy as np
import pytest

from lqcd_hpc import LqcdError, io
from lqcd_hpc.io.sitefields import SiteArray, read_fields, write_fields

SLAB = io.Slab.whole((4, 2, 6))
METADATA = {
    "beta": 5.7,
    "step": 12,
    "seed": 2**64 - 1,
    "done": True,
    "toml": "[action]\nbeta = 5.7\n" * 200,
    "empty": "",
    "history": [0.1, None, {"dH": 1e-300}],
    "counters": np.arange(3),
}


def fields():
    rng = np.random.default_rng(2)
    return {
        "links": SiteArray(rng.normal(size=(3, *SLAB.count, 2, 2)) + 0j, 1),
        "replicas": SiteArray(rng.normal(size=(5, 3, *SLAB.count, 8)), 2),
        "spins": SiteArray(rng.integers(-1, 2, SLAB.count).astype(np.int8)),
        "single": SiteArray(rng.normal(size=(*SLAB.count, 3)).astype(np.float32)),
    }


def test_fields_and_metadata_come_back(tmp_path):
    sums = write_fields(tmp_path / "f.h5", SLAB, fields(), METADATA)
    again, metadata = read_fields(tmp_path / "f.h5", SLAB)
    assert set(again) == set(fields()) == set(sums)
    for name, field in fields().items():
        assert again[name].leading == field.leading
        assert again[name].values.dtype == field.values.dtype
        assert again[name].values.shape == field.values.shape
        assert again[name].values.tobytes() == field.values.tobytes()
    assert metadata == {**METADATA, "counters": [0, 1, 2]}
    assert type(metadata["done"]) is bool and type(metadata["step"]) is int
    assert json.loads(json.dumps(metadata)) == metadata


def test_layout_is_as_documented(tmp_path):
    write_fields(tmp_path / "f.h5", SLAB, fields(), METADATA)
    with h5py.File(tmp_path / "f.h5") as file:
        links = file["fields/links"]
        assert links.shape == (6, 2, 4, 3, 2, 2) and links.chunks == (1, 2, 4, 3, 2, 2)
        assert (links[5, 1, 2, 0] == fields()["links"].values[0, 5, 1, 2]).all()
        assert file.attrs["dims"].tolist() == [4, 2, 6] and "code_version" in file.attrs
        assert file["metadata"].attrs["beta"] == 5.7


def test_some_fields_only(tmp_path):
    write_fields(tmp_path / "f.h5", SLAB, fields())
    again, metadata = read_fields(tmp_path / "f.h5", SLAB, ["spins"])
    assert list(again) == ["spins"] and metadata == {}
    with pytest.raises(LqcdError, match="no field 'spin'.*spins"):
        read_fields(tmp_path / "f.h5", SLAB, ["spin"])


def test_links_among_other_fields_are_a_configuration(tmp_path):
    write_fields(tmp_path / "f.h5", SLAB, fields(), METADATA)
    links, header = io.read_links(tmp_path / "f.h5")
    assert links.tobytes() == fields()["links"].values.tobytes() and header.shape == (4, 2, 6)
    write_fields(tmp_path / "g.h5", SLAB, {"spins": fields()["spins"]})
    with pytest.raises(LqcdError, match="no configuration"):
        io.read_links(tmp_path / "g.h5")


def test_damage_is_refused(tmp_path):
    write_fields(tmp_path / "f.h5", SLAB, fields(), METADATA)
    raw = (tmp_path / "f.h5").read_bytes()
    for part in (fields()["spins"].values[2].tobytes(), b"dH", b"beta = 5.7"):
        place = raw.index(part)
        (tmp_path / "bad.h5").write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(LqcdError, match="damaged"):
            read_fields(tmp_path / "bad.h5", SLAB)
    with pytest.raises(LqcdError, match="4x2x6"):
        read_fields(tmp_path / "f.h5", io.Slab.whole((4, 2, 8)))
    with pytest.raises(LqcdError, match="check the path"):
        read_fields(tmp_path / "none.h5", SLAB)


def test_hdf5_of_others_is_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(LqcdError, match="not written by lqcd_hpc"):
        io.read_links(tmp_path / "f.h5")


def test_a_field_of_the_wrong_shape_leaves_no_file(tmp_path):
    with pytest.raises(LqcdError, match="spins"):
        write_fields(tmp_path / "f.h5", SLAB, {"spins": SiteArray(np.zeros((2, 2, 2)))})
    assert os.listdir(tmp_path) == []
