"""Batches: mails that wait for their hour may be held back or called off, as long as ten minutes are left.

(https://www.twilio.com/docs/sendgrid/api-reference/cancel-scheduled-sends)
"""

from datetime import timedelta

from sandbox.exchange import Answer, Request
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.refusals import not_found, single, wrong_method

MOST_STOPPED = 10
TOO_LATE = timedelta(minutes=10)


class Scheduled:
    def __init__(self, account: Account) -> None:
        self._account = account

    def batch(self, request: Request, named: list[str]) -> Answer:
        account = self._account
        match request.method, named:
            case "POST", []:
                batch = account.id_of(44)
                account.batches.add(batch)
                return Answer.json({"batch_id": batch}, 201)
            case "GET", [batch]:
                if batch not in account.batches:
                    return single(404, "batch id not found")
                return Answer.json({"batch_id": batch})
        return wrong_method()

    def sends(self, request: Request, named: list[str]) -> Answer:
        stopped = self._account.stopped
        match request.method, named:
            case "GET", []:
                return Answer.json([{"batch_id": batch, "status": status} for batch, status in stopped.items()])
            case "GET", [batch]:
                return Answer.json([{"batch_id": batch, "status": stopped[batch]}] if batch in stopped else [])
            case "POST", []:
                return self._stop(request.json())
            case "PATCH", [batch] if batch in stopped:
                stopped[batch] = str(request.json().get("status"))
                return Answer(204)
            case "DELETE", [batch] if batch in stopped:
                del stopped[batch]
                return Answer(204)
        return not_found()

    def _stop(self, wanted: dict[str, str]) -> Answer:
        account, batch, status = self._account, str(wanted.get("batch_id")), str(wanted.get("status"))
        if batch not in account.batches:
            return single(400, "invalid batch id", "batch_id")
        if status not in ("cancel", "pause"):
            return single(400, "status must be either cancel or pause", "status")
        if len(account.stopped) >= MOST_STOPPED:
            return single(400, "you may not pause or cancel more than 10 batches at one time")
        hours = [mail.send_at for mail in account.mails if mail.batch_id == batch and mail.send_at is not None]
        if any(hour - account.now() < TOO_LATE for hour in hours):
            return single(400, "a send cannot be cancelled less than 10 minutes before its send_at time")
        account.stopped[batch] = status
        return Answer.json({"batch_id": batch, "status": status}, 201)
