"""Whether Twilio lets us in: the newest text or call is asked for, and nothing is sent.

That is the very list in which doubts are looked up, so a key that was given too little shows here.
"""

from collections.abc import Callable
from typing import Any

from urllib3.exceptions import HTTPError

from channels import NotLetIn
from channels._twilio_failures import refusal_in
from channels._twilio_line import Failed, TwilioLine

TRIAL_KEYS = 20008


def sign_in(line: TwilioLine, newest: Callable[[Any], object], *, block: str, base_url: str, what: str) -> None:
    """`newest` asks Twilio's client for one row of a list; `what` that list is of. Raises NotLetIn."""
    try:
        line.ask("signing in", newest)
    except Failed as failed:
        raise _why_not(failed, block, base_url, what) from failed


def _why_not(failed: Failed, block: str, base_url: str, what: str) -> NotLetIn:
    cause = failed.__cause__
    refusal = refusal_in(cause) if isinstance(cause, Exception) else None
    if refusal is None:
        network = f"Check base_url in [{block}], and the network between here and there."
        reached = "cannot be reached" if isinstance(cause, HTTPError) else "does not answer"
        return NotLetIn(f"Twilio {reached} at {base_url}: {failed}", network)
    status, code, said = refusal
    if code == TRIAL_KEYS:
        return NotLetIn("these are Twilio's keys for trying out", f"Put the live ones into [{block}].")
    if status == 401:
        check = f"Check account_sid and auth_token, or api_key and api_secret, in [{block}] against Twilio's console."
        return NotLetIn(f"Twilio does not know these keys ({code}: {said})", check)
    if status == 403:
        give = f"In Twilio's console, give this key the right to read and create {what}, or use a standard key."
        return NotLetIn(f"Twilio knows the keys, and does not let them at {what} ({code}: {said})", give)
    if status == 429:
        return NotLetIn("Twilio has been asked too often for the moment", "Wait a few minutes, then look again.")
    if status == 404:
        return NotLetIn(f"Twilio has no such account ({code}: {said})", f"Check account_sid in [{block}].")
    return NotLetIn(f"Twilio gave no answer of use ({status})", "Wait a few minutes, then look again.")
