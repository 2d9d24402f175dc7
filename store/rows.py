"""Rows by the hundred thousand, straight from and to the database's own driver.

Looking at every account of a large organisation is mostly reading and writing. Here nothing stands between the
driver's tuples and the engine's small records, and many rows are written with one statement. Whoever uses this speaks
plain SQL with `?` for its parameters, alike for both databases.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, Protocol

from sqlmodel import Session

Row = tuple[Any, ...]


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def rows(session: Session, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
    """The driver's own tuples, one after another. Dates are text on SQLite: see `date_of`."""
    cursor = _cursor(session)
    try:
        cursor.execute(*_spoken(session, statement, parameters))
        yield from cursor
    finally:
        cursor.close()


def all_rows(session: Session, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
    """The driver's own tuples, all at once: for a chunk of accounts that is the faster way."""
    cursor = _cursor(session)
    try:
        cursor.execute(*_spoken(session, statement, parameters))
        found: list[Row] = cursor.fetchall()
        return found
    finally:
        cursor.close()


class Question(NamedTuple):
    """A statement with its parameters, to be asked together with others.

    `(??)` stands for a list among the parameters, of texts or of whole numbers.
    """

    statement: str
    parameters: Sequence[Any] = ()


def together(session: Session, questions: Sequence[Question]) -> list[list[Row]]:
    """The answers to several questions, which go to a server in one trip instead of one each."""
    with asking(session, questions) as answers:
        pass
    return answers.rows()


class Answers(Protocol):
    """The answers to questions that were asked together."""

    def count(self, place: int) -> int:
        """How many rows answer the question at this place."""

    def rows(self) -> list[list[Row]]:
        """All rows of all answers, in the order of the questions. They can be had once."""


@contextmanager
def asking(session: Session, questions: Sequence[Question]) -> Iterator[Answers]:
    """Within, a server works on these questions while we do something else; the answers are there at the end.

    Nothing else may be asked or written in here.
    """
    if is_sqlite(session) or not questions:
        yield _FromTheFile(session, questions)
        return
    connection = _driver(session)
    with connection.pipeline():
        cursors = [connection.cursor() for _ in questions]
        for cursor, question in zip(cursors, questions, strict=True):
            cursor.execute(*_spoken(session, question.statement, question.parameters))
        yield _FromTheServer(cursors)


class _FromTheServer(NamedTuple):
    cursors: Sequence[Any]

    def count(self, place: int) -> int:
        return int(self.cursors[place].rowcount)

    def rows(self) -> list[list[Row]]:
        return [cursor.fetchall() for cursor in self.cursors]  # within the line's pipe this would be a second trip


class _FromTheFile:
    """Nobody works for us here, so each question is read when its answer is wanted."""

    def __init__(self, session: Session, questions: Sequence[Question]) -> None:
        self._session, self._questions = session, questions
        self._read: dict[int, list[Row]] = {}

    def count(self, place: int) -> int:
        return len(self._answer(place))

    def rows(self) -> list[list[Row]]:
        found = [self._answer(place) for place in range(len(self._questions))]
        self._read.clear()  # they may be many, and whoever asked has them now
        return found

    def _answer(self, place: int) -> list[Row]:
        if place not in self._read:
            self._read[place] = all_rows(self._session, *self._questions[place])
        return self._read[place]


@contextmanager
def piped(session: Session, most: int) -> Iterator[None]:
    """Within, what is written goes to a server without waiting for its word on each statement; it is in at the end.

    `most`: so many rows go into one table at once, or about so many. Many travel by COPY, which needs the line for
    itself: where they turn out to be many all the same, they go one after another. Nothing may be read in here, and
    nothing but this module may write.
    """
    if is_sqlite(session) or most >= _FEW:
        yield
        return
    with _driver(session).pipeline():
        yield


def write(session: Session, statement: str, many: Iterable[Row]) -> None:
    """The statement once for each row."""
    cursor, spoken = _cursor(session), _dialect(session, statement)
    try:
        if not is_sqlite(session) and _is_piped(session):
            for row in many:  # within a pipe `executemany` would wait for the server before and after itself
                cursor.execute(spoken, row)
        else:
            cursor.executemany(spoken, many)
    finally:
        cursor.close()


def upsert(session: Session, table: str, columns: Sequence[str], key: Sequence[str], many: list[Row]) -> None:
    """Inserts rows, or replaces those of the same key. Values as the driver takes them: see `plain`."""
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in columns if name not in key)
    put(session, table, columns, many, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}")


def insert(session: Session, table: str, columns: Sequence[str], many: list[Row]) -> None:
    """Inserts rows."""
    put(session, table, columns, many, "")


_FEW = 200
"""Below this, PostgreSQL takes row after row as fast as a copy into a table of their own."""


def put(session: Session, table: str, columns: Sequence[str], many: list[Row], on_conflict: str) -> None:
    """Inserts rows, with that answer to a key that is there already. Table and columns are our own words."""
    names, marks = ", ".join(map(quoted, columns)), ", ".join("?" * len(columns))
    if is_sqlite(session) or len(many) < _FEW or _is_piped(session):
        write(session, f"INSERT INTO {table} ({names}) VALUES ({marks}) {on_conflict}", many)  # noqa: S608
        return
    cursor = _cursor(session)
    try:
        coming = table
        if on_conflict:
            coming = "coming"
            cursor.execute(f"CREATE TEMP TABLE coming ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")  # noqa: S608
        with cursor.copy(f"COPY {coming} ({names}) FROM STDIN") as copy:
            for row in many:
                copy.write_row(row)
        if on_conflict:
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM coming {on_conflict}")  # noqa: S608
            cursor.execute("DROP TABLE coming")
    finally:
        cursor.close()


def quoted(name: str) -> str:
    """A column's name as both databases take it, also where it is a word of theirs."""
    return f'"{name}"'


def plain(session: Session, moment: datetime) -> Any:
    """An instant as the driver takes it."""
    return moments(session)(moment)


def moments(session: Session) -> Callable[[datetime | None], Any]:
    """How instants are handed to the driver; it gives them back alike."""
    return _moment_as_text if is_sqlite(session) else _in_utc


def _moment_as_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(" ", "microseconds")[:-6]  # without the +00:00 that SQLite is not to keep


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None


def days(session: Session) -> Callable[[date | None], Any]:
    """How civil dates are handed to the driver; it gives them back alike."""
    return _day_as_text if is_sqlite(session) else _same


_isos = lru_cache(maxsize=4096)(date.isoformat)


def _day_as_text(day: date | None) -> str | None:
    return _isos(day) if day is not None else None


def _same(day: date | None) -> date | None:
    return day


def date_of(value: str | date | None) -> date | None:
    """A civil date from the driver: text on SQLite, a date on PostgreSQL."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class _Days(dict[Any, date]):
    """Civil dates by what the driver gives for them, each made once."""

    def __missing__(self, value: str | date) -> date:
        day = date.fromisoformat(value) if isinstance(value, str) else value
        if len(self) < _MANY:
            self[value] = day
        return day


_MANY = 20_000
DAYS = _Days()


def text_of(session: Session, day: date | None) -> Any:
    """A civil date as the driver takes it."""
    return days(session)(day)


_CENT, _HUNDREDTH = Decimal("0.01"), Decimal("0.0001")


def amount_of(scaled: int) -> Decimal:
    """An exact amount from the whole number of ten-thousandths in which it is kept."""
    return scaled // 100 * _CENT if scaled % 100 == 0 else scaled * _HUNDREDTH  # twice as fast as with Decimal(...)


def scaled(amount: Decimal) -> int:
    """The whole number of ten-thousandths in which an amount is kept. Raises ValueError for one with more decimals."""
    if not amount:
        return 0
    exact = amount * 10_000
    many = int(exact)
    if many != exact:
        raise ValueError(f"the amount {amount} has more than four decimals")
    return many


def _cursor(session: Session) -> Any:
    return session.connection().connection.cursor()


def _is_piped(session: Session) -> bool:
    return bool(_driver(session).pgconn.pipeline_status)


def _driver(session: Session) -> Any:
    return session.connection().connection.driver_connection


def _spoken(session: Session, statement: str, parameters: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The statement and its parameters as the database takes them.

    PostgreSQL is given a list as a table, which it joins: in a long transaction that has just filled the tables it
    knows nothing of their sizes, and would compare each row with each thing on the list.
    """
    if "??" not in statement:
        return _dialect(session, statement), tuple(parameters)
    lists = [value for value in parameters if isinstance(value, list)]
    if is_sqlite(session):
        for values in lists:
            statement = statement.replace("??", ", ".join("?" * len(values)), 1)
        flat = (value if isinstance(value, list) else (value,) for value in parameters)
        return statement, tuple(chain.from_iterable(flat))
    for values in lists:
        kind = "bigint" if values and isinstance(values[0], int) else "text"
        statement = statement.replace("??", f"SELECT unnest(?::{kind}[])", 1)
    return _dialect(session, statement), tuple(parameters)


def _dialect(session: Session, statement: str) -> str:
    return statement if is_sqlite(session) else statement.replace("?", "%s")
