"""The two doors that SendGrid posts to: one for what became of mails, one for the answers to them.

A post is believed when it is signed with the key that SendGrid shows, or, as long as no key is set, when its address
ends in a secret. The doors differ in what a doubt costs: an event that is turned away comes again for a day, but a mail
that is answered with anything but a yes is dropped for good, and neither its writer nor we are told. Only 5xx brings it
again, for three days (https://support.sendgrid.com/hc/en-us/articles/46513815674395).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from channels import Forged, Heard, Kept, NoSuchDoor, Posted, _sendgrid_events, _sendgrid_inbound
from channels._form_post import form_parts
from channels._sendgrid_signature import is_secret, is_signed

UNSIGNED = "It was not signed with the key in inbound_public_key of [email_sendgrid]"
WRONG_ADDRESS = "The address that it was posted to does not end in the door_secret of [email_sendgrid]"
CORRECT_IT = "If SendGrid did post it, correct that; if not, somebody knows the address of this door."

Keys = Sequence[EllipticCurvePublicKey]


@dataclass(frozen=True, slots=True)
class Doors:
    """`largest` is the most bytes that a mail's post may have."""

    event_keys: Keys
    inbound_keys: Keys
    secret: str
    largest: int

    def hear(self, posted: Posted) -> Heard:
        """Raises Forged or NoSuchDoor."""
        door, _, secret = posted.door.strip("/").partition("/")
        match door:
            case "events":
                return self._events(posted, secret)
            case "inbound":
                return self._mail(posted, secret)
        raise NoSuchDoor(posted.door)

    def _events(self, posted: Posted, secret: str) -> Heard:
        if not self._ours(posted, secret, self.event_keys):
            raise Forged("the post of events was not signed by SendGrid")
        try:
            return Heard(tuple(_sendgrid_events.kept(posted.body)))
        except ValueError:
            name = f"events:{sha256(posted.body).hexdigest()}"
            return Heard((Kept(name, posted.body, "SendGrid posted something that is no list of events."),))

    def _mail(self, posted: Posted, secret: str) -> Heard:
        """A mail that may be forged is kept for a person, under a name that no real one has.

        As long as this door has no lock at all, SendGrid is asked to come back.
        """
        if not self.inbound_keys and not self.secret:
            return Heard(status=503, body=b"This door is not set up yet: inbound_public_key is missing.")
        if len(posted.body) > self.largest:
            return Heard(status=413, body=b"The mail is too large.")
        kept = _mail_in(posted)
        if self._ours(posted, secret, self.inbound_keys):
            return Heard((kept,))
        doubt = f"{UNSIGNED if self.inbound_keys else WRONG_ADDRESS}. {CORRECT_IT}"
        return Heard((Kept(f"unsigned:{kept.event_id}", kept.raw, doubt),), status=202)

    def _ours(self, posted: Posted, secret: str, keys: Keys) -> bool:
        if keys:
            return is_signed(posted.headers, posted.body, keys)
        return is_secret(secret, self.secret)


def _mail_in(posted: Posted) -> Kept:
    """The mail of this post; what holds none is kept as it came, with what is wrong with it."""
    try:
        return _sendgrid_inbound.kept(form_parts(posted.headers.get("content-type", ""), posted.body))
    except ValueError as problem:
        return Kept(f"mail::{sha256(posted.body).hexdigest()}", posted.body, str(problem))
