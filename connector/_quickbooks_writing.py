"""Writing down in QuickBooks what was said to a customer.

A note about an invoice is hung on that invoice, where nothing else of the firm's can be touched by it. A line of it
goes into our block in the customer's own notes, because a bookkeeper looks there first. Nothing is ever written into
an invoice's private note: QuickBooks calls it the statement memo, and the customer may see it.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from connector import Clock, LedgerNote, Refused
from connector import _quickbooks_pages as pages
from connector import _quickbooks_rows as rows
from connector._quickbooks_failures import STALE, TOO_LONG, Faulty
from connector._quickbooks_line import Line
from connector._quickbooks_memory import Memory, Seen
from connector._quickbooks_notes import is_plain, line_of, lines_of, merged, plain
from connector._quickbooks_query import Question
from connector._quickbooks_walking import walk

LONGEST_ATTACHED = 2000
"""Characters of a note hung on a document.
https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/attachable"""

TRIES = 3
_NO_OTHER_PLACE = "the settings allow no other place"
LOOK_BACK = timedelta(days=7)
"""A note whose answer was lost is asked for among those written in so many days."""


class Writing:
    """All that is written into one company. `attach` and `block` say which of the two places are used."""

    def __init__(
        self,
        line: Line,
        memory: Memory,
        *,
        clock: Clock,
        country: Callable[[], str],
        attach: bool,
        block: bool,
        block_cap: int,
        notes_cap: int,
    ) -> None:
        self._line = line
        self._memory = memory
        self._clock = clock
        self._country = country
        self._attach = attach
        self._block = block
        self._block_cap = block_cap
        self._notes_cap = notes_cap

    def write(self, account_id: str, notes: Sequence[LedgerNote], *, key: str) -> None:
        """Each note on its invoice, and all of them in the customer's notes. Raises Refused when one found no place."""
        notes = [self._spelt(note) for note in notes]
        homeless, why = self._hang_each(notes)
        try:
            why_not = self._put_into_notes(account_id, notes, key) if self._block else _NO_OTHER_PLACE
        except Refused as refused:
            why_not = str(refused)
        if homeless and why_not:
            raise Refused(f"The note could not be written into QuickBooks: {(why or why_not).rstrip('.')}.")

    def find(self, account_id: str) -> frozenset[str]:
        """The texts of our notes: the lines in the customer's notes, and what was hung on invoices of late."""
        found = set(lines_of(self._read(account_id).notes)) if self._block else set()
        if self._attach:
            found |= {note for page in self._hung_of_late() for row in page.rows if (note := row.note)}
        return frozenset(found)

    def _hang_each(self, notes: Sequence[LedgerNote]) -> tuple[list[LedgerNote], str]:
        """Hangs each note on its invoice. Returns those that are on none, and why QuickBooks did not take one."""
        homeless, why = [], ""
        for note in notes:
            if not (self._attach and note.invoice_id):
                homeless.append(note)
                continue
            try:
                self._hang(note)
            except Refused as refused:
                homeless.append(note)
                why = str(refused)
        return homeless, why

    def _hang(self, note: LedgerNote) -> None:
        body = {
            "Note": _cut(note, LONGEST_ATTACHED),
            "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": note.invoice_id}, "IncludeOnSend": False}],
        }
        # Named by its marker and not by the attempt: however often it is asked for, QuickBooks hangs it once.
        name = request_id("attach", note.invoice_id, note.marker)
        prepared = self._line.client.create_object("Attachable", json.dumps(body), request_id=name)
        self._line.call("hanging a note on an invoice", prepared, read=_nothing)

    def _put_into_notes(self, account_id: str, notes: Sequence[LedgerNote], key: str) -> str:
        """Writes our block. Returns why it could not be, or nothing."""
        on = self._clock().date()
        lines, markers = [line_of(note, on) for note in notes], [note.marker for note in notes]
        seen = self._memory.notes_of(account_id) or self._read(account_id)
        why = ""
        for _ in range(TRIES):
            cap = self._memory.notes_cap or self._notes_cap
            wanted = merged(seen.notes, lines, markers, block_cap=min(self._block_cap, cap), notes_cap=cap)
            if wanted.notes is None or wanted.notes == seen.notes:
                return wanted.why
            try:
                self._send(account_id, seen, wanted.notes, key)
                return ""
            except Faulty as fault:
                if fault.code == STALE:
                    seen = self._read(account_id)
                    why = "the customer is being changed by somebody else again and again. Try later"
                elif fault.code == TOO_LONG:
                    self._memory.notes_cap = len(wanted.notes) - 1  # a line less, for this company from now on
                    why = "QuickBooks finds the customer's notes too long. Shorten them there"
                else:
                    raise
        return why

    def _send(self, account_id: str, seen: Seen, notes: str, key: str) -> None:
        body = {"sparse": True, "Id": account_id, "SyncToken": seen.sync_token, "Notes": notes}
        # What is sent follows from the key and from the state it meets, so together they name the request.
        name = request_id("notes", account_id, key, seen.sync_token, notes)
        prepared = self._line.client.update_object("Customer", json.dumps(body), request_id=name)
        row = self._line.call(
            "writing notes", prepared, read=lambda answer: pages.one(answer, "Customer", rows.AccountRow)
        )
        self._memory.saw(row)

    def _read(self, account_id: str) -> Seen:
        prepared = self._line.client.get_single_object("customer", pages.path_of(account_id))
        row = self._line.call(
            "reading notes", prepared, read=lambda answer: pages.one(answer, "Customer", rows.AccountRow)
        )
        self._memory.saw(row)
        return Seen(row.sync_token or "0", row.notes or "")

    def _hung_of_late(self) -> Iterator[pages.Page[rows.AttachableRow]]:
        beginning = (self._clock() - LOOK_BACK).isoformat(timespec="seconds")

        def ask(question: Question) -> pages.Page[rows.AttachableRow]:
            return self._line.call(
                "looking for notes", self._line.client.query(str(question)), read=pages.ATTACHABLES.read
            )

        return walk(ask, Question("Attachable"), beginning)

    def _spelt(self, note: LedgerNote) -> LedgerNote:
        """An American company's books hold Latin-1 only; others hold every letter."""
        if is_plain(note.text) or self._country() not in ("", "US"):
            return note
        return replace(note, text=plain(note.text))


def request_id(*parts: str) -> str:
    """QuickBooks' name for one write, by which it does it once: 36 characters, one name space for all operations."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://arrears.invalid/requests")


def _cut(note: LedgerNote, longest: int) -> str:
    if len(note.text) <= longest:
        return note.text
    return f"{note.text[: longest - len(note.marker) - 4]}... {note.marker}"


def _nothing(body: bytes) -> None:
    pages.one(body, "Attachable", rows.AttachableRow)
