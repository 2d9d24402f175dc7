"""The wiring: from a configuration to an office that the five verbs can work in. It alone knows all the rooms."""

from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any

import channels
import connector
from daemon.config import Config, ConfigProblem
from jobs.office import Office, real_clock
from store import Database, read_or_make_keys

KEY_FILE = "secrets.key"


def open_office(config: Config, *, clock: Callable[[], datetime] = real_clock) -> Office:
    """Opens the database (bringing its tables up to date) and the key file. Raises ConfigProblem with a sentence."""
    config.store.data.mkdir(parents=True, exist_ok=True)
    try:
        vault = read_or_make_keys(config.store.data / KEY_FILE)
    except ValueError as problem:
        raise ConfigProblem(str(problem)) from problem
    database = Database(config.database_url)
    database.migrate()
    return Office(
        database=database,
        vault=vault,
        ledgers=_adapters(config, connector),
        channels=_adapters(config, channels),
        public_url=config.server.public_url.rstrip("/"),
        clock=clock,
    )


def _adapters(config: Config, door: ModuleType) -> dict[str, Any]:
    """The settings of each adapter that the configuration speaks of."""
    adapters = {}
    for kind in door.kinds():
        written = config.adapter(kind)
        if written is None:
            continue
        try:
            adapters[kind] = door.settings_of(kind)(**written)
        except ValueError as problem:
            raise ConfigProblem(f"[{kind}]: {problem}.") from problem
    return adapters
