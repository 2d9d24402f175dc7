"""Mirrors bench/replies.py: what counts as clean, as left and as lost, and what a list of expectations keeps."""

from hashlib import sha256
from pathlib import Path

import pytest

from bench.replies import Expected, beside, fingerprints, judge, listed, told_apart

ANSWER = "We paid this on Friday.\n"
QUOTE = "\nOn Mon, 30 Jun 2025 at 09:12, Brightwater Joinery <accounts@brightwater.example> wrote:\n\n> Please pay.\n"


def a_folder(folder: Path, *, text: str, said: str, may: str = "") -> Path:
    (folder / "quoted").mkdir()
    (folder / "quoted" / "mia.txt").write_text(text)
    (folder / "quoted" / "mia.said").write_text(said)
    (folder / "quoted" / "mia.may").write_text(may)
    return folder


@pytest.mark.parametrize(
    ("text", "said", "may", "verdict"),
    [
        (ANSWER + QUOTE, ANSWER, "", "clean"),
        (ANSWER + "-- \nMia, Fernhill Cafe\n" + QUOTE, ANSWER, "Mia, Fernhill Cafe", "clean"),
        (ANSWER + "Brightwater's reminder: please pay.\n", ANSWER, "", "left"),
        (ANSWER + QUOTE, ANSWER + "On Mon, 30 Jun 2025 we were away.\n", "", "lost"),
    ],
)
def test_a_reply_is_clean_only_if_all_of_it_and_nothing_else_is_there(tmp_path, text, said, may, verdict):
    (mail,) = beside(a_folder(tmp_path, text=text, said=said, may=may))

    assert judge(mail) == verdict


def test_a_list_expects_the_same_and_keeps_none_of_the_words(tmp_path, capsys):
    folder = a_folder(tmp_path, text=ANSWER + QUOTE, said=ANSWER)
    (mail,) = beside(folder)
    print_of_it = sha256(mail.path.read_bytes()).hexdigest()[:16]
    line = "\t".join(["quoted", "mia.txt", print_of_it, "somewhere", " ".join(mail.said), ""])
    found_in = tmp_path / "list.tsv"
    found_in.write_text(f"{line}\nquoted\tgone.txt\t{print_of_it}\tsomewhere\t\t\n")

    assert list(listed(folder, found_in)) == [mail]
    assert "Friday" not in line
    assert "1 mails of the list are not in the folder" in capsys.readouterr().out


def test_blanks_and_rules_of_dashes_say_nothing():
    assert fingerprints("  We  paid. \n\n----\n") == fingerprints("We paid.")


def test_a_person_taken_for_a_bounce_is_counted_by_itself(tmp_path, capsys):
    mail = tmp_path / "mia"
    mail.write_text("From: MAILER-DAEMON@cafe.example\nSubject: failure notice\n\nCould not be delivered.\n")

    missed = told_apart([Expected(mail, "people"), Expected(mail, "bounces")])

    assert missed == [False]
    assert "taken for a bounce without being one: 1 of 1" in capsys.readouterr().out
