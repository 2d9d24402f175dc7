"""The Debtor history: notes, reminders and replies as one timeline, the newest first.

Most of what happened has a note. A reminder or a reply is shown with its note, as one entry; one that has none yet
stands by itself, so that nothing is ever left out.
"""

from datetime import datetime
from typing import NamedTuple

from store.screens import AccountFile
from store.tables import HistoryNoteRow, MessageRow, ReminderRow, ReplyRow

FIRST = 40
MORE = 400


class Entry(NamedTuple):
    """One thing that happened. `kind` is a note's kind, or "reply" or "reminder" for what has no note."""

    at: datetime
    kind: str
    note: HistoryNoteRow | None = None
    reminder: ReminderRow | None = None
    message: MessageRow | None = None
    reply: ReplyRow | None = None


def timeline(file: AccountFile, show: int) -> tuple[tuple[Entry, ...], bool]:
    """The newest `show` entries, and whether there are more."""
    reminders = {row.id: row for row in file.reminders}
    replies = {row.id: row for row in file.replies}
    messages: dict[int, MessageRow] = {}
    for message in file.messages:  # the newest attempt comes first
        messages.setdefault(message.reminder_id, message)
    own = {note.reply_id: note.id for note in file.notes if note.reply_id}  # the oldest is read last
    entries = [_of_note(note, reminders, messages, replies, own) for note in file.notes]
    told = {entry.reply.id for entry in entries if entry.reply}
    spoken = {entry.reminder.id for entry in entries if entry.reminder}
    entries += [Entry(row.received_at, "reply", reply=row) for row in file.replies if row.id not in told]
    entries += [
        Entry(row.settled_at, "reminder", reminder=row, message=messages.get(row.id or 0))
        for row in file.reminders
        if row.id not in spoken and row.settled_at is not None and row.state != "withdrawn"
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    full = len(entries) > show or any(len(rows) >= show for rows in (file.notes, file.reminders, file.replies))
    return tuple(entries[:show]), full


def _of_note(
    note: HistoryNoteRow,
    reminders: dict[int | None, ReminderRow],
    messages: dict[int, MessageRow],
    replies: dict[int | None, ReplyRow],
    own: dict[int, int | None],
) -> Entry:
    """A reply's first note stands for the reply itself; later ones tell what followed from it."""
    reply = replies.get(note.reply_id) if note.reply_id and own[note.reply_id] == note.id else None
    # A reply's note also names the reminder that it answers; the message belongs to that reminder's own note.
    reminder = reminders.get(note.reminder_id) if note.reminder_id and not note.reply_id else None
    message = messages.get(reminder.id or 0) if reminder else None
    return Entry(note.at, note.kind, note, reminder, message, reply)
