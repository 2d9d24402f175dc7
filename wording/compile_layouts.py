"""Turns the layouts from MJML, which people can read, into the HTML that mail programmes need: tables in tables.

Run once when a layout is changed (`make layouts`); what it makes is kept beside the source, so that sending a letter
needs no MJML. The places that a letter fills in, such as `[[body]]`, come through as they are.
"""

from pathlib import Path

FOLDER = Path(__file__).with_name("layouts")


def compiled(source: Path) -> str:
    """One layout as HTML, with the style sheet of the letters in its head."""
    from mjml import mjml2html  # a tool of development: the product runs without it

    html = mjml2html(source.read_text(encoding="utf-8"), fonts={})
    html = html.replace(' aria-label="[[title]]"', "")  # a stranger's words have no business inside a tag
    return html.replace("[[style]]", (FOLDER / "letter.css").read_text(encoding="utf-8").strip()).strip() + "\n"


def main() -> None:
    for source in sorted(FOLDER.glob("*.mjml")):
        source.with_suffix(".html").write_text(compiled(source), encoding="utf-8")


if __name__ == "__main__":
    main()
