"""Mirrors wording/render.py: a reminder in words, with the right facts and nothing that a stranger could slip in."""

from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wording import Line, Look, Rendered, Statement, TemplateProblem, placeholders, render, said, texted

AS_OF = date(2025, 6, 30)


def a_line(number="INV-1", due="2025-05-19", balance="1200.00", currency="GBP", **more) -> Line:
    due_on = date.fromisoformat(due)
    usual = {"reference": "", "issued_on": due_on - timedelta(30), "total": Decimal(more.pop("total", balance))}
    return Line(
        number=number,
        due_on=due_on,
        balance=Decimal(balance),
        currency=currency,
        age=(AS_OF - due_on).days,
        **{**usual, **more},
    )


def a_statement(*lines: Line, **more) -> Statement:
    usual = {
        "organisation": "Brightwater Joinery",
        "account": "Harbour Café",
        "as_of": AS_OF,
        "lines": lines or (a_line(),),
        "contact_first_name": "Mia",
        "contact_last_name": "O'Neill",
    }
    return Statement(**{**usual, **more})


def body(template: str, statement: Statement | None = None) -> str:
    """What the author's own words become, without the statement table."""
    return render("x", template + "{{ statement }}", statement or a_statement()).text.split("\n\nStatement of")[0]


def a_letter(template: str = "Hi\n\n{{ statement }}\n\nBye", statement: Statement | None = None) -> Rendered:
    return render("Reminder", template, statement or a_statement())


@pytest.mark.parametrize(
    ("placeholder", "shown"),
    [
        ("organisation.name", "Brightwater Joinery"),
        ("organisation.phone", "0117 496 0000"),
        ("sender.name", "Tom Ashby"),
        ("owner.full_name", "Tom Ashby"),
        ("contact.first_name", "Mia"),
        ("contact.last_name", "O'Neill"),
        ("contact.full_name", "Mia O'Neill"),
        ("contact.email", "mia@cafe.example"),
        ("account.name", "Harbour Café"),
        ("account.number", "HC-17"),
        ("account.days_overdue", "42"),
        ("account.invoice_count", "3"),
        ("account.overdue_count", "2"),
        ("account.total_due", "£1,850.50"),
        ("account.total_overdue", "£1,450.50"),
        ("today", "30 June 2025"),
        ("invoices[0].number", "INV-1"),
        ("invoices.first.due_on", "19 May 2025"),
        ("invoices[1].balance", "£250.50"),
        ("invoices[1].total", "£1,000.00"),
        ("invoices.last.days_overdue", "0"),
        ("invoices.size", "3"),
    ],
)
def test_each_placeholder_shows_its_fact_as_the_country_writes_it(placeholder, shown):
    statement = a_statement(
        a_line("INV-3", due="2025-07-14", balance="400.00"),
        a_line("INV-2", due="2025-06-06", balance="250.50", total="1000.00"),
        a_line("INV-1"),
        account_number="HC-17",
        contact_email="mia@cafe.example",
        sender_name="Tom Ashby",
        organisation_phone="0117 496 0000",
    )

    assert body("{{ " + placeholder + " }}", statement) == shown


def test_several_currencies_stand_side_by_side_and_are_never_added_up():
    statement = a_statement(a_line(), a_line("INV-2", balance="300", currency="EUR"))

    assert body("{{ account.total_overdue }}", statement) == "£1,200.00 and €300.00"


@pytest.mark.parametrize(
    ("locale", "currency", "shown"),
    [
        ("en_GB", "GBP", "£1,200.00 on 19 May 2025"),
        ("en_AU", "AUD", "$1,200.00 on 19 May 2025"),
        ("en_US", "USD", "$1,200.00 on May 19, 2025"),
        ("en_GB", "USD", "US$1,200.00 on 19 May 2025"),
        ("de_DE", "EUR", "1.200,00\xa0€ on 19.05.2025"),
        ("en-NZ", "NZD", "$1,200.00 on 19 May 2025"),
        ("ja_JP", "JPY", "¥1,200 on 2025/05/19"),
    ],
)
def test_amounts_and_dates_are_written_as_the_debtors_country_does(locale, currency, shown):
    text = render(
        "x",
        "{{ invoices[0].balance }} on {{ invoices[0].due_on }}",
        a_statement(a_line(currency=currency), locale=locale),
    ).text

    assert text.split("\n")[0].replace("￥", "¥") == shown


def test_a_locale_that_does_not_exist_is_a_problem_in_a_sentence():
    with pytest.raises(TemplateProblem, match="xx_YY"):
        render("x", "y", a_statement(locale="xx_YY"))


def test_what_the_customer_disputes_is_listed_but_not_asked_for():
    statement = a_statement(
        a_line("INV-1", balance="300", disputed=True), a_line("INV-2", due="2025-06-06", balance="100")
    )
    letter = a_letter("{{ account.total_overdue }}, {{ account.days_overdue }} days", statement)

    assert letter.text.startswith("£100.00, 24 days")
    assert "(disputed)" in letter.text and "(disputed)" in letter.html
    assert "In dispute" in letter.text and "£300.00" in letter.text


def test_an_account_with_nothing_overdue_yet_owes_zero_overdue():
    statement = a_statement(a_line(due="2025-07-14"))

    assert (
        body("{{ account.total_overdue }} {{ account.days_overdue }} {{ account.overdue_count }}", statement)
        == "£0.00 0 0"
    )


@pytest.mark.parametrize("first_name", ["", "  ", "\n"])
def test_a_fallback_stands_in_for_a_fact_that_is_missing(first_name):
    statement = a_statement(contact_first_name=first_name, contact_last_name="")

    assert body('Hi {{ contact.first_name | default: "there" }},', statement) == "Hi there,"
    assert body("Hi {{ contact.full_name | default: account.name }},", statement) == "Hi Harbour Café,"


def test_the_firms_own_name_is_not_signed_twice():
    statement = a_statement(sender_name="brightwater joinery")

    assert body('{{ sender.name | default: "Accounts" }}, {{ organisation.name }}', statement) == (
        "Accounts, Brightwater Joinery"
    )


def test_the_table_stands_where_its_author_wrote_it_and_at_the_end_when_that_was_forgotten():
    between, forgotten, twice = (
        a_letter("a\n{{ statement }}\nb"),
        a_letter("a\n\nb"),
        a_letter("{{ statement }}{{ statement }}"),
    )

    assert between.text.index("a\n") < between.text.index("INV-1") < between.text.index("\nb\n")
    assert forgotten.text.index("b\n") < forgotten.text.index("INV-1")
    assert twice.text.count("INV-1") == twice.html.count("INV-1") == 1


@pytest.mark.parametrize(
    "template", ["{{ statement | upcase }}", "{{ statement | truncate: 4 }}!", "{{ statement | append: statement }}"]
)
def test_a_filter_on_the_table_never_shows_its_insides(template):
    letter = a_letter("Hi " + template)

    assert "INV-1" in letter.html and "INV-1" in letter.text
    assert not any(mark in letter.html + letter.text for mark in ("\x02", "\x03"))


def test_a_tag_on_a_line_of_its_own_leaves_no_empty_line_behind():
    template = "Open:\n{% for invoice in invoices %}\n- {{ invoice.number }}\n{% endfor %}\nThanks"

    assert body(template, a_statement(a_line("A"), a_line("B"))) == "Open:\n- A\n- B\nThanks"


def test_paragraphs_and_line_breaks_are_those_that_the_author_typed():
    letter = a_letter("Hi Mia,\n\nfirst\nsecond\n\n\n\nBye\n{{ statement }}")

    assert letter.text.startswith("Hi Mia,\n\nfirst\nsecond\n\nBye\n\nStatement")
    assert letter.html.count("margin: 0 0 16px") == 3 and "first<br>\nsecond</p>" in letter.html


def test_a_subject_is_always_one_line():
    assert render(
        "Overdue:\r\n {{ account.name }}\t!", "x", a_statement(account="Harbour\r\nBcc: all@x.example")
    ).subject == ("Overdue: Harbour Bcc: all@x.example !")


@pytest.mark.parametrize(
    ("subject", "template"),
    [("", "x"), ("{{ account.number }}", "x"), ("x", ""), ("x", "{% if account.number != '' %}x{% endif %}")],
)
def test_an_empty_subject_or_body_is_a_problem_and_not_a_mail(subject, template):
    with pytest.raises(TemplateProblem, match="is empty"):
        render(subject, template, a_statement())


def test_plain_reminders_have_no_html():
    assert render("x", "y", a_statement(), layout="plain").html == ""


EVIL = '{{ 7 | times: 7 }}<script>alert(1)</script>"><img src=x onerror=y>{% include "x" %} & Sons'


@pytest.mark.parametrize(
    "field",
    [
        "organisation",
        "account",
        "account_number",
        "contact_first_name",
        "contact_email",
        "sender_name",
        "organisation_phone",
    ],
)
def test_a_name_that_looks_like_a_template_or_like_markup_stays_a_name(field):
    template = (
        "{{ organisation.name }} {{ organisation.phone }} {{ account.name }} {{ account.number }} "
        "{{ contact.full_name }} {{ contact.email }} {{ sender.name }}\n\n{{ statement }}"
    )
    letter = render("{{ account.name }}", template, a_statement(**{field: EVIL}))

    assert EVIL in letter.text and "49" not in letter.text
    assert "<script" not in letter.html and "<img" not in letter.html
    assert "&lt;script&gt;" in letter.html


@pytest.mark.parametrize("field", ["number", "reference"])
def test_an_invoice_number_or_reference_cannot_bring_markup(field):
    letter = a_letter(statement=a_statement(a_line(**{field: "<b>x</b>"})))

    assert "<b>x" not in letter.html and "&lt;b&gt;x" in letter.html


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", 'https://x.example/"onclick="y', "https://x y", "file:///etc/passwd"],
)
def test_only_an_ordinary_web_address_becomes_a_link(link):
    letter = a_letter("see {{ invoices[0].link }}.", a_statement(a_line(link=link)))

    assert "<a " not in letter.html


def test_web_addresses_become_links_without_the_full_stop_behind_them():
    letter = a_letter("Pay at https://pay.example/a?b=1&c=2. Or (see https://x.example/y) call.")

    assert 'href="https://pay.example/a?b=1&amp;c=2"' in letter.html
    assert 'href="https://x.example/y"' in letter.html
    assert "https://pay.example/a?b=1&c=2." in letter.text


def test_the_authors_own_markup_is_shown_and_not_obeyed():
    assert "&lt;b&gt;now&lt;/b&gt;" in a_letter("Pay <b>now</b>").html


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (
            "Hi\n\n{{ account.total_ovredue }}",
            "In the body, line 3: the placeholder `account.total_ovredue` is not known; "
            "nearest is `account.total_overdue`.",
        ),
        ("{% if contact.frist_name %}x{% endif %}", "line 1: the placeholder `contact.frist_name` is not known"),
        ("{{ contact.frist_name | default: 'x' }}", "nearest is `contact.first_name`"),
        (
            "{% for i in invoices %}\n{{ i.numbr }}\n{% endfor %}",
            "line 2: the placeholder `i.numbr` is not known; nearest is `i.number`",
        ),
        ("{{ account }}", "the placeholder `account` is not known"),
        ("{{ account.name | shout }}", "the filter `shout` is not known"),
        ("a\n{{ account.name", "In the body, line 2:"),
        ("{% include 'x' %}", "unexpected tag 'include'"),
        ("{% if account.name %}x", "endif"),
        ("{{ now }}", "`now` is not known"),
        ("{{ (1..9) | join: ',' }}", "a range"),
        ("x" * 20_001, "longer than 20,000"),
        ("{{" + " " * 400 + "}}", "blanks"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_in_a_sentence(template, sentence):
    with pytest.raises(TemplateProblem) as problem:
        a_letter(template)

    assert sentence in str(problem.value) and str(problem.value).endswith(".")


def test_a_problem_in_the_subject_is_named_as_one():
    with pytest.raises(TemplateProblem, match="In the subject, line 1: the placeholder `statement` is not known"):
        render("{{ statement }}", "x", a_statement())


ATTACKS = [
    "{{ ''.__class__ }}",
    "{{ account.__class__ }}",
    "{{ account.name.__class__.__mro__ }}",
    "{{ account['__class__'] }}",
    "{{ account.name.upper }}",
    "{{ invoices[0].__init__.__globals__ }}",
    "{{ account.name | safe }}",
    "{{ account.name | escapejs }}",
    "{% render 'x' %}",
    "{% liquid echo account %}",
    "{{ 'now' | date: '%s' }}",
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% assign r = (1..100000000) %}{{ r | join: 'x' }}",
    "{% for a in invoices %}" * 40,
    "{{ 'x' | replace: 'x', 'xxxxxxxxxxxxxxxxxxxx' }}",
    "{{ 'x' | split: '' }}",
]


@pytest.mark.parametrize("template", ATTACKS)
def test_a_template_can_neither_look_inside_the_program_nor_keep_it_busy(template):
    with pytest.raises(TemplateProblem):
        a_letter(template)


ENDLESS = {
    "a loop that says nothing": "{% for i in invoices %}" + "{% if 1 == 2 %}{% endif %}" * 700 + "{% endfor %}",
    "loop after loop": "{% for i in invoices %}{% assign a = i %}{% endfor %}" * 300,
    "a loop that looks": "{% for i in invoices %}" + "{% if invoices contains 'z' %}{% endif %}" * 400 + "{% endfor %}",
    "filters in a loop": "{% for i in invoices %}{% assign a = invoices | map: 'number' | join: ',' %}{% endfor %}"
    * 150,
}


@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize(("clock", "each"), [("thread_time", 0.001), ("monotonic", 0.01)])
def test_a_template_that_goes_on_and_on_is_stopped_by_the_clock_in_its_own_thread(template, clock, each, monkeypatch):
    seconds = iter(range(10**9))
    monkeypatch.setattr(f"wording._liquid.time.{clock}", lambda: next(seconds) * each)  # so much at each look
    statement = a_statement(*(a_line(f"I{n}") for n in range(1_900)))

    with pytest.raises(TemplateProblem, match=r"takes longer than 0\.5 seconds to fill in, and was stopped\."):
        render("x", template, statement)
    assert next(seconds) < 1_200  # it was noticed at the next look, and nothing went on after it


def test_a_machine_that_is_busy_with_other_things_turns_no_good_letter_away(monkeypatch):
    seconds = iter(range(10**9))
    monkeypatch.setattr("wording._liquid.time.monotonic", lambda: float(next(seconds)))  # a second at each look

    assert "Fern" in render("x", "{{ account.name }}", a_statement(a_line("I1"), account="Fern & Fig")).text


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{% for i in invoices %}{% for j in invoices %}x{% endfor %}{% endfor %}", "repeats more than 2,000 times"),
        ("{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 15, "keeps more in its own names"),
        ("{% for i in invoices %}" + "x" * 900 + "{% endfor %}", "more than 60,000 characters"),
    ],
)
def test_a_template_that_grows_without_end_is_stopped_with_what_to_do(template, sentence):
    with pytest.raises(TemplateProblem, match=sentence):
        render("body", template, a_statement(*(a_line(f"I{n}") for n in range(80))))


@pytest.mark.parametrize(
    "template",
    [
        "{{" * 9_999,
        "{" * 20_000,
        "{%" * 9_999,
        "{{ '" * 5_000,
        "{{ " + "(" * 19_000 + " }}",
        "{{ a" + " | append: a" * 1_600 + " }}",
        "{% if a" + " or a" * 3_900 + " %}x{% endif %}",
    ],
    ids=lambda template: template[:12],
)
def test_a_template_that_is_hard_to_read_is_refused_before_anybody_tries(template, monkeypatch):
    monkeypatch.setattr("wording._liquid._Locked.from_string", lambda *_: pytest.fail("it was read"))

    with pytest.raises(TemplateProblem, match=r"is not closed by `[%}]}` within 1,000 characters"):
        a_letter(template)


def test_two_texts_are_not_multiplied_with_one_another():
    long = "{% assign x = '" + "x" * 900 + "' %}"
    statement = a_statement(*(a_line(f"I{n}") for n in range(500)))

    with pytest.raises(TemplateProblem, match="a filter makes a text of more than 60,000 characters"):
        render("x", long + "{{ invoices | join: x }}", statement)


def test_a_text_that_doubles_itself_without_end_is_stopped():
    template = "{% assign x = 'xxxxxxxxxx' %}" + "{% assign x = x | append: x %}" * 60 + "{{ x }}"
    with pytest.raises(TemplateProblem):
        a_letter(template)


def test_loops_inside_loops_are_stopped():
    loop = "{% for a in invoices %}"
    with pytest.raises(TemplateProblem):
        a_letter(loop * 5 + "x" + "{% endfor %}" * 5, a_statement(*(a_line(f"I{n}") for n in range(20))))


PIECE = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        " ",
        "\n",
        "account",
        ".",
        "name",
        "__class__",
        "invoices",
        "[0]",
        "|",
        "default:",
        "'x'",
        "if",
        "for i in",
        "endfor",
        "endif",
        "''",
        "statement",
        "(1..3)",
        "=",
        "assign x",
        "size",
        "first",
        "-",
    ]
)


@given(st.lists(PIECE, max_size=14).map(" ".join))
def test_whatever_an_author_types_it_renders_or_is_a_problem_and_shows_nothing_of_the_program(template):
    try:
        letter = a_letter(template + " ok")
    except TemplateProblem as problem:
        assert str(problem).endswith(".")
    else:
        assert "<class" not in letter.text and "object at 0x" not in letter.text and "{'" not in letter.text


@given(st.text(max_size=60))
def test_no_name_at_all_breaks_the_letter(name):
    letter = render("{{ account.name }}!", "Hi {{ account.name }}", a_statement(account=name, organisation=name))

    assert "\n" not in letter.subject and "\r" not in letter.subject
    letter.html.encode("utf-8")
    _Balanced().check(letter.html)


class _Balanced(HTMLParser):
    """Every tag that is opened is closed in its turn."""

    def check(self, html: str) -> None:
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, _attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_mail_too_large_for_its_reader_is_a_problem():
    with pytest.raises(TemplateProblem, match="too long"):
        a_letter("&" * 20_000)


def test_nothing_is_fetched_when_the_mail_is_opened():
    html = a_letter(statement=a_statement(a_line(link="https://x.example/1"))).html

    assert "src=" not in html and "url(" not in html and "<link" not in html and "@import" not in html


def test_the_colour_of_the_firm_is_used_if_it_is_one():
    good, bad = Look("#aa3300"), Look("red;background:url(https://x.example)")

    assert "color: #aa3300" in render("x", "https://x.example", a_statement(), look=good).html
    assert "url(" not in render("x", "https://x.example", a_statement(), look=bad).html


def test_an_editor_can_ask_which_placeholders_a_template_names():
    found = placeholders(
        "{{ contact.first_name }} {{ foo.bar | default: 'x' }}"
        "{% for i in invoices %}{{ i.number }}{{ i.x }}{% endfor %}"
    )

    assert found.used == ("contact.first_name", "foo.bar", "invoices", "i.number", "i.x")
    assert found.unknown == ("foo.bar", "i.x")


def test_a_text_message_is_plain_words_without_a_table():
    statement = a_statement(a_line(link="https://pay.example/1"), account_number="HC-17")

    assert texted("{{ organisation.name }}: “{{ reference }}” – see {{ link }}", statement) == (
        'Brightwater Joinery: "HC-17" - see https://pay.example/1'
    )
    assert texted("Müller & <b>", statement) == "Müller & <b>"  # nothing is escaped: no phone reads HTML
    with pytest.raises(TemplateProblem, match="In the SMS, line 1: the placeholder `statement` is not known"):
        texted("{{ statement }}", statement)
    with pytest.raises(TemplateProblem, match="The SMS is empty"):
        texted("{% if false %}x{% endif %}", statement)
    with pytest.raises(TemplateProblem, match="longer than 1,600"):
        texted("x" * 1_601, statement)


def test_what_is_said_on_the_telephone_keeps_its_lines():
    assert said("1. Ask\n2. {{ account.name }}", a_statement()) == "1. Ask\n2. Harbour Café"
    with pytest.raises(TemplateProblem, match="The call says more than"):
        said("x" * 4_001, a_statement())


def test_something_to_quote_is_the_accounts_number_else_its_oldest_invoice_else_its_name():
    assert body("{{ reference }}", a_statement(account_number="HC-17")) == "HC-17"
    assert body("{{ reference }}", a_statement(a_line("INV-2", due="2025-06-01"), a_line("INV-1"))) == "INV-1"
    assert render("x", "{{ reference }}", Statement("Firm", "Café", AS_OF, ())).text == "Café\n"


def test_nothing_owed_is_an_amount_too():
    nothing = Statement("Firm", "Account", AS_OF, (), currency="EUR")

    assert "€0.00 of €0.00" in render("x", "{{ account.total_overdue }} of {{ account.total_due }}", nothing).text
