"""Exceptions that are for the user: a mistake of theirs or of the surroundings, and an end that was asked for."""

import signal


class LqcdError(Exception):
    """Says in one message what is wrong and how to mend it.

    The command line prints the message alone (no traceback) and ends every rank with a non-zero exit code.

    >>> raise LqcdError("beta is missing: add beta = 6.0 to [action]")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.LqcdError: beta is missing: add beta = 6.0 to [action]
    """


class MachineError(LqcdError):
    """The same for what the machine could not do, as on a full disk: to try again later is another matter.

    >>> raise MachineError("journal.jsonl: No space left on device; free some space or choose another directory")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.MachineError: journal.jsonl: No space left on device; free some space or choose another directory
    """


class Terminated(Exception):
    """A signal asked for an end, and the work ended in order: says what is kept.

    `code` is what the command line ends with: 128 + the number of the signal, as if that had ended it.

    >>> raise Terminated(15, "the run ended after 4 of 6 updates, with a checkpoint; start it again to go on")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.Terminated: SIGTERM: the run ended after 4 of 6 updates, with a checkpoint; start it again to go on
    """

    def __init__(self, number, kept):
        super().__init__(f"{signal.Signals(number).name}: {kept}")
        self.code = 128 + number
