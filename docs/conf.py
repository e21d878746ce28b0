"""Sphinx: pages in Markdown (MyST), the reference from docstrings."""

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
