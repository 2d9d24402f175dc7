"""A small name server on this machine: it answers over UDP from a zone that is written down, as a real one would."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]
"""The records by name and kind, as in a zone file: `{("firm.example", "MX"): ["10 mx.firm.example."]}`."""


@contextmanager
def name_server(zone: Zone) -> Iterator[str]:
    """Gives the server's address with its port."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    Thread(target=_serve, args=(door, zone), daemon=True).start()
    try:
        yield f"127.0.0.1:{door.getsockname()[1]}"
    finally:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"over", door.getsockname())


def _serve(door: socket.socket, zone: Zone) -> None:
    with door:
        while (asked := door.recvfrom(4096))[0] != b"over":
            door.sendto(_answer(dns.message.from_wire(asked[0]), zone).to_wire(), asked[1])


def _answer(query: dns.message.Message, zone: Zone) -> dns.message.Message:
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    if alias := zone.get((name, "CNAME")):
        answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
        name = alias[0].removesuffix(".")
    if records := zone.get((name, kind)):
        answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
    elif not any(known == name for known, _ in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
