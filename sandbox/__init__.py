"""A small world to practise on: a ledger that speaks Xero's language, and a post office, over real doors on this
machine.

It plays everything that lies outside the product: the ledger with its customers, invoices and payments, the mail
server that takes the reminders, and the debtors who answer them. It knows nothing of the product and shares no code
with it, so that what works here has been shown to work over the wire.

    with sandbox.start(clock=datetime(2026, 1, 5, 9, tzinfo=UTC)) as world:
        world.control.add_invoice("Fern & Fig Café", due="2026-01-19", amount="120.00")
        world.control.move_clock(datetime(2026, 2, 5, 9, tzinfo=UTC))
"""

from sandbox.control.client import Control, ControlRefused
from sandbox.running import Sandbox, serve, start

__all__ = ["Control", "ControlRefused", "Sandbox", "serve", "start"]
