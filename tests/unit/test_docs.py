"""Every example runs: ```python blocks of README.md and docs/ (of one page in order, in one namespace), and
the >>> examples of docstrings. A block below the line `<!-- not run -->` is left alone."""

import doctest
import importlib
import re

import pytest
from source_tree import PACKAGE, modules

ROOT = PACKAGE.parent
BLOCK = re.compile(r"(?P<skip><!-- not run -->\s*\n)?^```python\n(?P<code>.*?)^```$", re.M | re.S)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
OPTIONAL = {"torch", "cupy", "safetensors", "tensorboard", "optuna"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(text):
    """(line, code) of every block that is to run."""
    found = [match for match in BLOCK.finditer(text) if not match["skip"]]
    return [(text.count("\n", 0, match.start("code")), match["code"]) for match in found]


def run_page(text, name):
    """Run the blocks of a page in one namespace."""
    namespace = {"__name__": "__example__"}
    for line, code in blocks(text):
        if code.lstrip().startswith(">>>"):
            examples = doctest.DocTestParser().get_doctest(code, namespace, name, name, line)
            _run_doctest(examples)
            namespace |= examples.globs
        else:
            exec(compile("\n" * line + code, name, "exec"), namespace)


def _run_doctest(examples):
    runner = doctest.DebugRunner(optionflags=FLAGS)
    try:
        runner.run(examples, clear_globs=False)
    except doctest.DocTestFailure as failure:
        example = failure.example
        where = f"{examples.name}, line {examples.lineno + example.lineno + 1}"
        pytest.fail(f"{where}: {example.source}expected {example.want}got {failure.got}", pytrace=False)
    except doctest.UnexpectedException as failure:
        raise failure.exc_info[1] from None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_the_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page.read_text(), str(page))


@pytest.mark.parametrize("name", [module.name for module in modules()])
def test_examples_in_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(f"lqcd_hpc.{name}".rstrip("."))
    except ImportError as error:
        if (error.name or "").split(".")[0] in OPTIONAL:
            pytest.skip(f"needs {error.name}")
        raise
    for examples in doctest.DocTestFinder(exclude_empty=True).find(module):
        if examples.examples:
            _run_doctest(examples)


def test_tests_that_the_conventions_name_exist():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "conventions.md").read_text()))
    texts = [file.read_text() for file in (ROOT / "tests").rglob("*.py")]
    defined = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    assert len(named) > 30 and named <= defined, named - defined


def test_the_page_on_flows_has_every_kind_with_its_keys():
    pytest.importorskip("torch")
    from flow_laws import describes, kinds

    rows = dict(
        re.findall(r"^\| `(\w+)` \|.*?\|.*?\| (`.*?) \|[^|]*\|$", (ROOT / "docs" / "flows.md").read_text(), re.M)
    )
    expected = {kind: set(describes(kind).__pydantic_fields__) for kind in kinds()}
    assert {kind: set(re.findall(r"`(\w+)`", keys)) for kind, keys in rows.items()} == expected


def test_a_failing_example_is_noticed():
    with pytest.raises(ZeroDivisionError):
        run_page("text\n```python\nx = 1\n```\n\n```python\nx / 0\n```\n", "page")
    with pytest.raises(pytest.fail.Exception, match="line 3"):
        run_page("text\n```python\n>>> 1 + 1\n3\n```\n", "page")
    run_page("<!-- not run -->\n```python\n1 / 0\n```\n```text\nno python\n```\n", "page")


def test_blocks_of_a_page_share_their_names():
    page = ["```python", "x = 2", "```", "```python", ">>> x + 1", "3", ">>> y = x", "```"]
    run_page("\n".join([*page, "```python", "assert y == 2", "```", ""]), "page")
