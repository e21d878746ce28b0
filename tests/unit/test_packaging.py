"""What is installed is what the tree holds: data files, declared libraries, versions, targets of make."""

import configparser
import re
import sys
from importlib import metadata

import pytest
from source_tree import PACKAGE, modules

ROOT = PACKAGE.parent
DISTRIBUTION_OF = {"cupy": "cupy-cuda13x"}


@pytest.fixture(scope="module")
def setup():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    return config


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements):
    """Canonical names of a list of requirements, one per line."""
    lines = (line.strip() for line in requirements.splitlines())
    return {canonical(re.match(r"[\w.-]+", line)[0]) for line in lines if line and not line.startswith("#")}


def pinned():
    """{canonical name: version} of constraints.txt."""
    text = (ROOT / "constraints.txt").read_text()
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)$", text, re.M)}


def test_every_line_of_the_constraints_is_an_exact_version():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == len(pinned())


def test_every_data_file_of_the_package_is_installed(setup):
    globs = setup["options.package_data"]["lqcd_hpc"].split()
    installed = {path for glob in globs for path in PACKAGE.glob(glob)}
    data = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert not data - installed


def test_every_library_that_is_imported_is_declared(setup):
    declared = names(setup["options"]["install_requires"])
    declared |= {name for extra in setup["options.extras_require"].values() for name in names(extra)}
    standard = sys.stdlib_module_names
    foreign = {name for module in modules() for name in module.foreign_imports} - standard
    assert not {canonical(DISTRIBUTION_OF.get(name, name)) for name in foreign} - declared


def test_every_requirement_is_pinned(setup):
    wanted = names(setup["options"]["install_requires"])
    wanted |= {name for extra in setup["options.extras_require"].values() for name in names(extra)}
    assert not wanted - set(pinned())


def test_what_the_core_brings_with_it_is_pinned(setup):
    """Follows the requirements of the installed core, mpi and test libraries to their end."""
    extras = setup["options.extras_require"]
    waiting = names(setup["options"]["install_requires"]) | names(extras["mpi"]) | names(extras["test"])
    seen = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= {canonical(one) for one in _requirements(name)} - seen
    assert not seen - set(pinned())


def test_environment_yml_names_the_core_and_what_learning_needs(setup):
    text = (ROOT / "environment.yml").read_text().replace("matplotlib-base", "matplotlib")
    listed = {canonical(name) for name in re.findall(r"^ +- ([\w-]+)", text, re.M)}
    assert names(setup["options"]["install_requires"]) | names(setup["options.extras_require"]["ml"]) <= listed


def test_every_make_target_in_the_documentation_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"`?make ([a-z-]+)`", page.read_text())}
    assert named and named <= targets


def _requirements(name):
    """The libraries that an installed one needs here, extras left out; none where it is not installed."""
    from packaging.requirements import Requirement

    try:
        wanted = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    requirements = map(Requirement, wanted)
    return [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
