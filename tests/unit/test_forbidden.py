"""What must not exist in the package: drawers for odds and ends, pickle, code out of files, questions about the
processor outside backend, and the environment or the command line read at import."""

import ast
from pathlib import Path

import pytest
from source_tree import PACKAGE, Module, modules, nodes_run_at_import

DRAWERS = {"utils", "util", "helpers", "helper", "misc", "common"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
RUNS_DATA = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "builtins.eval", "builtins.exec"}
RUNS_DATA |= {"torch.load", "np.load", "numpy.load", "np.loadtxt", "torch.jit.load", "torch.hub.load", "runpy.run_path"}
PROCESSORS = {"cpu", "gpu", "cuda"}
MAY_ASK_FOR_THE_PROCESSOR = ("backend", "ml.bridge")
READS_SURROUNDINGS = {"os.environ", "os.environb", "os.getenv", "sys.argv", "environ", "getenv", "argv"}


def pickle_uses(module):
    """Lines that import a pickle or ask numpy or torch to load one."""
    faults = [f"imports {name}" for name in sorted(module.foreign_imports & PICKLES)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.keyword) and (
            (node.arg == "allow_pickle" and _value(node.value) is not False)
            or (node.arg == "weights_only" and _value(node.value) is not True)
        ):
            faults.append(f"line {node.value.lineno}: {ast.unparse(node)}")
    return faults


def code_from_data(module):
    """Lines that could run what a file says: eval, exec, shells, loaders that make objects, and yaml."""
    faults = [f"imports {name}" for name in sorted(module.foreign_imports & {"yaml", "imp", "code"})]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in RUNS_DATA:
            faults.append(f"line {node.lineno}: {ast.unparse(node.func)}")
        if isinstance(node, ast.keyword) and node.arg == "shell" and _value(node.value) is not False:
            faults.append(f"line {node.value.lineno}: shell=")
    return faults


def processor_questions(module):
    """Lines that compare something with the name of a processor."""
    if module.is_within(*MAY_ASK_FOR_THE_PROCESSOR):
        return []
    asked = [node for node in ast.walk(module.tree) if isinstance(node, ast.Compare | ast.MatchValue)]
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in asked
        if any(_value(part) in PROCESSORS for part in ast.walk(node))
    ]


def surroundings_read_at_import(module):
    """Lines that read the environment or the arguments while the module is imported."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in nodes_run_at_import(module.tree)
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in READS_SURROUNDINGS
    ]


def _value(node):
    return node.value if isinstance(node, ast.Constant) else None


RULES = [pickle_uses, code_from_data, processor_questions, surroundings_read_at_import]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_is_free_of(rule):
    assert not {module.name: faults for module in modules() if (faults := rule(module))}


def test_no_file_is_a_drawer_for_odds_and_ends():
    files = [*PACKAGE.rglob("*"), *Path(__file__).parents[1].rglob("*.py")]
    assert not [path for path in files if path.stem in DRAWERS]


def test_every_folder_with_python_files_is_a_package():
    assert not [path for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").exists()]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (pickle_uses, "def f():\n    import pickle"),
        (pickle_uses, "from joblib import load"),
        (pickle_uses, "np.load(path, allow_pickle=True)"),
        (pickle_uses, "torch.load(path, weights_only=False)"),
        (code_from_data, "def f(text):\n    return eval(text)"),
        (code_from_data, "torch.load(path)"),
        (code_from_data, "np.load(path)"),
        (code_from_data, "import yaml"),
        (code_from_data, "subprocess.run(words, shell=True)"),
        (code_from_data, "os.system(text)"),
        (processor_questions, "if backend == 'cuda': pass"),
        (processor_questions, "x = 'cpu' != self.backend.name"),
        (processor_questions, "x = device in ('cuda', 'other')"),
        (processor_questions, "match device:\n    case 'gpu': pass"),
        (surroundings_read_at_import, "import os\nTHREADS = int(os.environ.get('N', 1))"),
        (surroundings_read_at_import, "import os\nclass A:\n    x = os.getenv('N')"),
        (surroundings_read_at_import, "import os\ndef f(x=os.environ['N']): pass"),
        (surroundings_read_at_import, "from sys import argv\nif argv: pass"),
    ],
)
def test_a_planted_fault_is_noticed(rule, text):
    assert rule(Module("fields.launch", text))


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (pickle_uses, "np.load(path, allow_pickle=False)"),
        (code_from_data, "flow.eval()"),
        (code_from_data, "re.compile(text)"),
        (processor_questions, "device = Device('cpu')"),
        (surroundings_read_at_import, "import os\ndef f():\n    return os.environ.get('N')"),
        (surroundings_read_at_import, "import sys\nif __name__ == '__main__':\n    main(sys.argv)"),
    ],
)
def test_what_is_allowed_passes(rule, text):
    assert not rule(Module("fields.launch", text))
