"""An HTML mail made harmless: its words, lists and tables stay; pictures, scripts, forms and styles go.

A picture tells its sender that the mail was read. So nothing is left that could be loaded from anywhere, and a link
does not say where it was followed from.
"""

import re

import nh3

_LONGEST, _DEEPEST = 200_000, 300
"""Letters, and boxes inside boxes. What strangers nest thousands deep, no browser gets through."""

_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span", "strike", "strong"),
    *("sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]*)")
_NEEDS_NO_END = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"),
    *("p", "li", "td", "th", "tr", "dt", "dd", "option", "o:p", "tbody", "thead", "tfoot", "colgroup"),
}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "template", "noscript", "svg", "math", "iframe", "object"},
    attributes={"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def harmless(html: str) -> str:
    """What may be shown. What lies beyond two hundred thousand letters is left out; the raw mail is kept.

    Empty for markup that is nested without end: its text is read elsewhere.
    """
    html = html[:_LONGEST]
    return "" if _depth(html) > _DEEPEST else _CLEANER.clean(html)


def _depth(html: str) -> int:
    """How many boxes are open at once at most, as far as that can be said without reading the markup."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _NEEDS_NO_END:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest
