"""The TOML text of tables: what tomllib reads back is what was written."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time


def toml_text(tables):
    """TOML of a dict of tables, such as those of a run file.

    >>> print(toml_text({"lattice": {"shape": [8, 8], "group": "U(1)"}, "update": [{"kind": "hmc", "tau": 1.0}]}))
    [lattice]
    shape = [8, 8]
    group = "U(1)"
    <BLANKLINE>
    [[update]]
    kind = "hmc"
    tau = 1.0
    <BLANKLINE>
    """
    plain = [f"{_key(key)} = {_value(value)}\n" for key, value in tables.items() if not _is_table(value)]
    return "\n".join(filter(None, ["".join(plain), *_sections(tables)]))


def _sections(tables):
    for key, value in tables.items():
        if isinstance(value, dict):
            yield f"[{_key(key)}]\n" + _entries(value)
        elif _is_table(value):
            yield from (f"[[{_key(key)}]]\n" + _entries(one) for one in value)


def _entries(table):
    """The lines of a table; tables in it are written inline, where they belong to the key."""
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _is_table(value):
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
    )


def _key(key):
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return repr(value)


def _text(text):
    """JSON's strings are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
