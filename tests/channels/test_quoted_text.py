"""Mirrors channels/_quoted_text.py: what is new in a reply, and never less than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels._quoted_text import said

OUR_REMINDER = """Hi Mia,

Just a quick reminder that your account with us shows an overdue balance of £1,200.00.

Kind regards,
Tom Ashby"""
MARKED = "\n".join(f"> {line}".rstrip() for line in OUR_REMINDER.split("\n"))
TOKEN_ADDRESS = "replies+00000005000000092tdb0030mv2m7@firm.example"

ANSWERS_ABOVE_A_QUOTE = {
    "Gmail": f"""Hi Tom, we paid this on Friday.

Mia

On Mon, 30 Jun 2025 at 09:12, Brightwater Joinery <accounts@brightwater.example>
wrote:

{MARKED}
""",
    "Gmail in America": f"""Will pay this week.

On Mon, Jun 30, 2025 at 9:12 AM Brightwater Joinery <
{TOKEN_ADDRESS}> wrote:

{MARKED}
""",
    "Outlook": f"""Dear Tom,

This was paid by BACS on 27 June.

Regards
Mia

________________________________
From: Brightwater Joinery <accounts@brightwater.example>
Sent: 30 June 2025 09:12
To: Mia O'Neill <mia@cafe.example>
Subject: A quick reminder about your account

{OUR_REMINDER}
""",
    "Outlook without addresses": f"""Approved for Thursday's run.

From: Brightwater Joinery
Sent: Monday, 30 June 2025 9:12 AM
To: Mia O'Neill
Cc: Office
Subject: RE: A quick reminder about your account

{OUR_REMINDER}
""",
    "old Outlook": f"""Please resend INV-1042.

-----Original Message-----
From: Brightwater Joinery [mailto:accounts@brightwater.example]
Sent: Monday, June 30, 2025 9:12 AM
To: Mia
Subject: Reminder

{OUR_REMINDER}
""",
    "Apple Mail": f"""Paid just now, sorry!

Sent from my iPhone

> On 30 Jun 2025, at 09:12, Brightwater Joinery <accounts@brightwater.example> wrote:
>
{MARKED}
""",
    "Apple Mail on a desk": f"""Paid just now.

On 30 Jun 2025, at 09:12, Brightwater Joinery wrote:

{MARKED}
""",
    "Yahoo": f"""Which invoice is this?

On Monday, 30 June 2025 at 09:12:33 GMT+1, Brightwater Joinery <accounts@brightwater.example> wrote:

{OUR_REMINDER}
""",
    "Samsung": f"""ok will do

-------- Original message --------
From: Brightwater Joinery <accounts@brightwater.example>
Date: 30/06/2025 09:12 (GMT+00:00)
To: mia@cafe.example
Subject: Reminder

{OUR_REMINDER}
""",
    "Gmail in German": f"""Guten Tag, die Rechnung ist bereits überwiesen.

Am Mo., 30. Juni 2025 um 09:12 Uhr schrieb Brightwater Joinery <
accounts@brightwater.example>:

{MARKED}
""",
    "Outlook in German": f"""Wir zahlen am Freitag.

Von: Brightwater Joinery <accounts@brightwater.example>
Gesendet: Montag, 30. Juni 2025 09:12
An: Mia Neumann <mia@cafe.example>
Betreff: Zahlungserinnerung

{OUR_REMINDER}
""",
    "Gmail in French": f"""Bonjour, le virement part demain.

Le lun. 30 juin 2025 à 09:12, Brightwater Joinery <accounts@brightwater.example> a
écrit :

{MARKED}
""",
    "Outlook in French": f"""Merci d'envoyer un duplicata.

De : Brightwater Joinery <accounts@brightwater.example>
Envoyé : lundi 30 juin 2025 09:12
À : Mia <mia@cafe.example>
Objet : Rappel

{OUR_REMINDER}
""",
    "Gmail in Spanish": f"""Pagamos el viernes.

El lun, 30 jun 2025 a las 9:12, Brightwater Joinery (<accounts@brightwater.example>)
escribió:

{MARKED}
""",
    "Gmail in Italian": f"""Pagato oggi.

Il giorno lun 30 giu 2025 alle ore 09:12 Brightwater Joinery <
accounts@brightwater.example> ha scritto:

{MARKED}
""",
    "Gmail in Dutch": f"""Wordt morgen betaald.

Op ma 30 jun 2025 om 09:12 schreef Brightwater Joinery <accounts@brightwater.example>:

{MARKED}
""",
    "Gmail in Polish": f"""Zapłacimy w piątek.

pon., 30 cze 2025 o 09:12 Brightwater Joinery <accounts@brightwater.example> napisał(a):

{MARKED}
""",
    "our own address above an unmarked quote": f"""Query on this one.

2025-06-30 Brightwater Joinery {TOKEN_ADDRESS}:

{OUR_REMINDER}
""",
}


@pytest.mark.parametrize("programme", ANSWERS_ABOVE_A_QUOTE)
def test_an_answer_above_our_quoted_reminder_is_read_without_it(programme):
    mail = ANSWERS_ABOVE_A_QUOTE[programme]
    answer = said(mail)

    assert answer.strip() and mail.startswith(answer)
    assert "overdue balance" not in answer
    assert "accounts@" not in answer and "wrote" not in answer and "Original" not in answer
    assert answer.split("\n")[0] == mail.split("\n")[0]


def test_answers_between_quoted_lines_are_all_kept():
    mail = """On Mon, 30 Jun 2025 at 09:12, Brightwater Joinery <a@brightwater.example> wrote:
> INV-1042, due 19 May, £1,200.00

Paid on Friday.

> INV-1049, due 28 May, £300.00

We never received these goods.

> Kind regards
"""

    assert said(mail) == "Paid on Friday.\n\nWe never received these goods."


def test_an_answer_below_the_quote_is_kept():
    mail = f"On 30 Jun 2025, at 09:12, Tom wrote:\n\n{MARKED}\n\nThis is with our insurers now.\n"

    assert said(mail) == "This is with our insurers now."


def test_answers_between_marked_lines_without_an_introduction_are_kept():
    assert said("> Has INV-1 been paid?\nYes, on Friday.\n> And INV-2?\nNext week.") == "Yes, on Friday.\nNext week."


PAYMENT_ADVICE = """Hello, payment was made today, details below.

From: Westpac Business One 4471
To: Brightwater Joinery Ltd
Date: 27 June 2025
Amount: £1,200.00
Reference: INV-1042
"""
PAYMENT_ADVICE_BY_A_BANK = """Remittance advice follows.

From: payments@westpac.example
To: accounts@brightwater.example
Date: 27 June 2025

Amount: £1,200.00
Reference: INV-1042
"""


@pytest.mark.parametrize(
    "mail",
    [
        PAYMENT_ADVICE,
        PAYMENT_ADVICE_BY_A_BANK,
        "From: Westpac\nTo: Brightwater\nDate: 27 June 2025\n\nThat is all the bank tells us.",
        "Anything\n> 5,000 needs approval by the board, so please split the invoice.",
        "Orders of\n> 5,000 need the board\n> 10,000 need the owner\nso it takes a while.",
        "As your colleague Sarah wrote:\nno need to pay before August.",
        "Hi Tom,\n\nI wrote to you on 3 June 2025 about this:\n\nthe goods were damaged.",
        "Hi Tom\n\nOn Friday we paid the following:\n\nINV-1042 £1,200.00\nINV-1051 £830.50",
        "--\nMia O'Neill\nHarbour Café",
        "From: Mia\nSubject: the invoice\nIt is wrong.",
    ],
)
def test_words_of_the_customer_that_only_look_like_a_quote_are_kept(mail):
    assert said(mail) == mail.strip("\n")


def test_a_comparison_above_a_real_quote_is_kept_too():
    mail = f"Anything\n> 5,000 needs approval.\n\nOn 30 Jun 2025, at 09:12, Tom <t@x.example> wrote:\n\n{MARKED}"

    assert said(mail) == "Anything\n> 5,000 needs approval."


def test_a_line_right_above_the_introduction_is_not_lost():
    mail = f"Paid on 27 June 2025, see the advice.\nOn 30 Jun 2025, at 09:12, Tom <t@x.example> wrote:\n{MARKED}"

    assert said(mail) == "Paid on 27 June 2025, see the advice."


@pytest.mark.parametrize(
    "quote",
    [
        "---- On Wed, 24 Feb 2021 14:02:50 +0530 tom@firm.example wrote ----\n\nPlease pay.",
        "-------- Oprindelig besked --------\nFra: Tom <tom@firm.example>\n"
        "Dato: 04.07.2024 17.45\nTil: m@c.dk\nEmne: Hej",
        "Tom Firm <tom@firm.example> schrieb am So., 23.\nJuni 2024, 21:08:\n\n> Bitte zahlen\n>\n> Tom",
        "2011/4/7 Tom Firm <tom@firm.example>\n\n> Please pay.",
        "Date: Fri, 28 Sep 2012 10:55:48 +0000\nFrom: tom@firm.example\nTo: mia@cafe.example\nSubject: Hello\n\nPlease",
    ],
)
def test_what_other_programmes_write_above_a_quote_is_known_too(quote):
    assert said(f"Paid on Friday.\n\n{quote}") == "Paid on Friday."


def test_a_mail_that_was_forwarded_below_a_word_of_their_own_is_kept():
    mail = "FYI\n\n---------- Forwarded message ----------\nFrom: bank@b.example\nDate: 1.1.2026\n\nYour money"

    assert said(mail) == mail


def test_words_in_front_of_an_introduction_in_the_same_line_are_not_lost():
    mail = "paid - in full--- On Wed, Apr 4, 2012 at 3:59 PM, tom@firm.example wrote:\n> Hi"

    assert said(mail).startswith("paid - in full")


@pytest.mark.parametrize(
    "mail", [MARKED, f"On 30 Jun 2025, at 09:12, Tom <t@x.example> wrote:\n\n{MARKED}", "> ok\n> fine"]
)
def test_when_nothing_would_be_left_everything_stays(mail):
    assert said(mail) == mail


def test_our_own_address_proves_an_introduction_in_a_language_we_do_not_know():
    mail = f"Az utalás ma megtörtént.\n\n2025. jún. 30., accounts@brightwater.example ezt írta:\n\n{OUR_REMINDER}"

    assert said(mail, ours=["accounts@brightwater.example"]) == "Az utalás ma megtörtént."


def test_the_line_that_asks_to_write_above_it_is_where_reading_ends():
    assert said("Paid.\n\n##- Please type your reply above this line -##\n\nanything at all") == "Paid."


@given(st.text(alphabet="ab >:\n-_@.09", max_size=300))
def test_some_of_what_was_written_is_always_left_and_nothing_is_added(text):
    answer = said(text)

    assert bool(answer.strip()) == bool(text.strip())
    assert {line.rstrip() for line in answer.split("\n")} <= {line.rstrip() for line in text.split("\n")} | {""}


def test_a_reply_of_a_hundred_thousand_lines_is_shown_as_it_is():
    assert said("> a\n" * 100_000) == "> a\n" * 100_000


def test_a_reply_of_very_long_lines_takes_no_time():
    assert said("On " + "a" * 500_000 + "\n" + "> " * 100_000 + "\n" + "-" * 100_000)


@pytest.mark.parametrize(
    "introduction",
    [
        "On 30 June 2025 09:12, Brightwater Joinery wrote:",
        "Am 30.06.2025 um 09:12 schrieb Brightwater Joinery:",
        "Op 30 juni 2025 09:12 schreef Brightwater Joinery het volgende:",
        "Le 30 juin 2025 à 09:12, Brightwater Joinery a ecrit :",
        "accounts@brightwater.example wrote:",
    ],
)
def test_a_mail_programme_that_marks_nothing_may_leave_out_the_address_or_the_day(introduction):
    assert said(f"We paid this on Friday.\n\n{introduction}\n\n{OUR_REMINDER}\n") == "We paid this on Friday."


@pytest.mark.parametrize(
    "introduction",
    [
        "On 30 June 2025 at 09:12 you wrote:",
        "Am 30.06.2025 um 09:12 schrieb er:",
        "On 30 June 2025 at 09:12 our accountant wrote:",
        "Am 30.06.2025 um 09:12 schrieb unser Steuerberater:",
        "Le 30 juin 2025 à 09:12 vous avez écrit :",
    ],
)
def test_a_debtor_who_says_who_wrote_what_and_when_keeps_every_word_of_the_answer(introduction):
    letter = f"{introduction}\n\nThe whole is due on Friday.\n\nThat is wrong: we agreed on three instalments."

    assert said(letter) == letter


def test_a_telephone_may_lose_the_end_of_the_line_after_the_original_message():
    reply = (
        f"Welche Rechnung?\n-------- Ursprüngliche Nachricht --------Von: Brightwater Datum: 30.06.25\n\n{OUR_REMINDER}"
    )

    assert said(reply) == "Welche Rechnung?"


def test_the_labels_of_a_quoted_mail_may_have_lost_their_accents():
    labels = "** De : Brightwater accounts@brightwater.example **\n** Envoye : lundi 30 juin 2025 09:12 **\n"
    labels += "** A : Mia mia@cafe.example **\n** Objet : Votre compte **\n"

    assert said(f"Nous avons paye vendredi.\n\n{labels}\n{OUR_REMINDER}") == "Nous avons paye vendredi."


@pytest.mark.parametrize("piece", ["a", "a@a.", "> a", "On 1.1.2026 10:10 ", "#", "-- original message "])
def test_a_line_of_a_million_letters_is_somebodys_words_and_is_not_searched_for_ever(piece):
    line = piece * (900_000 // len(piece))

    assert said(f"Paid on Friday.\n\n{line}\n\nMia") == f"Paid on Friday.\n\n{line.rstrip()}\n\nMia"
