"""The package as trees of syntax: its modules, what they import, what they run when they are imported."""

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "lqcd_hpc"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Module:
    """One source file: its dotted `name` below lqcd_hpc ("" for the package itself) and its text."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self):
        """The syntax tree."""
        return ast.parse(self.text, self.name)

    @property
    def folder(self):
        """The first part of the name, which is its layer."""
        return self.name.split(".")[0]

    def is_within(self, *places):
        """Whether it is one of these modules or folders, or lies in one."""
        return any(f"{self.name}.".startswith(f"{place}.") for place in places)

    @cached_property
    def imports(self):
        """Absolute dotted names of everything it imports, inside functions too, but not for type checkers."""
        return [name for node in _walk_without_typing(self.tree) for name in self._names(node)]

    @property
    def own_imports(self):
        """What it imports of this package, as dotted names below lqcd_hpc."""
        return [name.partition(".")[2] for name in self.imports if name.split(".")[0] == "lqcd_hpc"]

    @property
    def foreign_imports(self):
        """The outer packages that it imports."""
        return {name.split(".")[0] for name in self.imports} - {"lqcd_hpc"}

    def _names(self, node):
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            origin = self._absolute(node.module or "", node.level)
            return [f"{origin}.{alias.name}" for alias in node.names]
        if isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant):
                dots = len(name.value) - len(name.value.lstrip("."))
                return [self._absolute(name.value.lstrip("."), dots)]
        return []

    def _absolute(self, name, dots):
        if dots == 0:
            return name
        path = ["lqcd_hpc", *self.name.split(".")] if self.name else ["lqcd_hpc"]
        path = path[: len(path) - dots + self.is_package]
        return ".".join([*path, name]) if name else ".".join(path)


def modules():
    """All modules of the package."""
    return [_read(path) for path in sorted(PACKAGE.rglob("*.py"))]


def _read(path):
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path.read_text(), is_package)


def nodes_run_at_import(tree):
    """Every node outside function bodies (decorators and defaults do run) and outside a __main__ guard."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _FUNCTIONS):
            arguments = node.args
            waiting += [default for default in [*arguments.defaults, *arguments.kw_defaults] if default]
            waiting += getattr(node, "decorator_list", [])
        elif not (isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)):
            waiting += ast.iter_child_nodes(node)


def _walk_without_typing(tree):
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
