"""The wiring: from a configuration to an office that the five verbs can work in. It alone knows all the rooms."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import select
from sqlmodel import col

import channels
import connector
from daemon.config import Config, ConfigProblem
from jobs.office import Office, real_clock
from jobs.thresholds import Brakes, Webhooks
from store import Database, HighWater, Vault, read_or_make_keys
from store.tables import ConnectionRow

KEY_FILE = "secrets.key"
LOG_FILE = "arrears.log"


def open_office(config: Config, *, clock: Callable[[], datetime] = real_clock) -> Office:
    """Opens the database (bringing its tables up to date) and the key file. Raises ConfigProblem with a sentence."""
    data = config.store.data
    data.mkdir(parents=True, exist_ok=True, mode=0o700)  # other people's names and letters
    database = Database(config.database_url)
    database.migrate()
    if (file := database.file) is not None:
        file.chmod(0o600)
    return Office(
        database=database,
        vault=_vault(data / KEY_FILE, database),
        high_water=HighWater(data / "high-water"),
        kept_log=data / LOG_FILE,
        ledgers=_adapters(config, connector),
        channels=_adapters(config, channels),
        brakes=Brakes(**config.brakes.model_dump()),
        webhooks=Webhooks(**config.webhooks.model_dump()),
        links_a_round=config.links.a_round,
        public_url=config.server.public_url.rstrip("/"),
        clock=clock,
    )


def _vault(path: Path, database: Database) -> Vault:
    """The keys. A missing file is made anew only while there is nothing yet that the lost one would have to open."""
    with database.reading() as session:
        sealed = session.scalars(select(ConnectionRow).where(col(ConnectionRow.sealed_grant) != "")).first()
    if sealed is not None and not path.exists():
        raise ConfigProblem(
            f"The key file {path} is missing, and without it the grants in the database cannot be opened. "
            "Put it back from where you keep it safe. If it is lost for good, run arrears init --new-key, and then "
            "connect each organisation again; nothing else is lost."
        )
    try:
        return read_or_make_keys(path)
    except ValueError as problem:
        raise ConfigProblem(str(problem)) from problem


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
