"""HTML mail as plain text: paragraphs and lists on their own lines, quoted parts marked with `>` as in plain mail.

Mail programmes put what they quote into boxes of their own. These are known by name, so that what a debtor wrote is
told from what we wrote even where no line says "On Monday, X wrote".
"""

import re
from html.parser import HTMLParser

_LONGEST = 1_000_000
_BLOCKS = {
    "p",
    "div",
    "tr",
    "table",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "section",
    "article",
    "dl",
    "dt",
    "dd",
}
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"}
_HIDDEN = {"script", "style", "head", "title", "template", "noscript", "svg"}
_DEEPEST_QUOTE = 20
_DEEPEST_BOX = 2_000
_DEEPEST_HIDDEN = 50

QUOTED_FROM_HERE = "\ue0f1"
"""A line of its own, of a letter that nobody writes: all that follows it is quoted."""

_QUOTES = {
    *("gmail_attr", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "zmail_extra", "OLK_SRC_BODY_SECTION"),
    "messageReplySection",
}
_QUOTES_ALL_THAT_FOLLOWS = {"appendonsend", "divRplyFwdMsg", "mail-editor-reference-message-container"}


def text_of(html: str) -> str:
    """The words a reader would see. Never fails; what lies beyond a million characters is left out."""
    reader = _Reader()
    reader.feed(
        html[:_LONGEST] + "\n<br>"
    )  # never closed: closing makes the parser go over broken input again and again
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._line_has_words = False
        self._quotes = 0
        self._hidden: list[str] = []
        self._boxes: list[bool] = []
        self._preformatted = 0

    def parse_html_declaration(self, i: int) -> int:
        """`<![` begins a comment that ends at the next `>`, whatever stands in between: Outlook's `<![if …]>` too."""
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div":
            self._open_box(
                {name for key, value in attrs if key in ("class", "id", "name") for name in (value or "").split()}
            )
        if tag in _HIDDEN and len(self._hidden) < _DEEPEST_HIDDEN:
            self._hidden.append(tag)
        elif tag == "br":
            self._end_line()
        elif tag == "hr":
            self._end_line()
            self._write("________________________________")
            self._end_line()
        elif tag == "li":
            self._break(spaced=False)
            self._write("- ")
        elif tag in ("td", "th") and self._line_has_words:
            self._write("  ")
        elif tag == "blockquote":
            self._break(spaced=True)
            self._quotes = min(self._quotes + 1, _DEEPEST_QUOTE)
        elif tag in _BLOCKS:
            self._break(spaced=tag in _SPACED)
            self._preformatted += tag == "pre"
        if tag == "body":
            self._hidden.clear()

    def _open_box(self, names: set[str]) -> None:
        if names & _QUOTES_ALL_THAT_FOLLOWS:
            self._break(spaced=False)
            self._lines.append(QUOTED_FROM_HERE)
        quoted = bool(names & _QUOTES)
        if quoted:
            self._break(spaced=True)
            self._quotes += 1
        if len(self._boxes) < _DEEPEST_BOX:
            self._boxes.append(quoted)

    def _close_box(self) -> None:
        if self._boxes and self._boxes.pop():
            self._break(spaced=False)
            self._quotes = max(self._quotes - 1, 0)

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._close_box()
        if tag in _HIDDEN and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag == "blockquote":
            self._break(spaced=False)
            self._quotes = max(self._quotes - 1, 0)
            self._break(spaced=True)
        elif tag in _BLOCKS:
            self._break(spaced=tag in _SPACED)
            self._preformatted = max(self._preformatted - (tag == "pre"), 0)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._preformatted:
            first, *rest = data.split("\n")
            self._write(first)
            for line in rest:
                self._end_line()
                self._write(line)
        else:
            self._write(re.sub(r"[ \t\n\r\f]+", " ", data))

    def _write(self, words: str) -> None:
        self._line.append(words)
        self._line_has_words = self._line_has_words or bool(words.strip())

    def text(self) -> str:
        self._end_line()
        text = "\n".join(self._lines).replace("\u200b", "").replace("\xa0", " ")
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n")

    def _break(self, *, spaced: bool) -> None:
        if self._line_has_words:
            self._end_line()
        self._line.clear()
        marks = ("> " * self._quotes).rstrip()
        if spaced and self._lines and self._lines[-1] != marks:
            self._lines.append(marks)

    def _end_line(self) -> None:
        line = "".join(self._line).rstrip() if self._preformatted else "".join(self._line).strip()
        self._lines.append(("> " * self._quotes + line).rstrip())
        self._line.clear()
        self._line_has_words = False
