"""The descriptions of all files of lqcd_hpc/actions, with values for their required keys."""

import dataclasses
import importlib
from pathlib import Path

import own_files

from lqcd_hpc import config

SAMPLES = {"beta": 2.3, "terms": [("+x +y -x -y", 0.8), ("+x +y +y -x -y -y", -0.3), ("+x +y +x -y -x -x", 0.2)]}
SAMPLES |= {"m2": -1.3, "lam": 0.7, "eta": 3.1, "normalisation": "full", "components": 3}
SAMPLES |= {key: value for module in own_files.modules("actions").values() for key, value in module.SAMPLES.items()}
MORE = {"phi4": {"normalisation": "half"}, "sigma": {"components": 2}}  # tested too: other values of required keys


def descriptions():
    """name -> description, for all classes of all files, plus one for each default that is a number, and MORE."""
    found = {}
    for path in sorted(path for folder in config.folder("actions").__path__ for path in Path(folder).glob("*.py")):
        module = importlib.import_module(f"lqcd_hpc.actions.{path.stem}")
        for cls in vars(module).values():
            if _is_description(cls) and cls.__module__ == module.__name__:
                found |= _variants(path.stem, cls)
    return found


def of_gauge_fields():
    """Those whose field is made of links."""
    return {name: one for name, one in descriptions().items() if not hasattr(one, "field_kind")}


def of_scalars():
    """Those that know their kind of field."""
    return {name: one for name, one in descriptions().items() if hasattr(one, "field_kind")}


def _is_description(cls):
    return isinstance(cls, type) and dataclasses.is_dataclass(cls) and hasattr(cls, "on")


def _variants(name, cls):
    fields = dataclasses.fields(cls)
    required = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    assert set(required) <= set(SAMPLES), f"actions/{name}.py: give SAMPLES values for {required}"
    values = {key: SAMPLES[key] for key in required}
    numbers = {f.name: 1.7 * f.default for f in fields if isinstance(f.default, float)} | MORE.get(name, {})
    return {name: cls(**values)} | {f"{name}-{key}": cls(**values | {key: v}) for key, v in numbers.items()}
