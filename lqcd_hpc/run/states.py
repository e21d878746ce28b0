"""States of a target in a file: samples.h5 of a sampling run, and what trainings on samples read."""

from __future__ import annotations

import os
import zlib
from math import prod
from pathlib import Path

import numpy as np

from ..errors import LqcdError
from ..io.atomic import replacing, reserve
from ..io.container import open_file, own_dataset
from ..lattice import SerialCommunicator

NAME, PART = "samples.h5", "samples.raw"
NOTHING = (0, None, 0)
_OVERHEAD, _CHUNK = 1 << 16, 1 << 24


def read_states(path, target, precision):
    """A tensor of all states in a file.

    Raises `LqcdError` if there are none, or if they are of another shape than the target's.
    """
    from ..ml.training.tensors import tensor_of

    path, wanted = Path(path) / NAME if Path(path).is_dir() else Path(path), tuple(target.prior.shape)
    try:
        with open_file(path, "r") as file:
            states = own_dataset(path, file, "states")
            if states.shape[1:] != wanted or not states.size or states.dtype.kind not in "fc":
                raise LqcdError(f"it has states {states.dtype} of shape {states.shape[1:]}, the target {wanted}")
            values = states[...]
    except (OSError, LqcdError) as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error
        raise LqcdError(f"{path} holds no samples ({why}): sample with [output] keep = ... first") from None
    return tensor_of(values, precision)


class StateFile:
    """Keeps up to `keep` states in samples.h5, which appears under its name when it is whole.

    Until then their bytes are in samples.raw, of which `held` = (states, number type, crc32) are those of an earlier
    part of the run.
    """

    def __init__(self, directory, keep, shape, text, held=NOTHING):
        self._path, self._keep, self._shape, self._text = Path(directory) / NAME, keep, tuple(shape), text
        self.count, self.dtype, self._crc = held
        self._part = part_of(directory)
        self._file = open(self._part, "r+b" if self.count else "w+b")  # noqa: SIM115 (closed by close)
        self._file.truncate(self.count * self._bytes())
        self._file.seek(0, os.SEEK_END)

    def _bytes(self):
        """Of one state."""
        return prod(self._shape) * np.dtype(self.dtype).itemsize

    def add(self, values):
        """Append states (n, ...), as many as are still wanted."""
        values = np.ascontiguousarray(values[: self._keep - self.count])
        self.dtype = self.dtype or values.dtype.str
        text = values.tobytes()
        self._file.write(text)
        self._crc = zlib.crc32(text, self._crc)
        self.count += len(values)

    def sync(self):
        """Bring all states to the disk; returns what a later part of the run has to give as `held`."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.count, self.dtype, self._crc

    def publish(self):
        """Write samples.h5."""
        import h5py

        self.sync()
        states = np.memmap(self._part, self.dtype, "r", shape=(self.count, *self._shape))
        with replacing(self._path, SerialCommunicator()) as temporary:
            reserve(temporary, states.nbytes + _OVERHEAD)
            with h5py.File(temporary, "w") as file:
                file.attrs["run_toml"] = self._text
                file.create_dataset("states", data=states)

    def close(self):
        self._file.close()


def part_of(directory):
    """The file of states that are not published yet."""
    return Path(directory) / PART


def require_held(directory, shape, held):
    """Raise `LqcdError` unless samples.raw begins with the states that a checkpoint says it has."""
    count, dtype, crc = held
    left, found = count and count * prod(shape) * np.dtype(dtype).itemsize, 0
    path = part_of(directory)
    if left:
        with open(path, "rb") as file:
            while left and (text := file.read(min(left, _CHUNK))):
                found = zlib.crc32(text, found)
                left -= len(text)
    if left or found != crc:
        raise LqcdError(f"{path} is damaged: it does not hold the {count} states of the checkpoint")
