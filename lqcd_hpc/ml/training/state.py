"""Files of a training: tensors in safetensors with JSON beside them, whole or not there at all.

Checkpoints are single files `checkpoint_NNNNNNNN.safetensors`; a model is a directory with `model.safetensors` and
`card.json`. Both hold a checksum of their tensors. Called by one process.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ...errors import LqcdError
from ...io.atomic import replacing
from ...io.collective import os_message
from ...lattice import SerialCommunicator

KEEP = 2
LONGEST = 1 << 23  # bytes of a card
WEIGHTS, CARD = "model.safetensors", "card.json"
_NAME = re.compile(r"checkpoint_(\d{8})\.safetensors")


def write_checkpoint(directory, step, tensors, metadata):
    """Write the checkpoint after `step` steps, and remove all but this and the newest before it."""
    directory = Path(directory)
    _write(directory / f"checkpoint_{step:08d}.safetensors", tensors, metadata)
    steps = [one for one, _ in _found(directory) if one <= step][-KEEP:]
    for one, old in _found(directory):
        if one not in steps:
            old.unlink(missing_ok=True)


def read_newest(directory, check=lambda metadata: None):
    """(tensors, metadata, messages about damaged ones) of the newest checkpoint that is whole; None without any.

    `check(metadata)` raises `LqcdError` where what belongs to a checkpoint is damaged. Raises `LqcdError`, and leaves
    all files alone, if none can be used.
    """
    problems = []
    for _, path in _found(Path(directory))[::-1]:
        try:
            tensors, metadata = _read(path)
            check(metadata)
            return tensors, metadata, problems
        except LqcdError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(os_message(error))
    if problems:
        raise LqcdError(f"no checkpoint in {directory} can be read: {'; '.join(problems)}; remove them to start anew")
    return None


def write_model(directory, tensors, card):
    """Write a model and its card, which gets the checksum of the tensors."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    card = card | {"checksum": checksum(tensors)}
    _write(directory / WEIGHTS, tensors, {})
    with replacing(directory / CARD, SerialCommunicator()) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n")


def read_model(directory):
    """(tensors, card) of a model.

    Raises `LqcdError` if there is none, or if it is damaged.
    """
    directory = Path(directory)
    if not (directory / CARD).exists() and (directory / "model" / CARD).exists():
        directory = directory / "model"
    try:
        card = _read_card(directory / CARD)
        tensors, _ = _read(directory / WEIGHTS)
    except OSError as error:
        raise LqcdError(
            f"{directory} is no trained model ({Path(error.filename or WEIGHTS).name}: {error.strerror}); give the "
            "directory `model` that a training leaves"
        ) from None
    if card.get("checksum") != checksum(tensors):
        raise LqcdError(f"{directory}: card and weights are of different models: train again, or fetch both again")
    return tensors, card


def _read_card(path):
    with open(path, "rb") as file:
        text = file.read(LONGEST + 1)
    try:
        card = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError) as error:
        raise LqcdError(f"{path} is damaged ({error}): train again, or fetch it again") from None
    if not isinstance(card, dict):
        raise LqcdError(f"{path} is no card of a model: train again, or fetch it again")
    return card


def checksum(tensors, text=""):
    """SHA-256 of names, types, shapes and values, in order of the names, and of a text."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()


def _write(path, tensors, metadata):
    kept = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    header = {"lqcd_hpc": json.dumps(metadata | {"checksum": checksum(kept, json.dumps(metadata))})}
    with replacing(path, SerialCommunicator()) as temporary:
        try:
            save_file(kept, temporary, header)
        except SafetensorError as error:
            raise OSError(28, f"cannot be written ({error})", str(path)) from None
        _read(temporary)


def _read(path):
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {})["lqcd_hpc"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iteration)
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise LqcdError(f"{path} is damaged: {error}") from None
    stored = metadata.pop("checksum", None) if isinstance(metadata, dict) else None
    # models of before version 0.1 hold the checksum of their tensors alone
    if stored not in (checksum(tensors, json.dumps(metadata)), checksum(tensors)):
        raise LqcdError(f"{path} is damaged: its content does not have its checksum")
    return tensors, metadata


def _found(directory):
    paths = directory.glob("checkpoint_*.safetensors")
    return sorted((int(match[1]), path) for path in paths if (match := _NAME.fullmatch(path.name)))
