"""`arrears sync`: one reading of the ledger with a progress bar, and its figures in words."""

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from jobs.ledgers import organisations
from jobs.office import Office
from jobs.sync import sync
from store.tables import OrganisationRow, SyncRunRow


def choose(office: Office, named: str, console: Console) -> OrganisationRow | None:
    """The organisation of that name or number, or the only one there is."""
    with office.database.reading() as session:
        known = organisations(session)
    chosen = [one for one in known if named in ("", str(one.id)) or one.name.lower() == named.lower()]
    if len(chosen) == 1:
        return chosen[0]
    if not known:
        console.print("No organisation is connected yet. Open the pages (arrears serve) and connect a ledger.")
    else:
        names = "\n".join(f"  {one.id}  {escape(one.name)}" for one in known)
        console.print(f"Which organisation? Name one of these, or its number:\n{names}")
    return None


def sync_now(office: Office, named: str, console: Console) -> bool:
    """Syncs and prints the outcome. True when it was done."""
    organisation = choose(office, named, console)
    if organisation is None or organisation.id is None:
        return False
    run = sync_with_bar(office, organisation.id, "command line", console)
    if run is None:
        console.print(
            f"{escape(organisation.name)} was not synced: it is not connected, is being synced right now, "
            "or the ledger has asked us to wait. See Connections and the sync log."
        )
        return False
    if run.state != "done":
        console.print(f"The sync of {escape(organisation.name)} failed: {escape(run.error)}\n{escape(run.next_act)}")
        return False
    console.print(f"{escape(organisation.name)}: {figures(run)}", soft_wrap=True)
    return True


def sync_with_bar(office: Office, organisation_id: int, trigger: str, console: Console) -> SyncRunRow | None:
    """One sync with a progress bar; the ledger does not always say how many rows to expect."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        bar = progress.add_task("Reading the ledger", total=None)

        def shown(done: int, expected: int | None) -> None:
            progress.update(bar, completed=done, total=max(done, expected or 0))

        run = sync(office, organisation_id, trigger=trigger, progress=shown)
        if run is not None:
            progress.update(bar, total=run.seen or 1, completed=run.seen or 1)
    return run


def figures(run: SyncRunRow) -> str:
    """The run in one line."""
    aside = f", {run.set_aside} set aside (see the sync log)" if run.set_aside else ""
    rows, calls = "row" if run.seen == 1 else "rows", "call" if run.call_count == 1 else "calls"
    return (
        f"{run.seen:,} {rows} seen, {run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged{aside}; "
        f"{run.call_count} {calls}, {f'{run.bytes} B' if run.bytes < 1000 else f'{run.bytes / 1000:,.0f} kB'}"
    )
