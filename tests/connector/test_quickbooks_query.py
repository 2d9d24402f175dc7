"""Mirrors connector/_quickbooks_query.py: no value can change what is asked."""

from hypothesis import given
from hypothesis import strategies as st

from connector._quickbooks_query import Question, batches, one_of, quoted, since, without_values


def read_back(literal: str) -> tuple[str, str]:
    """A value in quotes read as QuickBooks reads it: (the value, what stands behind it)."""
    assert literal[0] == "'"
    value, place = "", 1
    while literal[place] != "'":
        if literal[place] == "\\":
            place += 1
        value += literal[place]
        place += 1
    return value, literal[place + 1 :]


@given(value=st.text(alphabet=st.one_of(st.sampled_from("'\\"), st.characters())))
def test_a_value_always_comes_out_of_its_quotes_as_it_went_in(value):
    assert read_back(f"{quoted(value)} AND") == (value, " AND")


@given(values=st.lists(st.text(alphabet="'\\, ()ab"), min_size=1, max_size=4))
def test_a_list_always_has_as_many_values_as_it_was_given(values):
    rest = one_of("Id", values).removeprefix("Id IN (")
    for value in values:
        said, rest = read_back(rest)
        assert said == value
        rest = rest.removeprefix(", ")
    assert rest == ")"


def test_a_question_is_one_statement_in_quickbooks_own_order():
    question = Question(
        "Invoice", ("Balance > '0'", since("2026-01-05T09:00:00+00:00")), in_order=True, start=3, most=9
    )

    assert str(question) == (
        "SELECT * FROM Invoice WHERE Balance > '0' AND MetaData.LastUpdatedTime >= '2026-01-05T09:00:00+00:00'"
        " ORDERBY MetaData.LastUpdatedTime ASC STARTPOSITION 3 MAXRESULTS 9"
    )
    assert str(Question("Invoice", count=True)) == "SELECT COUNT(*) FROM Invoice"


@given(value=st.text(alphabet="'\\abc 9@", min_size=1).filter(lambda text: text != "0"))
def test_the_sync_log_never_shows_a_value_that_could_be_somebodys_name(value):
    shown = without_values(f"SELECT * FROM Customer WHERE DisplayName = {quoted(value)} AND Balance > '0'")

    assert shown == "SELECT * FROM Customer WHERE DisplayName = ? AND Balance > '0'"


def test_the_sync_log_counts_ids_and_shows_times():
    asked = Question("Invoice", (one_of("Id", ["1", "2", "3"]), since("2026-01-05T09:00:00+00:00")))

    assert "Id IN (3) AND MetaData.LastUpdatedTime >= '2026-01-05T09:00:00+00:00'" in without_values(str(asked))


def test_each_id_is_asked_for_once():
    assert [*batches(["1", "2", "1", "3"], 2)] == [["1", "2"], ["3"]]
