"""Whole stories: what the engine says of a debtor's story is what the store and the jobs make of it, day by day.

Each story of the engine's own tests and of the plan is told twice: by the pure engine, and by an organisation that
reads a ledger, recalculates and delivers under a clock that is moved by hand. Stories with the same settings are lived
side by side, by accounts of one organisation.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import SHARED
from engine.story import Send, tell
from engine.storybook.expectations import Expectation
from engine.storybook.file import StoryFile, read_story
from engine.storybook.report import Stand, mismatches, stand_of
from fresh_books import open_books
from jobs.recalculate import recalculate
from paper_audit import made_again, sends_of, two_a_day, unlike_the_stored
from paper_town import Life, PaperTown, Place
from store import Database

OWN = Path(__file__).parents[1] / "engine" / "stories"
PLAN = SHARED / "scenarios"

SOME = ("courtesy-steps", "dispute", "each-invoice-alone", "over-the-link-and-back", "void-credit-write-off")
"""Stories that between them touch every table that a day writes to; PostgreSQL takes longer over each."""

WHOLE = {"organisation_default", "smart", "ledger"}
"""Events that concern the whole organisation: such a story needs one of its own."""

MOST = 36
"""Accounts of one organisation, so that two workers have something to share."""


class Telling(NamedTuple):
    """A story, and what its file expects of it."""

    life: Life
    expectation: Expectation | None


def _groups(folder: Path, title: str, only: tuple[str, ...] = ()) -> dict[str, list[Telling]]:
    """The stories of this folder by organisation, under the name of the first."""
    alike: dict[str, list[Telling]] = defaultdict(list)
    for path in sorted(folder.glob("*.toml")):
        if only and path.stem not in only:
            continue
        file = read_story(path.read_text())
        assert isinstance(file, StoryFile), path
        for mode, story in file.stories.items():
            alone = path.stem if WHOLE & {event.what for event in story.events} else ""
            life = Life(f"{path.stem} {mode}", story)
            alike[f"{story.rules} {alone}"].append(Telling(life, file.expectations.get(mode)))
    groups = {}
    for tellings in alike.values():
        tellings.sort(key=lambda telling: telling.life.story.start)
        for start in range(0, len(tellings), MOST):
            some = tellings[start : start + MOST]
            groups[f"{title}: {some[0].life.name} and {len(some) - 1} more"] = some
    return groups


GROUPS = _groups(OWN, "own") | _groups(PLAN, "plan")


@pytest.mark.parametrize("group", [*GROUPS])
def test_a_story_comes_out_the_same_through_ledger_store_and_jobs(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lived(open_books(f"sqlite:///{tmp_path / 'arrears.db'}"), tmp_path, GROUPS[group], monkeypatch)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("group", [*_groups(OWN, "own", SOME)])
def test_a_story_comes_out_the_same_on_the_larger_database(
    group: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lived(open_books(database_url), tmp_path, _groups(OWN, "own", SOME)[group], monkeypatch)


def test_the_stories_of_the_plan_are_among_them() -> None:
    if not PLAN.exists():
        pytest.skip("shared/scenarios is not here")
    told = {telling.life.name.split()[0] for tellings in GROUPS.values() for telling in tellings}
    assert told >= {path.stem for path in PLAN.glob("*.toml")}


def _lived(database: Database, folder: Path, tellings: list[Telling], patch: pytest.MonkeyPatch) -> None:
    """Lets everybody live their story, and holds it against what is told of them."""
    town = PaperTown(database, folder, [telling.life for telling in tellings], patch)
    differences: list[str] = []
    for day in town.days():
        town.live(day)
        differences += unlike_the_stored(town, day)
    again = made_again(town)
    sent = sends_of(town, again.ordered)
    for telling in tellings:
        differences += _other_than_told(telling, sent[telling.life.account])
    differences += again.differences
    differences += two_a_day(town)
    recalculate(town.office, town.organisation)
    if changed := recalculate(town.office, town.organisation):
        differences.append(f"a second look changes {changed} positions")
    town.office.close()
    assert not differences, "\n".join(["", *differences])


def _other_than_told(telling: Telling, sent: list[Send]) -> Iterator[str]:
    """Where the product differs from the engine's own telling of the story, or from what its file expects."""
    life = telling.life
    told = tell(life.story)
    sends = Counter(send._replace(invoices=tuple(sorted(map(str, send.invoices)))) for send in told.sends)
    yield from (f"{life.name}: told and not sent: {_words(send)}" for send in sends - Counter(sent))
    yield from (f"{life.name}: sent and not told: {_words(send)}" for send in Counter(sent) - sends)
    stands = {}
    for day, position in told.positions.items():
        stand, lived = stand_of(position), life.evenings[day]
        if lived != (place := Place(*stand[1:7])):
            yield f"{life.name}, {day}: told {place}, lived {lived}"
        stands[day] = Stand(day, *lived, stand.driver_age, stand.because)
    if telling.expectation is not None:
        yield from (f"{life.name}: {sentence}" for sentence in mismatches(telling.expectation, sent, stands))


def _words(send: Send) -> str:
    about = ", ".join(map(str, send.invoices)) + (", skipped" if send.skipped else "")
    return f"{send.step} of {send.workflow} by {send.channel} on {send.on} for {about}"
