"""The conversation with an SMTP server, over a connection that is kept, and what each answer means for the mail.

The server says clearly what became of a mail until the moment its words are handed over. From then on only its last
answer counts: without it, the mail may or may not have gone, and nothing can tell later. So a line that breaks at that
moment means `Unsure`, everything before it `Unavailable`, and a plain no `Refused`.
"""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass

from channels import Refused, Unavailable, Unsure

SECURITY = ("none", "starttls", "tls")
_SIGN_IN_FIRST = (530, 534, 535, 538)
_TAKEN = (250, 251, 252)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail and where it goes. `content` is ready for the wire: line ends, doubled dots and the final dot."""

    helo: str
    sender: str
    recipient: str
    copies: tuple[str, ...]
    content: bytes

    @property
    def international(self) -> bool:
        """Whether an address has letters outside ASCII before its @."""
        return not all(address.isascii() for address in (self.sender, self.recipient, *self.copies))


class Failed(Exception):
    """The mail did not go for certain, and this is why."""

    def __init__(self, outcome: Refused | Unavailable | Unsure) -> None:
        super().__init__(outcome.why)
        self.outcome = outcome


class SmtpLine:
    """One connection, opened when it is needed. Not thread-safe by itself."""

    def __init__(self, *, host: str, port: int, security: str, username: str, password: str, timeout: float) -> None:
        self._host, self._port, self._security = host, port, security
        self._username, self._password, self._timeout = username, password, timeout
        self._kept: smtplib.SMTP | None = None

    def deliver(self, envelope: Envelope) -> tuple[str, str]:
        """The server's words when it took the mail, and a sentence about copies it refused. Raises Failed."""
        server = self._connection(envelope.helo)
        try:
            note = self._address(server, envelope)
        except Failed:
            self._forget_this_mail(server)
            raise
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            self.close()
            raise self._unavailable("broke off before it took the mail", problem) from problem
        return self._hand_over(server, envelope.content), note

    def sign_in(self, helo: str) -> None:
        """Connects and signs in, and sends nothing. Raises Failed."""
        self._connection(helo)

    def close(self) -> None:
        if self._kept is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._kept.quit()
            self._kept.close()
            self._kept = None

    def _connection(self, helo: str) -> smtplib.SMTP:
        """The kept connection if it still answers, else a new one."""
        if self._kept is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._kept.noop()[0] == 250:
                    return self._kept
            self.close()
        try:
            self._kept = self._opened(helo)
        except smtplib.SMTPAuthenticationError as problem:
            raise self._unavailable("did not let us in; check the user name and the password", problem) from problem
        except UnicodeError as problem:
            raise self._unavailable("can take no password with letters outside ASCII", problem) from problem
        except smtplib.SMTPNotSupportedError as problem:
            raise self._unavailable("does not offer what the settings ask for", problem) from problem
        except ssl.SSLError as problem:
            why = "cannot be reached safely; check its name, its port and the kind of security"
            raise self._unavailable(why, problem) from problem
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            raise self._unavailable("cannot be reached", problem) from problem
        return self._kept

    def _opened(self, helo: str) -> smtplib.SMTP:
        if not self._host:
            raise ValueError("no mail server is set")
        server: smtplib.SMTP
        if self._security == "tls":
            trusted = ssl.create_default_context()
            server = smtplib.SMTP_SSL(self._host, self._port, helo, timeout=self._timeout, context=trusted)
        else:
            server = smtplib.SMTP(self._host, self._port, helo, timeout=self._timeout)
        try:
            server.ehlo_or_helo_if_needed()
            if self._security == "starttls":
                server.starttls(context=ssl.create_default_context())
                server.ehlo_or_helo_if_needed()
            if self._username:
                server.login(self._username, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _address(self, server: smtplib.SMTP, envelope: Envelope) -> str:
        """Names the sender and the recipients. Returns a sentence about copies that were refused, if any."""
        if envelope.international and not server.has_extn("smtputf8"):
            raise Failed(Refused("An address has letters that this mail server cannot send to."))
        options = ["SMTPUTF8"] if envelope.international else []
        self._expect_taken(server.mail(envelope.sender, options), f"the sender {envelope.sender}")
        self._expect_taken(server.rcpt(envelope.recipient), f"the recipient {envelope.recipient}")
        answers = {copy: server.rcpt(copy) for copy in envelope.copies if copy != envelope.recipient}
        refused = [f"{copy} ({_words(answer)})" for copy, answer in answers.items() if answer[0] not in _TAKEN]
        return f"The mail went, but not these copies of it: {', '.join(refused)}." if refused else ""

    def _expect_taken(self, answer: tuple[int, bytes], what: str) -> None:
        code = answer[0]
        if code in _TAKEN:
            return
        if code in _SIGN_IN_FIRST:
            raise self._unavailable("wants us to sign in; check the user name and the password", _words(answer))
        if 500 <= code < 600:
            raise Failed(Refused(self._sentence(f"refused {what}", _words(answer))))
        raise self._unavailable(f"does not take {what} now", _words(answer))

    def _hand_over(self, server: smtplib.SMTP, content: bytes) -> str:
        try:
            answer = server.docmd("DATA")
        except (smtplib.SMTPException, OSError) as problem:
            self.close()
            raise self._unavailable("broke off before it took the mail", problem) from problem
        if answer[0] == 354:
            answer = self._last_answer(server, content)
        if answer[0] == 250:
            return _words(answer).removeprefix("250 ")
        self._forget_this_mail(server)
        if 400 <= answer[0] < 500:
            raise self._unavailable("does not take the mail now", _words(answer))
        if 500 <= answer[0] < 600:
            raise Failed(Refused(self._sentence("refused the mail", _words(answer))))
        self.close()
        raise Failed(Unsure(self._sentence("gave an answer that means nothing", _words(answer))))

    def _last_answer(self, server: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
        """From the first byte of the words to the answer to the last: here, and only here, we may never know."""
        try:
            server.send(content)
            return server.getreply()
        except (smtplib.SMTPException, OSError) as problem:
            self.close()
            raise Failed(Unsure(self._sentence("broke off before it confirmed the mail", problem))) from problem

    def _forget_this_mail(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()

    def _unavailable(self, what: str, problem: object) -> Failed:
        return Failed(Unavailable(self._sentence(what, problem)))

    def _sentence(self, what: str, problem: object) -> str:
        if isinstance(problem, smtplib.SMTPResponseException):
            problem = _words((problem.smtp_code, problem.smtp_error))
        return f"The mail server {self._host}:{self._port} {what}: {problem}"


def _words(answer: tuple[int, bytes | str]) -> str:
    """The server's answer on one line."""
    code, said = answer
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:300].strip()
