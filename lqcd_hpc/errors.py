"""Exceptions that are for the user: a mistake of theirs or of the surroundings, and an end that was asked for."""


class LqcdError(Exception):
    """Says in one message what is wrong and how to mend it.

    The command line prints the message alone (no traceback) and ends every rank with a non-zero exit code.

    >>> raise LqcdError("beta is missing: add beta = 6.0 to [action]")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.LqcdError: beta is missing: add beta = 6.0 to [action]
    """


class Terminated(Exception):
    """SIGTERM came, and the work ended in order: says what is kept. The command line ends with exit code 143."""
