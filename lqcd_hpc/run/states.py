"""States of a target in a file: samples.h5 of a sampling run, and what trainings on samples read."""

from __future__ import annotations

import os
from pathlib import Path

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
    """Keeps up to `keep` states in samples.h5, which appears under its name when it is whole."""

    def __init__(self, directory, keep, shape, text):
        import h5py

        self._path, self._left = Path(directory) / NAME, keep
        self._file = h5py.File(self._path.with_suffix(".part"), "w")
        self._file.attrs["run_toml"] = text
        self._shape, self._data = tuple(shape), None

    def add(self, values):
        """Append states (n, ...), as many as are still wanted."""
        values = values[: self._left]
        if not len(values):
            return
        if self._data is None:
            options = {"maxshape": (None, *self._shape), "dtype": values.dtype, "chunks": (64, *self._shape)}
            self._data = self._file.create_dataset("states", (0, *self._shape), **options)
        self._data.resize(len(self._data) + len(values), axis=0)
        self._data[-len(values) :] = values
        self._left -= len(values)

    def close(self):
        """Publish the file."""
        self._file.close()
        os.replace(self._path.with_suffix(".part"), self._path)
