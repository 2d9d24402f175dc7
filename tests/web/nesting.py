"""Reads a page as a strict reader would: every tag closed in order, and nothing where it may not stand."""

from html.parser import HTMLParser

_EMPTY = {"meta", "link", "input", "br", "img", "hr"}
_NOT_IN = {"p": {"p", "div", "form", "ul", "ol", "dl", "table", "section", "details", "pre", "blockquote", "fieldset"}}
_NOT_IN["span"] = _NOT_IN["p"] | {"h1", "h2", "h3"}


def problems(page: str) -> list[str]:
    reader = _Reader()
    reader.feed(page)
    return reader.found + [f"<{tag}> is never closed" for tag in reader.open] + reader.twice()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        self.ids += [value for name, value in attrs if name == "id" and value]
        for outer in self.open:
            if tag in _NOT_IN.get(outer, ()):
                self.found.append(f"line {line}: <{tag}> inside <{outer}>")
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"line {self.getpos()[0]}: </{tag}> closes something else")

    def twice(self) -> list[str]:
        return [f"the id {one} is given twice" for one in sorted(set(self.ids)) if self.ids.count(one) > 1]
