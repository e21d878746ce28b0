"""`lqcd-hpc submit RUN.toml ... --site NAME`: run files as SLURM jobs, arrays and chains."""

from __future__ import annotations

from typing import Annotated

import typer


def submit(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN.toml ...", help="Run files; several become a chain.", show_default=False),
    ],
    site: Annotated[str, typer.Option(help="A site of the package, or a site file of your own.", show_default=False)],
    nodes: Annotated[int, typer.Option(help="Nodes of a job.")] = 1,
    ntasks_per_node: Annotated[int, typer.Option(help="Ranks per node; the site's if not given.")] = None,
    cpus_per_task: Annotated[int, typer.Option(help="Cores per rank; all of the node if not given.")] = None,
    time: Annotated[str, typer.Option(help="Time limit of a job, as 90, 12:00:00 or 2-12.")] = None,
    array: Annotated[str, typer.Option(metavar="K[%M]", help="K independent streams, M of them at once.")] = None,
    set: Annotated[
        list[str],
        typer.Option(
            "--set", metavar="KEY=VALUE,...", help="Change a key of the run files; several values make a grid."
        ),
    ] = None,
    after: Annotated[list[str], typer.Option(metavar="JOB", help="Start when this job has ended well.")] = None,
    partition: Annotated[str, typer.Option(help="The partition.")] = None,
    account: Annotated[str, typer.Option(help="The account.")] = None,
    qos: Annotated[str, typer.Option(help="The quality of service.")] = None,
    option: Annotated[list[str], typer.Option(metavar="--KEY=VALUE", help="A further option of sbatch.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the scripts, submit nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """Submit run files to SLURM: one job, an array of streams and couplings, or a chain of them.

    Jobs write a checkpoint before their time limit and queue again until their run is done.
    """
    from ..jobs.members import settings
    from ..jobs.request import array_of, requested
    from ..jobs.site import load_site
    from ..jobs.submit import plan
    from ..jobs.submit import submit as hand_over

    request = requested(
        nodes=nodes,
        ntasks_per_node=ntasks_per_node,
        cpus_per_task=cpus_per_task,
        time=time,
        partition=partition,
        account=account,
        qos=qos,
        options=option,
    )
    streams, at_once = array_of(array) if array else (None, None)
    place = load_site(site)
    planned = plan(runs, place, request, settings(set or []), streams, at_once)
    jobs = _jobs(after or [])
    if dry_run:
        _show(planned, json)
    else:
        _tell(hand_over(planned, place, jobs), json)


def _jobs(words):
    """Job numbers of --after."""
    from ..errors import LqcdError

    numbers = [number for word in words for number in word.replace(":", ",").split(",")]
    for number in numbers:
        if not number.isdigit():
            raise LqcdError(f"--after {number}: give the number of a job")
    return numbers


def _show(planned, json):
    """The scripts, and what SLURM would say."""
    from ..jobs import slurm
    from .output import print_json

    opinions = [slurm.test_only(one.script) if slurm.present() else (None, "no sbatch here") for one in planned]
    if json:
        keys = ("name", "folder", "script", "members", "accepted", "sbatch")
        rows = [
            (one.link.name, str(one.folder), one.script, len(one.link.members), *opinion)
            for one, opinion in zip(planned, opinions)
        ]
        print_json([dict(zip(keys, row)) for row in rows])
        return
    for one, (_, opinion) in zip(planned, opinions):
        typer.echo(f"# {one.folder / 'job.sh'}\n{one.script}")
        typer.echo(f"sbatch --test-only: {opinion}", err=True)


def _tell(records, json):
    from .output import print_json

    if json:
        print_json(records)
        return
    for record in records:
        count = len(record["members"])
        what = f"array of {count}" if record["array"] else "job"
        after = f", {record['dependency']}" if record["dependency"] else ""
        typer.echo(f"{record['job']}  {record['name']}  {what}{after}  {record['script']}")
