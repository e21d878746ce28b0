"""What the contract tests need to know of files in $LQCD_PATH: $LQCD_PATH/tests/FOLDER/KIND.py."""

import importlib.util
import os
from pathlib import Path

from lqcd_hpc import config


def modules(folder):
    """{kind: module} for a folder of the package, such as "actions" or "ml.flows"."""
    config.folder(folder)  # so that these modules can import what they are about
    places = filter(None, os.environ.get("LQCD_PATH", "").split(os.pathsep))
    files = [path for place in places for path in sorted(Path(place, "tests", *folder.split(".")).glob("*.py"))]
    return {path.stem: _load(path) for path in files}


def _load(path):
    spec = importlib.util.spec_from_file_location(f"own_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
