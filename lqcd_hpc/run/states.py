"""States of a target in a file: samples.h5 of a sampling run, and what trainings on samples read."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path

import numpy as np

from ..errors import LqcdError

NAME = "samples.h5"


def read_states(path, target, precision):
    """A tensor of all states in a file.

    Raises `LqcdError` if there are none, or if they are of another shape than the target's.
    """
    import h5py

    from ..ml.training.tensors import tensor_of

    path = Path(path) / NAME if Path(path).is_dir() else Path(path)
    try:
        with h5py.File(path, "r") as file:
            values = file["states"][...]
    except (OSError, KeyError) as error:
        why = "no such file" if isinstance(error, FileNotFoundError) else error
        raise LqcdError(f"{path} holds no samples ({why}): sample with [output] keep = ... first") from None
    if values.shape[1:] != tuple(target.prior.shape) or not len(values):
        raise LqcdError(f"{path} holds states of shape {values.shape[1:]}, the target has {tuple(target.prior.shape)}")
    return tensor_of(values, precision)


class StateFile:
    """Keeps up to `keep` states in samples.h5, which appears under its name when it is whole.

    Until then their bytes are in samples.part, of which `held` = (states, number type) are those of an earlier part of
    the run.
    """

    def __init__(self, directory, keep, shape, text, held=(0, None)):
        self._path, self._keep, self._shape, self._text = Path(directory) / NAME, keep, tuple(shape), text
        self.count, self.dtype = held
        self._part = self._path.with_suffix(".part")
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
        self._file.write(values.tobytes())
        self.count += len(values)

    def sync(self):
        """Bring all states to the disk; returns what a later part of the run has to give as `held`."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.count, self.dtype

    def publish(self):
        """Write samples.h5."""
        import h5py

        self._file.flush()
        states = np.memmap(self._part, self.dtype, "r", shape=(self.count, *self._shape))
        whole = self._path.with_suffix(".whole")
        with h5py.File(whole, "w") as file:
            file.attrs["run_toml"] = self._text
            file.create_dataset("states", data=states)
        os.replace(whole, self._path)

    def close(self):
        self._file.close()
