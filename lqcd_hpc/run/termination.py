"""A wish to end: the signals that batch systems and people send some time before they kill."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU, signal.SIGHUP)


@contextmanager
def noticed():
    """Inside, signals that ask for an end do not end the process; gives a function that tells which came first.

    It returns the number of the signal, 0 if none came. Further ones change nothing, but for a second SIGINT, which
    interrupts at once. A signal that was ignored before (nohup) stays so. Outside the main thread, where Python lets
    nobody catch signals, the answer is always 0.
    """
    came = []

    def note(number, _):
        came.append(number)
        if came.count(signal.SIGINT) > 1:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    caught = [one for one in SIGNALS if main and signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, note) for one in caught}
    try:
        yield lambda: int(came[0]) if came else 0
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
