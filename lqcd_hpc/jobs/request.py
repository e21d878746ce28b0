"""What one submission asks of a site: nodes, ranks and threads, time, and what sbatch is told besides."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import Field, PositiveInt

from ..config.tables import checked
from ..description import description
from ..errors import LqcdError
from .duration import Duration, seconds
from .site import Option, Word


@description
class Request:
    """Nodes, ranks per node, cores per rank, time, queue; None takes what the site file says."""

    nodes: PositiveInt = 1
    ntasks_per_node: PositiveInt | None = None
    cpus_per_task: PositiveInt | None = None
    time: Duration | None = None
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    options: list[Option] = Field(default_factory=list)


@dataclass(frozen=True)
class Resources:
    """What a job gets: `before` are the seconds before the limit at which it is told to end."""

    nodes: int
    ranks_per_node: int
    cores_per_rank: int
    gpus_per_node: int
    time: str
    before: int

    @property
    def ranks(self):
        """All ranks of the job."""
        return self.nodes * self.ranks_per_node


def requested(**given):
    """A checked request from the options of the command line, None for those that were not given.

    Raises `LqcdError` for what is no number, no time or no word.
    """
    return checked(Request, {key: value for key, value in given.items() if value is not None}, "options")


def resources(site, request):
    """The resources of a request on a site.

    Raises `LqcdError` if a node is too small. Where the limit is shorter than the time that the site reserves for the
    end, that is half of the limit.
    """
    node = site.node
    ranks = request.ntasks_per_node or node.ranks
    cores = request.cpus_per_task or max(node.cores // ranks, 1)
    if ranks * cores > node.cores:
        raise LqcdError(
            f"{ranks} ranks of {cores} cores do not fit on a node of {site.name}, which has {node.cores} cores: "
            "lower --ntasks-per-node or --cpus-per-task"
        )
    time = request.time or site.queue.time
    limit, before = seconds(time), site.checkpoint.before
    before = before if before < limit else limit // 2
    return Resources(request.nodes, ranks, cores, node.gpus, time, before)


def array_of(text):
    """(elements, how many may run at once or None) of --array.

    >>> array_of("8"), array_of("100%10")
    ((8, None), (100, 10))

    Raises `LqcdError` for anything else.
    """
    match = re.fullmatch(r"([1-9]\d*)(?:%([1-9]\d*))?", text)
    if not match:
        raise LqcdError(f"--array {text}: give the number of streams, or with a limit of jobs at once, as 100%10")
    return int(match[1]), match[2] and int(match[2])
