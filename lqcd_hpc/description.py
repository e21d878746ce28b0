"""Descriptions: small frozen dataclasses of physical parameters, checked by pydantic (no nan, no infinity);
their fields are the keys of a run file."""

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

description = dataclass(
    frozen=True, config=ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)
)
