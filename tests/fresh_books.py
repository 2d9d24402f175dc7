"""Databases with nothing in them but tables.

Building the tables takes longer than most tests do, so they are built once in each process and copied. That they are
built rightly is proven in `tests/store`.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import event, make_url

from store import Database


def open_books(url: str, *, there: bool = False) -> Database:
    """A database with its tables, of which nobody waits for the disk: no power is cut here.

    `there`: somebody has made it already.
    """
    file = make_url(url).database if url.startswith("sqlite") else None
    if file is not None and not Path(file).exists():
        shutil.copy(_tables(), file)
    database = Database(url)
    if file is not None:
        event.listen(database.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    elif not there:
        database.migrate()
    return database


@cache
def _tables() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="arrears-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "tables.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file
