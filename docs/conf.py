"""Sphinx: pages in Markdown (MyST), the reference from docstrings."""

import re

import scipy.stats  # noqa: F401 (before torch is mocked: it asks what kind of class torch.Tensor is)

from lqcd_hpc.version import __version__

project = "lqcd_hpc"
author = "the lqcd_hpc developers"
release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_context = {"own": "lqcd_hpc"}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_mock_imports = ["torch", "cupy", "safetensors", "tensorboard", "optuna"]
napoleon_google_docstring = False

templates_path = ["_templates"]
exclude_patterns = ["_build"]
suppress_warnings = ["toc.empty_glob"]
html_theme = "furo"
html_title = f"lqcd_hpc {release}"

MARKUP = re.compile(r"`+[^`]*`+|\||\*(?=\w+[^\w*])")


def keep_formulas(app, what, name, obj, options, lines):
    """|x| and (n, *shape) in docstrings stand for themselves, not for markup."""
    example = False
    for number, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            lines[number] = MARKUP.sub(lambda found: found[0] if found[0][0] == "`" else "\\" + found[0], line)


def setup(app):
    app.connect("autodoc-process-docstring", keep_formulas)
