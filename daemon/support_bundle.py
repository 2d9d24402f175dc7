"""`arrears support-bundle`: one file for whoever helps, shown before it is written and never sent by itself."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape

from daemon.config import Config
from jobs.office import Office
from jobs.support_bundle import Part, bundle, name_of, packed, record_bundle


def gather(office: Office, organisation_id: int, config: Config, log: Iterable[str] | None) -> tuple[Part, ...]:
    """The parts of the bundle, with the blocks of the configuration that only the command line knows."""
    known = {**office.ledgers, **office.channels}
    blocks = {name: _block(one) for name, one in config if isinstance(one, BaseModel) and name not in known}
    return bundle(office, organisation_id, more_settings=blocks, log=log)


def show(parts: tuple[Part, ...], console: Console, *, whole: bool) -> None:
    """What is inside: the list of its parts, and with `whole` every line of them."""
    console.print("In the bundle, with stand-ins for every name, address, number and text of a person:\n")
    for part in parts:
        console.print(f"  {part.name:<20} {len(part.text):>10,} B  {escape(part.about)}", soft_wrap=True)
    if whole:
        for part in parts:
            console.print(f"\n[bold]{part.name}[/bold]")
            console.print(part.text, markup=False, highlight=False, soft_wrap=True)


def keep(office: Office, organisation_id: int, parts: tuple[Part, ...], folder: Path, console: Console) -> Path:
    """Writes the file, for its owner only. Raises OSError."""
    path = folder / name_of(office, organisation_id)
    path.touch(mode=0o600)
    path.write_bytes(packed(parts))
    record_bundle(office, organisation_id, by="command line")
    console.print(f"\nWritten to {escape(str(path))}. Nothing was sent. Read it before you pass it on.", soft_wrap=True)
    return path


def _block(settings: Any) -> dict[str, tuple[Any, Any]]:
    """Each setting with its default."""
    return {name: (getattr(settings, name), field.default) for name, field in type(settings).model_fields.items()}
