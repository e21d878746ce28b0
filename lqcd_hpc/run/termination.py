"""A wish to end: SIGTERM, which batch systems send some time before they kill."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager


@contextmanager
def noticed():
    """Inside, SIGTERM does not end the process; gives a function that tells whether it came.

    Outside the main thread, where Python lets nobody catch signals, the function always says no.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = signal.signal(signal.SIGTERM, lambda *_: came.set())
    try:
        yield came.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
