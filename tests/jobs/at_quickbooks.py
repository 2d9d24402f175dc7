"""A town whose books are kept at QuickBooks Online instead of Xero."""

from connector import settings_of
from jobs import acts, connect
from tests.connector.intuit import press_connect
from town import Town

BACK = "http://127.0.0.1:8000/connections/quickbooks/callback"


def at_quickbooks(town: Town) -> int:
    """The owner connects the practice QuickBooks and starts sending after the first sync."""
    doors = {
        name: getattr(town.world.quickbooks, name) for name in ("api_url", "authorize_url", "token_url", "revoke_url")
    }
    app = settings_of("quickbooks")(client_id="sandbox-app", client_secret="sandbox-secret", **doors)
    town.office.ledgers = {**town.office.ledgers, "quickbooks": app}
    answer = press_connect(connect.begin(town.office, kind="quickbooks", session="browser", redirect_uri=BACK))
    done = connect.finish(
        town.office,
        session="browser",
        state=answer["state"],
        code=answer["code"],
        redirect_uri=BACK,
        user_id=town.owner,
        callback=answer,
    )
    assert isinstance(done, connect.Connected)
    town.organisation = done.organisation_id
    town.sync()
    acts.resume_organisation(town.office, town.organisation, by="Olive Owner")
    return town.organisation
