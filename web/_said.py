"""What a page says after a form did its work. The address carries a short name only, so nobody can put words here."""

SAID = {
    "paused": "The account is paused. Nothing is sent to it until somebody resumes it.",
    "resumed": "The account is resumed. Its next step follows the workflow.",
    "sending": "Sending has started. What is due goes out at the next sending time.",
    "stopped": "Sending is paused for the whole organisation. Nothing leaves until somebody starts it again.",
    "noted": "The note is in the Debtor history.",
    "read": "The reply is marked as read.",
    "matched": "The reply now belongs to this account.",
    "went": "Settled: the reminder went out. The workflow goes on from there.",
    "went-not": "Settled: the reminder did not go out. It may be sent again.",
    "again": "The reminder is queued again.",
    "closed": "The task is closed.",
    "saved": "The settings are saved.",
    "workflow-saved": "The workflow is saved. Every account on it stands where it now belongs.",
    "workflow-made": "The workflow is saved. Nobody is on it yet.",
    "workflow-copied": "This is the copy. Nobody is on it yet; give it a name of its own.",
    "workflow-default": "Accounts begin on this workflow from now on. Those that have begun stay where they are.",
    "workflow-gone": "The workflow is deleted.",
    "syncing": "A sync has been asked for. It shows up here as soon as it begins; load the page again in a moment.",
    "connected": "The ledger is connected. The first sync reads all open invoices; nothing is sent before you say so.",
    "disconnected": "The ledger is disconnected. What was read is kept; nothing is synced or sent any more.",
}
