"""The command `lqcd-hpc`: one verb per file, found by its name (`app.py`); errors, exit codes and ranks are
handled here.

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | a check found something wrong (`inspect`, `doctor`), or the program itself failed |
| 2 | what was asked for cannot be done; the message says why and how to mend it |
| 130 | interrupted |
| 128 + n | ended in order at signal n, with a checkpoint (`run`, `train`, `sample`): 143 for SIGTERM, 138 for SIGUSR1 |
"""

from __future__ import annotations

from .failure import INTERRUPTED, report_failure


def main():
    """Run the command line and end the process (under MPI: all processes of the job) with an exit code."""
    import contextlib
    import os
    import sys

    from .failure import rank_in_job

    words = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    try:
        from .app import application

        with contextlib.ExitStack() as stack:
            if rank_in_job() > 0:  # what is printed on the way is the same on all ranks: once is enough
                silence = stack.enter_context(open(os.devnull, "w"))
                stack.enter_context(contextlib.redirect_stderr(silence))
            application(words)(words, prog_name="lqcd-hpc")
    except (Exception, KeyboardInterrupt) as error:
        report_failure(error, debug)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            report_failure(KeyboardInterrupt())
        raise


__all__ = ["main"]
