"""ILDG configurations: LIME records ildg-format (XML) and ildg-binary-data, big-endian, single or double
precision.

Read with or without a SciDAC checksum, and (early files) without ildg-format if the shape is given; the
number of colours follows from the size of the data. Written with the SciDAC records around it that other
codes expect.
"""

from __future__ import annotations

from math import isqrt, prod

from ..errors import LqcdError
from . import lime, scidac, sites
from .header import BYTES, Header, agree_on_shape, require_shape

FORMAT = "ildg"
_DATA = "ildg-binary-data"
_SCHEMA = (
    'xmlns="http://www.lqcd.org/ildg" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.lqcd.org/ildg/filefmt.xsd"'
)


def matches(path, head):
    """The file is LIME and has a record of ILDG."""
    if not head.startswith(lime.MAGIC):
        return False
    names = {record.name for record in lime.records(path)}
    return bool(names & {_DATA, "ildg-format"})


def header(path, shape=None):
    """Header of an ILDG file; metadata["lime"] holds the text of its records."""
    found = lime.records(path)
    texts = lime.texts(path, found)
    data = lime.only(path, found, _DATA)
    stored = _stored_shape(path, texts)
    shape = agree_on_shape(path, stored, shape) if stored else require_shape(path, shape, "has no ildg-format record")
    nc, precision = _number_and_precision(path, data.length, shape)
    _check_format(path, texts.get("ildg-format"), nc, precision)
    crc = scidac.read_checksum(path, texts)
    return Header(FORMAT, shape, nc, precision, crc, offset=data.offset, metadata={"lime": texts})


def _stored_shape(path, texts):
    """Extents in ildg-format, which must agree with <dims> of the SciDAC record where there is one."""
    if "ildg-format" not in texts:
        return None
    shape = tuple(lime.integers(path, texts["ildg-format"], tag) for tag in ("lx", "ly", "lz", "lt"))
    shape = tuple(n for extent in shape for n in extent)
    if len(shape) != 4 or min(shape) < 1:
        raise LqcdError(f"{path} is damaged: its ildg-format record gives the extents {shape}")
    file_xml = texts.get("scidac-private-file-xml", "")
    if lime.value(file_xml, "dims"):
        agree_on_shape(path, shape, lime.integers(path, file_xml, "dims"))
    return shape


def _number_and_precision(path, length, shape):
    """Colours and precision that fit: a link is 8 Nc^2 bytes in single precision, 16 Nc^2 in double."""
    links = 4 * prod(shape)
    for precision, size in BYTES.items():
        nc = isqrt(length // (links * 2 * size))
        if nc > 0 and nc * nc * links * 2 * size == length:
            return nc, precision
    raise LqcdError(
        f"{path}: {length} bytes of links do not fit a lattice {shape} for any number of colours; "
        "check the shape, or fetch the file again"
    )


def _check_format(path, text, nc, precision):
    if text is None:
        return
    bits, field = lime.integers(path, text, "precision"), lime.value(text, "field") or ""
    if bits != (8 * BYTES[precision],):
        raise LqcdError(f"{path} says precision {bits} but its data are in {precision}: wrong shape or damaged file")
    if field not in (_field(nc), f"su{nc}gauge"):
        raise LqcdError(f"{path} says it holds {field!r} but its data are of {_field(nc)}: wrong or damaged file")


def read(path, header, slab):
    """This rank's links, and their SciDAC checksum."""
    return scidac.read(path, header, slab)


def write(path, links, slab, precision, metadata):
    """Write either precision; `metadata["lime"]` gives the user texts. Returns the checksum."""
    if slab.ndim != 4:
        raise LqcdError(f"ILDG files hold 4 dimensions, not {slab.ndim}: write hdf5 or scidac")
    nc = links.shape[-1]
    texts = metadata.get("lime", {})
    records = sites.encode(links, f">c{2 * BYTES[precision]}")
    about = scidac.opening(texts, slab, nc, precision, records.shape[-1])
    about.append(lime.pack("ildg-format", _format_xml(slab, nc, precision), 0))
    about += [lime.pack(name, texts[name], 0) for name in ("xlf-info", "ildg-data-lfn") if name in texts]
    return scidac.write_framed(path, about, _DATA, records, slab)


def _format_xml(slab, nc, precision):
    """Text of the ildg-format record."""
    extents = "".join(f"<l{name}>{n}</l{name}>" for name, n in zip("xyzt", slab.shape))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ildgFormat {_SCHEMA}><version>1.0</version>'
        f"<field>{_field(nc)}</field><precision>{8 * BYTES[precision]}</precision>{extents}</ildgFormat>"
    )


def _field(nc):
    return "u1gauge" if nc == 1 else f"su{nc}gauge"
