"""Whole organisations at once, without the interpreter looking for rings of garbage all the while.

A pass over hundreds of thousands of accounts makes millions of small records, and none of them points back at another.
Looking for rings among them costs more than the pass itself.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """The search for rings of garbage rests; what nobody needs any more is still freed at once."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def keep_for_good() -> None:
    """What is there once the daemon has started stays until it ends; nobody need look through it again and again."""
    gc.collect()
    gc.freeze()
