"""Mirrors jobs/support_bundle.py: of the secrets and people that were planted everywhere, none is in the bundle."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from jobs.masking import Mask
from jobs.support_bundle import bundle
from store.tables import (
    AccountRow,
    ChangeRow,
    ConnectionRow,
    ContactRow,
    HistoryNoteRow,
    HoldRow,
    InvoiceRow,
    OrganisationRow,
    SetAsideRow,
    SyncRunRow,
    TaskRow,
    WriteBackRow,
)
from town import Town

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 1, 5, 7, tzinfo=UTC)

SECRETS = {
    "client secret": "s3cr3t-of-the-app-QZ81",
    "smtp password": "Pa55-of-the-mailbox!",
    "imap password": "imap~hunter2~xk",
    "environment": "env-only-secret-77aZ",
    "database": "db-pass-word-31",
    "token in an error": "eyJhbGciOiJSUzI1NiJ9.planted.token",
    "token in the log": "Bearer-zzzz9999yyyy",
}
PEOPLE = {
    "firm": "Brightwater Joinery",
    "account": "Plantagenet & Söhne GmbH",
    "plain account": "The Invoice Company",
    "first name": "Wilhelmina",
    "contact": "Quentin Featherstonehaugh",
    "email": "quentin@plantagenet.example",
    "other email": "w.f@private.example",
    "mobile": "+44 7700 900123",
    "phone": "020 7946 0018",
    "address": "12 Gooseberry Lane",
    "invoice": "PLA-20417",
    "digits only": "20417703",
    "reference": "Conservatory roof",
    "note": "she cries at midnight",
    "reply": "my husband has died",
    "task": "Rosalind asks for Ludwig",
    "payer": "Theodosia",
    "city": "Llanfairpwll",
    "user": "Olive Owner",
    "login": "owner@firm.example",
}


@pytest.fixture
def town(a_town: Callable[..., Town]) -> Town:
    town = a_town(at=AT, company=False)
    town.control.add_contact(PEOPLE["account"], email=PEOPLE["email"])
    town.control.add_invoice(PEOPLE["account"], due="2026-01-06", amount="10.00", number=PEOPLE["invoice"])
    town.connect()
    plant(town)
    return town


def plant(town: Town) -> None:
    """Puts a person or a secret into every place that a bundle could look at."""
    people, office = PEOPLE, town.office
    with office.database.unit_of_work() as unit:
        ours = town.organisation
        run = unit.scalars(select(SyncRunRow)).first()
        account = unit.scalars(select(AccountRow)).first()
        assert run is not None and account is not None
        unit.execute(
            update(OrganisationRow).values(
                sender_name=people["user"],
                paused_why=people["note"],
                paused_by=people["user"],
                braked_why=people["note"],
                sending_to=people["login"],
                phone=people["phone"],
                mobile=people["mobile"],
                direct_phone=people["phone"],
                contact_email=people["other email"],
                website=f"https://{people['city']}.example",
                postal_address=people["address"],
                street_address=people["address"],
                registration=people["digits only"],
                pay_details=people["digits only"],
                small_print=people["firm"],
            )
        )
        unit.execute(
            update(ConnectionRow).values(why=f"lost {SECRETS['token in an error']}", tenant_name=people["firm"])
        )
        account.phone, account.mobile, account.first_name = people["phone"], people["mobile"], people["first name"]
        unit.add(
            AccountRow(organisation_id=ours, ledger_id="p2", name=people["plain account"], email=people["other email"])
        )
        unit.add(ContactRow(account_id=account.id, place=5, name=people["contact"], email=people["email"]))
        unit.add(
            InvoiceRow(
                organisation_id=ours,
                account_id=account.id,
                ledger_id="p3",
                number=people["digits only"],
                reference=people["reference"],
                due_on=date(2026, 1, 1),
                total=Decimal(1),
                balance=Decimal(1),
            )
        )
        run.error = (
            f"Xero refused reading Invoices: {people['account']}, {people['email']}, {people['mobile']}, "
            f"{people['invoice']}, {people['plain account']}, {people['address']}, {people['digits only']}, "
            f"{SECRETS['token in an error']}"
        )
        run.next_act = f"Ask {people['contact']} at {people['other email']}."
        run.trigger = people["payer"]
        run.cursor_before = {"invoices": "2026-01-05T07:00:00", "contacts": people["invoice"]}
        run.waits = [{"why": people["payer"], "until": "2026-01-05T07:00:00+00:00"}]
        run.calls = [
            {
                **run.calls[0],
                "path": f'/api.xro/2.0/Contacts/{people["city"]}?where=Name=="{people["account"]}"&page=2&'
                f"searchTerm={people['email']}&order={people['first name']}&token={SECRETS['token in an error']}",
                "request_id": people["contact"],
            },
            *run.calls[1:],
        ]
        raw = {
            "InvoiceID": people["invoice"],
            "Contact": {"Name": people["account"], people["payer"]: 1, "Phones": [{"PhoneNumber": people["phone"]}]},
            "Reference": people["reference"],
            "AmountDue": people["first name"],
            "Total": 12.5,
            "Address": [people["address"], people["city"]],
        }
        for reason, text in ((f"{people['contact']} is odd", json.dumps(raw)), ("no JSON", f"<p>{people['note']}</p>")):
            unit.add(
                SetAsideRow(
                    sync_run_id=run.id, list=people["payer"], ledger_id=people["invoice"], reason=reason, raw=text
                )
            )
        fields = [
            ("name", people["account"], people["plain account"]),
            ("contacts", [people["contact"]], []),
            ("number", None, people["digits only"]),
            ("status", "open", people["first name"]),
            ("payment", None, {"id": people["payer"], "on": people["city"], "amount": people["phone"]}),
            ("balance", "10.00", "0.00"),
        ]
        unit.add(
            ChangeRow(
                organisation_id=ours,
                sync_run_id=run.id,
                at=AT,
                list="invoices",
                ledger_id=people["invoice"],
                fields=fields,
            )
        )
        unit.add(TaskRow(organisation_id=ours, key="k", kind="trouble", text=people["task"], opened_at=AT))
        unit.add(
            HoldRow(
                organisation_id=ours, account_id=account.id, kind="paused", since=date(2026, 1, 5), why=people["note"]
            )
        )
        note = HistoryNoteRow(organisation_id=ours, account_id=account.id, at=AT, kind="note", text=people["reply"])
        unit.add(note)
        unit.flush()
        unit.add(
            WriteBackRow(
                note_id=note.id, organisation_id=ours, account_id=account.id, state="failed", why=people["note"]
            )
        )


def config_of(town: Town, folder: Path) -> Path:
    world = town.world
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy(town.folder / "secrets.key", folder / "data" / "secrets.key")
    path = folder / "config.toml"
    path.write_text(f"""
[server]
public_url = "https://dunning.{PEOPLE["city"].lower()}.example"
[store]
database = "{town.office.database.url}"
[xero]
client_id = "{PEOPLE["payer"]}"
client_secret = "{SECRETS["client secret"]}"
api_url = "{world.api_url}"
[email_smtp]
host = "mail.{PEOPLE["city"].lower()}.example"
username = "{PEOPLE["login"]}"
password = "{SECRETS["smtp password"]}"
from_address = "{PEOPLE["login"]}"
from_name = "{PEOPLE["user"]}"
imap_password = "{SECRETS["imap password"]}"
""")
    return path


def unpacked(zipped: bytes) -> bytes:
    """Every byte of all that is packed in it, names of files included."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return b"".join(archive.read(name) + name.encode() for name in archive.namelist())


def planted() -> list[str]:
    words = [*SECRETS.values(), *PEOPLE.values()]
    words += [part for name in PEOPLE.values() for part in name.replace("@", " ").split() if len(part) > 3]
    return [word for word in words if word.lower() not in ("invoice", "company", "conservatory", "roof", "asks")]


def test_of_all_the_secrets_and_people_that_were_planted_not_one_is_in_the_bundle(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    config_of(town, folder)
    said = f"{PEOPLE['account']} {PEOPLE['email']} {SECRETS['token in the log']}"
    (folder / "daemon.log").write_text(
        f"timestamp='2026-01-05T07:00:00Z' level='warning' event='sync failed' organisation=1 error='{said}'\n"
        f'  File "/srv/{PEOPLE["payer"]}/jobs/sync.py", line 63, in sync\n'
    )
    environment = {
        "ARREARS_EMAIL_SMTP__PASSWORD": SECRETS["environment"],
        "ARREARS_OWNER_PASSWORD": SECRETS["database"],
    }
    made = subprocess.run(
        [sys.executable, "-m", "daemon.command_line", "support-bundle", "--log", "daemon.log"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (file,) = folder.glob("arrears-support-1-*.zip")
    assert file.stat().st_mode & 0o077 == 0, "for its owner only"
    zipped = file.read_bytes()
    inside = unpacked(zipped)

    for word in planted():
        for form in (word, json.dumps(word)[1:-1]):
            assert form.encode().lower() not in inside.lower(), word
            assert form.lower() not in made.stdout.lower(), word
            # A few letters may meet by chance in what is compressed; a whole word does not.
            assert len(form) < 8 or form.encode() not in zipped, word
    key = (folder / "data" / "secrets.key").read_bytes().split()[1]
    assert key not in inside
    with town.office.database.reading() as session:
        sealed = session.scalars(select(ConnectionRow.sealed_grant)).one()
    assert sealed.encode() not in inside
    assert b"sync failed" in inside


def test_what_support_needs_is_in_it_and_can_be_followed(town: Town) -> None:
    parts = {part.name: part.text for part in bundle(town.office, town.organisation)}
    runs = json.loads(parts["sync_runs.json"])
    mask = Mask(town.office.vault.derived("support bundle")[0])

    assert runs[0]["state"] == "done"
    assert runs[0]["calls"][1]["status"] == 200
    assert runs[0]["calls"][0]["path"].startswith("/api.xro/2.0/Contacts/id-")
    assert "page=2" in runs[0]["calls"][0]["path"]
    assert runs[0]["error"].startswith("Xero refused reading Invoices: x-")
    name, stand_in = PEOPLE["invoice"], mask.ref("x", PEOPLE["invoice"])
    assert stand_in in runs[0]["error"], "in a sentence"
    assert json.loads(parts["set_aside.json"])[1]["ledger_id"] == mask.ref("id", name), "in a column"
    assert mask.ref("id", name) in json.loads(json.loads(parts["set_aside.json"])[1]["raw"])["InvoiceID"], "in a row"
    organisation = json.loads(parts["organisation.json"])
    assert organisation["settings"]["time_zone"] == "Europe/London"
    assert organisation["connection"]["refresh_expires_at"]
    assert "sealed_grant" not in parts["organisation.json"]
    assert json.loads(parts["counts.json"])["invoices"] == 2
    versions = json.loads(parts["versions.json"])
    assert versions["migration"].isdigit()
    assert ["balance", "10.00", "0.00"] in json.loads(parts["changes.json"])[0]["fields"]
    configuration = json.loads(parts["configuration.json"])
    assert configuration["xero"]["page_size"] == 1000
    assert configuration["xero"]["client_secret"] == "(set, 14 characters)"
    assert all(part in parts["README.txt"] for part in parts if part != "README.txt")


def test_another_organisations_runs_and_people_are_not_in_it(town: Town) -> None:
    with town.office.database.unit_of_work() as unit:
        other = OrganisationRow(name="Quayside", created_at=AT)
        unit.add(other)
        unit.flush()
        number = int(other.id or 0)
    parts = {part.name: json.loads(part.text) for part in bundle(town.office, number) if part.name.endswith(".json")}

    assert parts["sync_runs.json"] == parts["set_aside.json"] == parts["changes.json"] == []
    assert set(parts["counts.json"].values()) == {0}
    with pytest.raises(LookupError):
        bundle(town.office, 999)


def test_the_same_books_make_the_same_bundle(town: Town) -> None:

    assert bundle(town.office, town.organisation) == bundle(town.office, town.organisation)
