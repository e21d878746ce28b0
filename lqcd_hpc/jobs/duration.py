"""Times as SLURM writes them: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]]."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_FORM = re.compile(r"(?:(?P<days>\d+)-)?(?P<rest>\d+(?::\d+){0,2})\Z")


def seconds(text):
    """Seconds of a time.

    >>> seconds("90"), seconds("1:30"), seconds("2:00:00"), seconds("1-12"), seconds("1-0:30")
    (5400, 90, 7200, 129600, 88200)

    Raises `ValueError` for what SLURM would not understand, and for no time at all.
    """
    match = _FORM.match(text)
    if not match:
        raise ValueError("write minutes, hours:minutes:seconds or days-hours, as 90, 1:30:00 or 2-12")
    parts = [int(part) for part in match["rest"].split(":")]
    if match["days"]:
        scales = (3600, 60, 1)
    else:
        scales = {1: (60,), 2: (60, 1), 3: (3600, 60, 1)}[len(parts)]
    total = 86400 * int(match["days"] or 0) + sum(part * scale for part, scale in zip(parts, scales))
    if total == 0:
        raise ValueError("a job needs some time")
    return total


def written(seconds):
    """A time for people, two units of it.

    >>> written(45), written(3700), written(200000)
    ('45 s', '1 h 02 m', '2 d 07 h')
    """
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} m"
    if minutes < 1440:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02d} h"


def _checked(text):
    seconds(text)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
