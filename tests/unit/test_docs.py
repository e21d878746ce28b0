"""Every example runs: the blocks of README.md and docs/ (tests/pages.py), and the >>> examples of docstrings."""

import doctest
import importlib
import re

import pytest
from pages import agree, run_examples, walk
from source_tree import PACKAGE, modules

ROOT = PACKAGE.parent
HOW_TO = ["action", "operator", "layer", "site"]
WALKED = ["README.md", "docs/tutorial.md", *(f"docs/howto-new-{name}.md" for name in HOW_TO)]  # by test_tutorial.py
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {ROOT / name for name in WALKED})
OPTIONAL = {"torch", "cupy", "safetensors", "tensorboard", "optuna"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_the_page_run(page, tmp_path):
    walk(page.read_text(), tmp_path, commands=False)


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
            run_examples(examples)


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


def test_a_failing_example_is_noticed(tmp_path):
    with pytest.raises(ZeroDivisionError):
        walk("text\n```python\nx = 1\n```\n\n```python\nx / 0\n```\n", tmp_path)
    with pytest.raises(pytest.fail.Exception, match="line 3"):
        walk("text\n```python\n>>> 1 + 1\n3\n```\n", tmp_path)
    walk("<!-- not run -->\n```python\n1 / 0\n```\n```text\nno python\n```\n", tmp_path)


def test_a_command_that_fails_or_prints_something_else_is_noticed(tmp_path):
    page = "```toml\n# a.toml: of a page\nb = 1\n```\n```console\n$ grep -c b a.toml\n{}\n$ echo so\n```\n"
    walk(page.format(1), tmp_path)
    with pytest.raises(AssertionError, match="grep"):
        walk(page.format(2), tmp_path)
    with pytest.raises(AssertionError, match="code 1"):
        walk("```console\n$ false\n```\n", tmp_path)


def test_numbers_agree_within_their_errors():
    assert agree("m 0.71(2) at 12.5 ...", "m  0.79(2)  at 11.5 s", loosely=True)
    assert not agree("m 0.71(2) at 12.5 ...", "m 0.79(2) at 12.5 s")
    for other in ("m 0.89(2) at 12.5 s", "m 0.71(2) at 9.5 s", "n 0.71(2) at 12.5 s"):
        assert not agree("m 0.71(2) at 12.5 ...", other, loosely=True)


def test_blocks_of_a_page_share_their_names(tmp_path):
    page = ["```python", "x = 2", "```", "```python", ">>> x + 1", "3", ">>> y = x", "```"]
    walk("\n".join([*page, "```python", "assert y == 2", "```", ""]), tmp_path)
