"""From the card and weights of a trained preconditioner to its network."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from ...errors import LqcdError
from ...fields.kinds import group_name
from ..training.state import read_model
from ..training.transfer import transfer
from .gammas import BASIS

SHIPPED = Path(__file__).parent / "weights"


def architecture(table, U):
    """What a card says of a preconditioner for gauge fields like U."""
    return {"preconditioner": table, "group": group_name(U.kind.nc), "dimensions": U.lattice.ndim, "gammas": BASIS}


def place_of(model):
    """The directory of a model: as it is given, or among the shipped ones."""
    path, name = Path(model), Path(model).name
    return SHIPPED / name if name == str(model) and not path.exists() and (SHIPPED / name).is_dir() else path


def load(model, D):
    """The trained network of a directory, or of a name among the shipped ones, for an operator.

    Raises `LqcdError` if it is damaged, of another group, dimension or gamma basis than D, or if it belongs to another
    lattice or gauge field.
    """
    path = place_of(model)
    tensors, card = read_model(path)
    if "preconditioner" not in card:
        raise LqcdError(f"{path} is a model of something else: a preconditioner's card has a table `preconditioner`")
    here = architecture(card["preconditioner"], D.U)
    _require_same(model, card, {name: here[name] for name in ("group", "dimensions", "gammas")})
    description = description_of(card["preconditioner"])
    if "belongs_to" in card:
        _require_same(model, card["belongs_to"], {"lattice": "x".join(map(str, D.lattice.shape))})
    network = description.on(D)
    transfer(network, tensors, path)
    if hasattr(network, "check"):
        network.check(D, model)
    return network


def start_from(network, model, D):
    """Give a network for D the weights of a model, of another mass or gauge field or (if it has no matrices of blocks)
    volume.

    Raises `LqcdError` if these do not fit.
    """
    path = place_of(model)
    tensors, card = read_model(path)
    if hasattr(network, "identity"):
        _require_same(model, card.get("belongs_to", {}), network.identity(D))
    transfer(network, tensors, path)


def _require_same(model, card, here):
    for name, value in here.items():
        if card.get(name, value) != value:
            raise LqcdError(f"the model {model} was trained for {name} = {card[name]}, this operator has {value}")


def description_of(table, folder=__package__):
    """The description of a [preconditioner] table; what its key `solver` holds is one of lqcd_hpc/solvers.

    Raises `LqcdError` for a kind that is unknown, or that is named by a path to somewhere else.
    """
    inner = {"solver": __package__.replace("ml.preconditioners", "solvers")}
    table = {
        key: description_of(value, inner.get(key, folder)) if isinstance(value, dict) and "kind" in value else value
        for key, value in table.items()
    }
    kind = table.pop("kind")
    name = f"{folder}.{kind}"
    if not re.fullmatch("[a-z0-9_]+", str(kind)) or not find_spec(name):
        raise LqcdError(f"a preconditioner of kind {kind!r} is unknown to this version: update lqcd_hpc")
    for cls in vars(import_module(name)).values():
        if isinstance(cls, type) and cls.__module__ == name and hasattr(cls, "__pydantic_fields__"):
            return cls(**table)
    raise LqcdError(f"a preconditioner of kind {kind!r} is unknown to this version: update lqcd_hpc")
