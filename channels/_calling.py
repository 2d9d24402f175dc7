"""Calls made by a person: our own person is rung first, and is put through to the debtor once they press 1.

Nobody at the debtor's end ever waits for somebody of ours to come to the telephone. A call is asked for with
`connect`, and what becomes of it is told afterwards at the channel's doors, leg by leg, as `DeliveryEvent`s about the
same attempt. Each of them says in `details` which `leg` it is about, `agent` (our person) or `debtor`, and in which
`status` the provider sees it:

    kind       leg     when
    ACCEPTED   agent   the provider has taken the call and is ringing our person (status: initiated, ringing, answered)
    RINGING    debtor  the debtor's telephone rings: from here on it counts as a contact
    ANSWERED   debtor  somebody, or a machine, has picked up
    ENDED      debtor  status completed, busy, no-answer or canceled; seconds: how long the two have spoken
    FAILED     debtor  the number cannot be called; `why` says so
    ENDED      agent   the whole call is over; without a RINGING of the debtor's leg it never reached the debtor: our
                       person did not answer (busy, no-answer, failed) or did not press 1 (completed)

RINGING, ANSWERED and FAILED are about the debtor's telephone only, so the first RINGING of an attempt is the contact.
Events come twice and in any order; one that the provider forgot does not come at all, so an ENDED of the debtor's leg
with the status completed, busy or no-answer implies that it rang.

An automatic call (`Channel.send`) tells of its one leg, the debtor's, in the same way. What the debtor chooses on it
comes as ANSWERED with `choice` in its details: `confirmed` (it is the right person), `will pay`, `a person` (they are
put through to us), `dispute`; or as OPTED_OUT, with `stops_address`, when they want no more calls. `answered_by` is
`human`, `machine` or `fax` where the provider has listened.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from channels import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class ClickToCall:
    """A call that a person wants to make now. Numbers are in the form of E.164.

    `attempt` is our own id of this one call and `token` the account and the attempt, signed. Without an `agent` the
    channel's own agent number is rung, and without a `caller_id` the debtor sees the channel's own number.
    `debtor_name` is said to our person only, in the firm's `language` (RFC 5646, as `de-AT`). `since` is when the
    attempt was written down, for `look_up`.
    """

    attempt: str
    token: str
    debtor: str
    debtor_name: str = ""
    agent: str = ""
    caller_id: str = ""
    language: str = ""
    since: datetime | None = None


@runtime_checkable
class Caller(Protocol):
    """What a channel that carries calls can do besides `Channel`: `isinstance(office.channel(kind), Caller)`."""

    def connect(self, call: ClickToCall) -> "Outcome":
        """Rings our person, who puts themselves through. Tries once; a Receipt says that the provider is ringing."""

    def look_up(self, call: ClickToCall) -> "Receipt | None":
        """Evidence, after a doubt, that this call was taken by the provider. None proves nothing."""
