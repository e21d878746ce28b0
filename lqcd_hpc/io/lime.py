"""LIME, the container of ILDG and SciDAC files: named records one after the other.

A record is a header of 144 bytes (big-endian: magic 0x456789ab, version 1, flags, length, name of 128 bytes)
and its data, filled up with zeros to a multiple of 8. Bit 15 of the flags begins a message, bit 14 ends it.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass

from ..errors import LqcdError
from .checksum import normalise

MAGIC = b"\x45\x67\x89\xab"
BEGIN, END = 0x8000, 0x4000
_HEAD = struct.Struct(">IHHQ128s")
_TEXT_LIMIT = 1 << 20


@dataclass(frozen=True)
class Record:
    """Name, place of the data in the file, length, and flags."""

    name: str
    offset: int
    length: int
    flags: int


def records(path):
    """All records of a file, reading their headers alone.

    Raises `LqcdError` if the file is cut inside a record or has bytes that belong to none.
    """
    size, found, position = os.path.getsize(path), [], 0
    with open(path, "rb") as file:
        while position < size:
            file.seek(position)
            record = _parse(path, file.read(_HEAD.size), position)
            if record.offset + record.length > size:
                raise LqcdError(
                    f"{path} is truncated: its record {record.name} needs {record.length} bytes from byte "
                    f"{record.offset} on but the file has {size} bytes; fetch it again"
                )
            found.append(record)
            position = record.offset + _padded(record.length)
    return found


def _parse(path, head, position):
    if len(head) < _HEAD.size:
        raise LqcdError(f"{path} is truncated or has trailing bytes: no whole LIME record at byte {position}")
    magic, version, flags, length, name = _HEAD.unpack(head)
    if magic != int.from_bytes(MAGIC, "big") or version != 1:
        raise LqcdError(f"{path} is damaged: no LIME record begins at byte {position}; fetch the file again")
    return Record(name.split(b"\0")[0].decode("latin-1"), position + _HEAD.size, length, flags)


def texts(path, found):
    """The text of every record that is short enough to be one, by name (the first of each name)."""
    result = {}
    with open(path, "rb") as file:
        for record in found:
            if record.length <= _TEXT_LIMIT and not record.name.endswith("binary-data"):
                file.seek(record.offset)
                text = file.read(record.length).rstrip(b"\0").decode("utf-8", "replace")
                result.setdefault(record.name, text)
    return result


def only(path, found, name):
    """The one record of that name; `LqcdError` if it is missing or there are several."""
    matching = [record for record in found if record.name == name]
    if len(matching) != 1:
        names = ", ".join(list(dict.fromkeys(record.name for record in found))[:20]) or "nothing"
        count = "no" if not matching else f"{len(matching)}"
        raise LqcdError(f"{path} has {count} record {name} where one is needed (it has {names}): export the file again")
    return matching[0]


def value(text, tag):
    """The text inside the first XML element of that name, or None.

    >>> value("<a><lx> 4 </lx></a>", "lx")
    '4'
    """
    begin = re.search(rf"<(?:\w{{1,32}}:)?{tag}(?:\s[^<>]*)?>", text)
    end = begin and re.compile(rf"</(?:\w{{1,32}}:)?{tag}\s{{0,32}}>").search(text, begin.end())
    return text[begin.end() : end.start()].strip() if end else None


def integers(path, text, tag):
    """The integers inside an XML element; `LqcdError` if it is missing or holds something else."""
    inside = value(text, tag)
    try:
        return tuple(int(word) for word in (inside or "none").split())
    except ValueError:
        raise LqcdError(f"{path} is damaged: <{tag}> should hold whole numbers but is {inside!r}") from None


def stored_checksum(path, text):
    """ "suma/sumb" of a scidac-checksum record, 8 hex digits each."""
    try:
        return "/".join(normalise(value(text, tag) or "none") for tag in ("suma", "sumb"))
    except ValueError:
        raise LqcdError(f"{path} is damaged: its scidac-checksum record is {text!r}") from None


def pack(name, data, flags):
    """Bytes of a record of text or bytes."""
    data = data.encode() if isinstance(data, str) else data
    return head(name, len(data), flags) + data + padding(len(data))


def head(name, length, flags):
    """Bytes of the header of a record whose `length` bytes of data are written elsewhere."""
    return _HEAD.pack(int.from_bytes(MAGIC, "big"), 1, flags, length, name.encode())


def padding(length):
    """The zeros that follow data of that length."""
    return bytes(_padded(length) - length)


def _padded(length):
    return (length + 7) // 8 * 8
