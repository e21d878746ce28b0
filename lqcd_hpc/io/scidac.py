"""SciDAC (QIO) configurations: LIME with scidac-binary-data, in any number of dimensions, and its checksum
record.

Links are stored as `datacount` = d colour matrices per site, big-endian, in the order of ILDG. The opening
records and the checksum are shared with `ildg.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import prod

import numpy as np

from ..errors import LqcdError
from . import checksum, lime, sites
from .header import BYTES, Header, agree_on_shape, require_size

FORMAT = "scidac"
_DATA = "scidac-binary-data"
_LETTER = {"single": "F", "double": "D"}
_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_FILE, _RECORD = "scidac-private-file-xml", "scidac-private-record-xml"


def matches(path, head):
    """The file is LIME without a record of ILDG."""
    if not head.startswith(lime.MAGIC):
        return False
    names = {record.name for record in lime.records(path)}
    return not names & {"ildg-binary-data", "ildg-format"}


def header(path, shape=None):
    """Header of a SciDAC gauge file; metadata["lime"] holds the text of its records."""
    found = lime.records(path)
    texts = lime.texts(path, found)
    data = lime.only(path, found, _DATA)
    for name in (_FILE, _RECORD, "scidac-checksum"):
        lime.only(path, found, name)
    shape = agree_on_shape(path, lime.integers(path, texts[_FILE], "dims"), shape)
    if lime.value(texts[_FILE], "volfmt") not in (None, "0"):
        raise LqcdError(f"{path} is one part of a multi-file set: join it into a single file with the QIO tools")
    nc, precision = _kind(path, texts[_RECORD], len(shape))
    expected = prod(shape) * len(shape) * nc * nc * 2 * BYTES[precision]
    require_size(path, expected, data.length, f"its record {_DATA}")
    return Header(
        FORMAT, shape, nc, precision, read_checksum(path, texts), offset=data.offset, metadata={"lime": texts}
    )


def _kind(path, text, ndim):
    """Colours and precision from the record XML, which must describe one link per direction."""
    nc, count, size = (lime.integers(path, text, tag) for tag in ("colors", "datacount", "typesize"))
    letter = lime.value(text, "precision")
    precision = {"F": "single", "D": "double"}.get(letter)
    if precision is None or len(nc) != 1 or nc[0] < 1:
        raise LqcdError(f"{path}: precision {letter!r} with colours {nc} cannot be read, only F and D")
    if count != (ndim,) or size != (nc[0] ** 2 * 2 * BYTES[precision],):
        datatype = lime.value(text, "datatype")
        raise LqcdError(f"{path} holds {count} objects {datatype} of {size} bytes a site: these are not gauge links")
    return nc[0], precision


def read(path, header, slab):
    """This rank's links, and their SciDAC checksum."""
    number = np.dtype(f">c{2 * BYTES[header.precision]}")
    size = slab.ndim * header.nc**2 * number.itemsize
    records = sites.read_records(path, header.offset, size, slab)
    return sites.decode(records, number, header.nc), checksum.scidac(sites.flat(records), slab)


def write(path, links, slab, precision, metadata):
    """Write 2 to 4 dimensions; `metadata["lime"]` gives the user texts. Returns the checksum."""
    records = sites.encode(links, f">c{2 * BYTES[precision]}")
    about = opening(metadata.get("lime", {}), slab, links.shape[-1], precision, records.shape[-1])
    return write_framed(path, about, _DATA, records, slab)


def read_checksum(path, texts):
    """The stored checksum; None only for files not written by QIO, which always writes one."""
    if "scidac-checksum" in texts:
        return lime.stored_checksum(path, texts["scidac-checksum"])
    if _RECORD in texts:
        raise LqcdError(f"{path} has no scidac-checksum record though QIO wrote it: it was cut off; fetch it again")
    return None


def opening(texts, slab, nc, precision, size):
    """The records before the data: file and record descriptions of QIO, with the user texts of `texts`."""
    dims = " ".join(map(str, slab.shape))
    letter = _LETTER[precision]
    file = (
        f"{_XML}<scidacFile><version>1.1</version><spacetime>{slab.ndim}</spacetime><dims>{dims} </dims>"
        "<volfmt>0</volfmt></scidacFile>"
    )
    record = (
        f"{_XML}<scidacRecord><version>1.1</version><date>{_date(texts)}</date><recordtype>0</recordtype>"
        f"<datatype>QDP_{letter}{nc}_ColorMatrix</datatype><precision>{letter}</precision><colors>{nc}</colors>"
        f"<typesize>{size // slab.ndim}</typesize><datacount>{slab.ndim}</datacount></scidacRecord>"
    )
    return [
        lime.pack(_FILE, file, lime.BEGIN),
        lime.pack("scidac-file-xml", texts.get("scidac-file-xml", "<title>gauge configuration</title>"), lime.END),
        lime.pack(_RECORD, record, lime.BEGIN),
        lime.pack("scidac-record-xml", texts.get("scidac-record-xml", "<title>gauge links</title>"), 0),
    ]


def _date(texts):
    """The date of the file that was read, else now."""
    stored = lime.value(texts.get(_RECORD, ""), "date")
    return stored or datetime.now(UTC).strftime("%a %b %d %H:%M:%S %Y UTC")


def write_framed(path, about, name, records, slab):
    """Write the records `about`, the data under `name`, and the SciDAC checksum, which is returned."""
    length = slab.volume * records.shape[-1]
    computed = checksum.scidac(sites.flat(records), slab)
    a, b = computed.split("/")
    text = f"{_XML}<scidacChecksum><version>1.0</version><suma>{a}</suma><sumb>{b}</sumb></scidacChecksum>"
    before = b"".join(about) + lime.head(name, length, 0)
    after = lime.padding(length) + lime.pack("scidac-checksum", text, lime.END)
    sites.write_records(path, before, records, after, slab)
    return computed
