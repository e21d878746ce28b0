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
    """The records of a journal up to the first one that is not whole."""
    records = []
    with open(path, "rb") as file:
        for raw in file:
            checksum, _, text = raw.rstrip(b"\n").partition(b" ")
            if not raw.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
                break
            records.append(json.loads(text))
    return records
