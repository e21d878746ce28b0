"""The journal of a run: one self-checksummed line per record, cut back to the last checkpoint on resume.

A line is `crc32 JSON`; JSON numbers are written so that they read back to the same bits. Only rank 0 has a file.
"""

from __future__ import annotations

import json
import os
import zlib

import numpy as np

from ..errors import LqcdError

NAME = "journal.jsonl"


class Journal:
    """Appends records to a file on rank 0; other ranks do nothing."""

    def __init__(self, path, active, length=0):
        """Open the journal and cut it to `length` bytes."""
        self.path, self._file = path, None
        if active:
            self._file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115 (closed by close)
            if self._file.seek(0, os.SEEK_END) < length:
                raise LqcdError(
                    f"{path} is shorter than its checkpoint says: it was changed by hand; restore it or start anew"
                )
            self._file.truncate(length)
            self._file.seek(length)

    def append(self, step, name, values):
        """Note values (numbers or arrays) of a measurement after `step` updates."""
        if self._file:
            self._file.write(line({"step": step, "name": name, "values": plain(values)}))

    def sync(self):
        """Bring all records to the disk; returns the length of the file."""
        if not self._file:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self):
        if self._file:
            self._file.close()


def line(record):
    """The bytes of a record."""
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def plain(values):
    """Numbers and lists of numbers, for JSON."""
    return {
        key: value.tolist() if isinstance(value, np.ndarray | np.generic) else value for key, value in values.items()
    }


def read(path):
    """The records of a journal up to the end of the last whole one.

    A record that a killed job left half written ends it. Raises `LqcdError` if whole records follow a broken one: that
    is damage.
    """
    records, broken = [], None
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            if not _is_whole(raw):
                broken = broken or number
            elif broken:
                raise LqcdError(
                    f"{path} is damaged in line {broken}: restore it; or keep the lines before (head -n {broken - 1}), "
                    "remove the checkpoints if there are any, and start again to make anew what follows"
                )
            else:
                records.append(_record(path, number, raw[9:]))
    return records


def _record(path, number, text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LqcdError(f"{path} holds no record in line {number} ({error}): restore it") from None


def require_whole(path, length):
    """Raise `LqcdError` unless the first `length` bytes of a journal are whole records."""
    position = 0
    if length:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                position += len(raw)
                if not _is_whole(raw):
                    raise LqcdError(f"{path} is damaged in line {number}")
                if position >= length:
                    break
    if position != length:
        raise LqcdError(f"{path} has no record that ends at byte {length}")


def _is_whole(raw):
    """Whether a line has its end and its checksum."""
    checksum, _, text = raw[:-1].partition(b" ")
    return raw.endswith(b"\n") and checksum == b"%08x" % zlib.crc32(text)
