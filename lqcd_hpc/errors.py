"""The one exception that reports a mistake of the user or of the surroundings."""


class LqcdError(Exception):
    """Says in one message what is wrong and how to mend it.

    The command line prints the message alone (no traceback) and ends every rank with a non-zero exit code.

    >>> raise LqcdError("beta is missing: add beta = 6.0 to [action]")
    Traceback (most recent call last):
    ...
    lqcd_hpc.errors.LqcdError: beta is missing: add beta = 6.0 to [action]
    """
