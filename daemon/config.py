"""The configuration: one TOML file, checked whole when the program starts.

A setting that is misspelt is not silently ignored: the message names it and the nearest one that exists. Secrets may
be given in the environment instead (`ARREARS_XERO__CLIENT_SECRET`), and are never printed.
"""

import difflib
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

import channels
import connector
from jobs.thresholds import Webhooks as Trust

NAME = "config.toml"


class ConfigProblem(Exception):
    """The configuration cannot be used. The message says where, what, and what to do."""


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Server(_Block):
    """Where people reach the pages."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str = "http://localhost:8000"


class Store(_Block):
    """Where everything is remembered."""

    data: Path = Path("data")
    database: str = ""


class Schedule(_Block):
    """How often the recurring acts are done, in seconds."""

    find_due_syncs: int = Field(default=60, ge=1)
    deliver: int = Field(default=60, ge=1)
    receive: int = Field(default=60, ge=1)
    write_back: int = Field(default=60, ge=1)
    doorbell: int = Field(default=10, ge=1)
    check: int = Field(default=300, ge=1)


class Webhooks(_Block):
    """How rings of the ledgers' providers are answered."""

    collect_seconds: dict[str, int] = Field(default_factory=lambda: dict(Trust().collect_seconds))
    poll_minutes: int = Field(default=60, ge=1)
    silent_hours: int = Field(default=24, ge=1)


class Brakes(_Block):
    """What is too much for one reading of a ledger."""

    closing_share: float = Field(default=0.4, ge=0, le=1)
    moving_share: float = Field(default=0.5, ge=0, le=1)
    overdue_growth: float = Field(default=1.0, ge=0)
    least: int = Field(default=20, ge=1)


class SyncLog(_Block):
    """For how many days sync runs are kept, and for how many their calls and what they changed."""

    keep_runs_days: int = Field(default=400, ge=1)
    keep_details_days: int = Field(default=90, ge=1)


class Links(_Block):
    """How much may be asked of the ledgers for links to online invoices."""

    a_round: int = Field(default=20, ge=0)


class Doctor(_Block):
    """What `arrears doctor` cannot know by itself."""

    dkim_selectors: list[str] = Field(default_factory=list)
    dns_server: str = ""
    seconds: float = Field(default=4.0, gt=0)


class Config(BaseSettings):
    """All settings, with their defaults. `config.example.toml` explains each.

    The blocks of the adapters (`[xero]`, `[email_smtp]`) come from the adapters' own files: see `_with_adapters`.
    """

    model_config = SettingsConfigDict(
        env_prefix="ARREARS_", env_nested_delimiter="__", extra="forbid", nested_model_default_partial_update=True
    )

    server: Server = Server()
    store: Store = Store()
    schedule: Schedule = Schedule()
    sync_log: SyncLog = SyncLog()
    webhooks: Webhooks = Webhooks()
    brakes: Brakes = Brakes()
    links: Links = Links()
    doctor: Doctor = Doctor()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the environment says goes before what the file says."""
        return (env_settings, init_settings)

    @property
    def database_url(self) -> str:
        return self.store.database or f"sqlite:///{self.store.data / 'arrears.db'}"

    def adapter(self, kind: str) -> dict[str, Any] | None:
        """What was written about this ledger or channel, or None when nothing was."""
        block = getattr(self, kind, None)
        return block.model_dump(exclude_unset=True) if block is not None else None


def read_config(path: Path) -> Config:
    """The configuration of this file. Raises ConfigProblem with a sentence for the person who wrote it."""
    if not path.exists():
        raise ConfigProblem(f"There is no configuration at {path}. Make one with: arrears init")
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise ConfigProblem(f"{path} is not valid TOML: {problem}. Mend that line and start again.") from problem
    try:
        config = _with_adapters()(**written)
    except ValidationError as problem:
        raise ConfigProblem(_sentences(path, problem)) from problem
    if not config.store.data.is_absolute():
        config.store.data = path.parent / config.store.data
    return config


def _with_adapters() -> type[Config]:
    """The configuration with one optional block for each ledger and channel: their files are their registration."""
    blocks: dict[str, Any] = {}
    for door in (connector, channels):
        for kind in door.kinds():
            known = get_type_hints(door.settings_of(kind))
            named: dict[str, Any] = {
                field.name: (known[field.name], _given(field)) for field in fields(door.settings_of(kind))
            }
            blocks[kind] = (create_model(kind, __base__=_Block, **named) | None, None)
    return create_model("Config", __base__=Config, **blocks)


def _given(field: Any) -> Any:
    return ... if field.default is MISSING else field.default


def _sentences(path: Path, problem: ValidationError) -> str:
    return "\n".join(_sentence(path, error) for error in problem.errors())


def _sentence(path: Path, error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        *blocks, name = (str(part) for part in error["loc"])
        return f"{path}: [{'.'.join(blocks)}] needs the setting '{name}'; see config.example.toml."
    if any(word in where for word in ("password", "secret", "token", "key")) and error["type"] != "extra_forbidden":
        return f"{path}: the setting '{where}' cannot be what is written there: {error['msg'].lower()}."
    if error["type"] != "extra_forbidden":
        return f"{path}: the setting '{where}' cannot be {error['input']!r}: {error['msg'].lower()}."
    *blocks, name = (str(part) for part in error["loc"])
    model: Any = _with_adapters()
    for block in blocks:
        annotation = model.model_fields[block].annotation
        model = next((part for part in get_args(annotation) if part is not type(None)), annotation)
    near = difflib.get_close_matches(name, model.model_fields, n=1, cutoff=0.0)
    inside = f"[{'.'.join(blocks)}]" if blocks else "the file"
    return f"{path}: {inside} has no setting '{name}'. The nearest one is '{near[0]}'; see config.example.toml."
