"""The story of the product, in five verbs: sync, recalculate, deliver, receive, write_back.

Read these files and you know what `arrears` does. They know the doors of the house (the ledgers', the channels', the
store's) and never a particular adapter behind one.
"""

from jobs.office import Office

__all__ = ["Office"]
