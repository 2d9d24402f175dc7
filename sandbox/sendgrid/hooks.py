"""The pages of settings behind the webhooks: which addresses are told of events, where mails are handed in, and what
signs them (tsg_webhooks_v3.json).

How a security policy is hung on a parse setting is told in the guide and missing in the specification; here it is the
field `security_policy`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.exchange import Answer, Request
from sandbox.sendgrid.account import Account
from sandbox.sendgrid.inbound import Inbound, ParseSetting, Policy
from sandbox.sendgrid.refusals import not_found, single, wrong_method
from sandbox.sendgrid.signing import Signer
from sandbox.sendgrid.telling import KINDS, Telling, Webhook

MOST_WEBHOOKS = 5


class Hooks:
    def __init__(self, account: Account, telling: Telling, inbound: Inbound) -> None:
        self._account, self._telling, self._inbound = account, telling, inbound

    def answer(self, request: Request, parts: list[str]) -> Answer:
        match parts:
            case ["event", "settings", "all"]:
                rows = [self._row(webhook, key=True) for webhook in self._telling.webhooks]
                return Answer.json({"max_allowed": MOST_WEBHOOKS, "webhooks": rows})
            case ["event", "settings", "signed", *named]:
                return self._signed(request, named)
            case ["event", "settings", *named]:
                return self._event_settings(request, named)
            case ["event", "test"] if request.method == "POST":
                self._telling.test(str(request.json().get("url", "")))
                return Answer(204)
            case ["parse", "settings", *named]:
                return self._parse_settings(request, named)
            case ["security", "policies", *named]:
                return self._policies(request, named)
        return not_found()

    # --- who is told of events

    def _event_settings(self, request: Request, named: list[str]) -> Answer:
        if request.method == "POST":
            return self._new_webhook(request)
        webhook = self._webhook(named)
        if webhook is None:
            return Answer.json({"errors": [{"message": "Invalid id provided."}]}, 404)
        match request.method:
            case "GET":
                return Answer.json(self._row(webhook, key=True, dates=("created_at", "updated_at")))
            case "PATCH":
                return self._changed(webhook, request.json())
            case "DELETE" if named:
                self._telling.webhooks.remove(webhook)
                return Answer(204)
        return wrong_method()

    def _new_webhook(self, request: Request) -> Answer:
        if len(self._telling.webhooks) >= MOST_WEBHOOKS:
            message = "You have reached the maximum number of webhooks per your current billing plan."
            return Answer.json({"errors": [{"message": message}]}, 400)
        now = self._account.now()
        webhook = Webhook(self._account.new_id(), "", now, now)
        answer = self._changed(webhook, request.json(), status=201)
        if answer.status == 201:
            self._telling.webhooks.append(webhook)
        return answer

    def _changed(self, webhook: Webhook, wanted: dict[str, Any], status: int = 200) -> Answer:
        url = str(wanted.get("url") or webhook.url)
        if not url.startswith(("http://", "https://")):
            return Answer.json({"errors": [{"message": f"'{url}' is not a valid url"}]}, 400)
        for other in self._telling.webhooks:
            if other is not webhook and other.url == url:
                message = f"Webhook at '{url}' already exists. Please provide a unique URL."
                return Answer.json({"errors": [{"id": other.id, "message": message, "url": url}]}, 400)
        webhook.url, webhook.updated = url, self._account.now()
        webhook.enabled = bool(wanted.get("enabled", webhook.enabled))
        webhook.friendly_name = wanted.get("friendly_name", webhook.friendly_name)
        for name in KINDS.values():
            if name in wanted:
                (webhook.wants.add if wanted[name] else webhook.wants.discard)(name)
        return Answer.json(self._row(webhook), status)

    def _signed(self, request: Request, named: list[str]) -> Answer:
        webhook = self._webhook(named)
        if webhook is None:
            return Answer.json({"errors": [{"message": "Invalid id provided."}]}, 404)
        if request.method == "PATCH":
            wanted = bool(request.json().get("enabled"))
            webhook.signer = (webhook.signer or Signer.drawn(self._account.chance)) if wanted else None
        elif request.method != "GET":
            return wrong_method()
        key = webhook.signer.public_key if webhook.signer else ""
        return Answer.json({"id": webhook.id if named else "", "public_key": key})

    def _webhook(self, named: list[str]) -> Webhook | None:
        """By its id; without one, the oldest."""
        webhooks = self._telling.webhooks
        return next((webhook for webhook in webhooks if not named or webhook.id == named[0]), None)

    def _row(
        self, webhook: Webhook, *, key: bool = False, dates: tuple[str, str] = ("created_date", "updated_date")
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"enabled": webhook.enabled, "url": webhook.url, "account_status_change": False}
        row |= {name: name in webhook.wants for name in KINDS.values()}
        row |= {"friendly_name": webhook.friendly_name, "id": webhook.id, "oauth_client_id": None}
        row |= {"oauth_token_url": None, dates[0]: _stamp(webhook.created), dates[1]: _stamp(webhook.updated)}
        if key:
            row["public_key"] = webhook.signer.public_key if webhook.signer else ""
        return row

    # --- where mails are handed in

    def _parse_settings(self, request: Request, named: list[str]) -> Answer:
        inbound = self._inbound
        match request.method, named:
            case "GET", []:
                return Answer.json({"result": [_parse_row(setting) for setting in inbound.settings.values()]})
            case "POST", []:
                wanted = request.json()
                if not wanted.get("hostname") or not wanted.get("url"):
                    return single(400, "hostname and url are required")
                setting = ParseSetting(str(wanted["hostname"]).lower(), str(wanted["url"]))
                inbound.register(_filled(setting, wanted))
                return Answer.json(_parse_row(setting), 201)
            case _, [hostname] if hostname.lower() in inbound.settings:
                return self._one_parse_setting(request, inbound.settings[hostname.lower()])
        return not_found()

    def _one_parse_setting(self, request: Request, setting: ParseSetting) -> Answer:
        match request.method:
            case "GET":
                return Answer.json(_parse_row(setting))
            case "PATCH":
                return Answer.json(_parse_row(_filled(setting, request.json())))
            case "DELETE":
                self._inbound.forget(setting.hostname)
                return Answer(204)
        return wrong_method()

    # --- what signs them

    def _policies(self, request: Request, named: list[str]) -> Answer:
        policies = self._inbound.policies
        match request.method, named:
            case "GET", []:
                return Answer.json({"policies": [_policy_row(policy) for policy in policies.values()]})
            case "POST", []:
                wanted = request.json()
                if not (wanted.get("signature") or {}).get("enabled"):
                    return single(400, "one of signature or oauth must be given")
                policy = Policy(self._account.new_id(), str(wanted.get("name", "")), Signer.drawn(self._account.chance))
                policies[policy.id] = policy
                return Answer.json({"policy": _policy_row(policy)}, 201)
            case verb, [id_] if id_ in policies:
                return self._one_policy(verb, policies[id_], request.json if verb == "PATCH" else dict)
        return not_found()

    def _one_policy(self, verb: str, policy: Policy, wanted: Callable[[], dict[str, Any]]) -> Answer:
        given = wanted()
        match verb:
            case "GET":
                pass
            case "PATCH":
                policy.name = str(given.get("name", policy.name))
                if "signature" in given:
                    signed = bool(given["signature"].get("enabled"))
                    policy.signer = (policy.signer or Signer.drawn(self._account.chance)) if signed else None
            case "DELETE":
                del self._inbound.policies[policy.id]
                return Answer.json({"policy": None})
            case _:
                return wrong_method()
        return Answer.json({"policy": _policy_row(policy)})


def _filled(setting: ParseSetting, wanted: dict[str, Any]) -> ParseSetting:
    setting.url = str(wanted.get("url", setting.url))
    setting.spam_check = bool(wanted.get("spam_check", setting.spam_check))
    setting.send_raw = bool(wanted.get("send_raw", setting.send_raw))
    setting.security_policy = str(wanted.get("security_policy", setting.security_policy))
    return setting


def _parse_row(setting: ParseSetting) -> dict[str, Any]:
    row: dict[str, Any] = {"url": setting.url, "hostname": setting.hostname, "spam_check": setting.spam_check}
    row["send_raw"] = setting.send_raw
    return row | ({"security_policy": setting.security_policy} if setting.security_policy else {})


def _policy_row(policy: Policy) -> dict[str, Any]:
    signature = {"signature": {"public_key": policy.signer.public_key}} if policy.signer else {}
    return {"id": policy.id, "name": policy.name, **signature}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
