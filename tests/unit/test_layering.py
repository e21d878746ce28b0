"""Who may import whom: rightwards along LAYERS, inside functions too, and never round in a circle."""

import sys

import pytest
from source_tree import Module, modules

LAYERS = ["cli", "jobs", "run", "config", "ml", "measurements", "sources", "sampling", "actions", "solvers"]
LAYERS += ["operators", "smearing", "paths", "io", "fields", "lattice", "backend"]
EVERYWHERE = {"errors", "version", "description"}
MAY_IMPORT_ANALYSIS = {"cli", "jobs", "run", "ml"}
ANALYSIS_LIBRARIES = {"numpy", "scipy", "pyerrors", "matplotlib", "h5py", "jinja2"}
ONLY_IN = {
    "mpi4py": ("lattice.communicator",),
    "cupy": ("backend.cuda", "ml.bridge"),
    "torch": ("ml",),
}


def wrong_imports(module):
    """What a module imports against the rules, one line each."""
    faults = [f"{module.name} imports {name}" for name in module.own_imports if not _allowed(module, name)]
    for library, places in ONLY_IN.items():
        if library in module.foreign_imports and not module.is_within(*places):
            faults.append(f"{module.name} imports {library}: only {' and '.join(places)} may")
    if module.folder == "analysis":
        foreign = module.foreign_imports - ANALYSIS_LIBRARIES - sys.stdlib_module_names
        faults += [f"{module.name} imports {name}" for name in sorted(foreign)]
    return faults


def _allowed(module, name):
    source, target = module.folder, name.split(".")[0]
    if target in EVERYWHERE or target == source:
        return True
    if source == "__main__":
        return target == "cli"
    if target == "analysis":
        return source in MAY_IMPORT_ANALYSIS
    return source in LAYERS and target in LAYERS and LAYERS.index(source) < LAYERS.index(target)


def cycles(all_modules):
    """Modules that import each other in a circle, as lists of names."""
    known = {module.name for module in all_modules}
    graph = {one.name: {_module_of(name, known) for name in one.own_imports} for one in all_modules}
    found, done = [], set()

    def visit(name, trail):
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
        elif name not in done:
            for target in sorted(graph.get(name, ())):
                visit(target, [*trail, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return found


def _module_of(name, known):
    """The module that holds an imported name: itself, or the one it is an attribute of."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name or "lqcd_hpc")
def test_module_imports_only_what_its_layer_may(module):
    assert not wrong_imports(module)


def test_every_folder_of_the_package_has_a_layer():
    known = {*LAYERS, *EVERYWHERE, "analysis", "", "__main__"}
    assert {module.folder for module in modules()} <= known


def test_no_modules_import_each_other_in_a_circle():
    assert not cycles(modules())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fields.launch", "from ..io import ildg"),
        ("fields.launch", "def f():\n    import lqcd_hpc.actions.wilson"),
        ("fields.launch", "from lqcd_hpc import actions"),
        ("fields.launch", "import importlib\ndef f(): importlib.import_module('lqcd_hpc.run')"),
        ("lattice.halo", "from mpi4py import MPI"),
        ("operators.wilson", "def f():\n    import cupy as cp"),
        ("measurements.flow", "import torch.nn"),
        ("measurements.flow", "from ..analysis import errors"),
        ("analysis.fits", "from ..fields import Field"),
        ("analysis.fits", "import mpi4py"),
        ("analysis.fits", "import rich"),
        ("backend.cpu", "import lqcd_hpc"),
        ("errors", "from .lattice import Lattice"),
    ],
)
def test_a_planted_import_is_noticed(name, text):
    assert wrong_imports(Module(name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fields.launch", "from ..lattice.halo import Halo\nfrom ..errors import LqcdError"),
        ("fields.launch", "from . import kinds"),
        ("fields.launch", "if TYPE_CHECKING:\n    from ..io import ildg"),
        ("lattice.communicator", "def f():\n    from mpi4py import MPI"),
        ("ml.flows.spline", "import torch\nfrom ...actions.wilson import Wilson"),
        ("ml.flows.spline", "from ...analysis import errors"),
        ("cli.inspect", "from ..io import sniff\nfrom ..version import __version__"),
    ],
)
def test_a_rightful_import_passes(name, text):
    assert not wrong_imports(Module(name, text))


def test_a_planted_circle_is_noticed():
    first = Module("io.ildg", "from .lime import read")
    second = Module("io.lime", "def f():\n    from lqcd_hpc.io import ildg")
    folder = Module("io", "from .ildg import read", is_package=True)
    assert cycles([folder, first, second]) == [["io.ildg", "io.lime", "io.ildg"]]
    assert not cycles([folder, first, Module("io.lime", "from ..errors import LqcdError")])
