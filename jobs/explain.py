"""Explain: why does this account stand where it stands, today?

The stored position says what was decided at the last look. This asks the engine again, with the facts of this very
moment, and writes nothing.
"""

from engine.decide import decide
from engine.facts import Decision
from jobs.office import Office
from store.facts import facts_of, ground_of
from store.tables import AccountRow


def explain(office: Office, account_id: int) -> Decision:
    """The decision for this account as of now, with every rule that was looked at. Raises LookupError when unknown."""
    with office.database.reading() as session:
        account = session.get(AccountRow, account_id)
        if account is None:
            raise LookupError(f"there is no account number {account_id}")
        ground = ground_of(session, account.organisation_id)
        facts = facts_of(session, ground, [account_id])[account_id]
        return decide(facts, office.as_of(ground.organisation))
