"""The process that keeps our doors open while reminders leave, so that SendGrid can tell what becomes of each.

It binds a free port and says which, is told by which key SendGrid will sign, and then stores what is posted, as the
pages of a running daemon do. Reading it is the work of the process that sends.
"""

import json
import socket
import sys
import threading

import uvicorn

from bench import sync_product
from channels import settings_of
from web import build


def main(given: str) -> None:
    told = json.loads(given)
    line = socket.create_server(("127.0.0.1", 0))
    print(line.getsockname()[1], flush=True)
    key = sys.stdin.readline().strip()
    office = sync_product.open_office(told["url"], told["folder"], "xero", told["addresses"], told["now"])
    settings = settings_of("email_sendgrid")(told["key"], told["from"], host=told["host"], event_public_key=key)
    office.channels = {"email_sendgrid": settings}
    server = uvicorn.Server(uvicorn.Config(build(office, poke=lambda *_: None), log_level="error"))
    threading.Thread(target=_until_let_go, args=(server,), daemon=True).start()
    server.run(sockets=[line])
    office.close()


def _until_let_go(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main(sys.argv[1])
