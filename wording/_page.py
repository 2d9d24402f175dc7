"""The letter as a page: what the author typed becomes paragraphs, web addresses become links, and nothing else happens.

Everything is escaped here, after the template was filled in, so neither an author nor a fact can bring markup of its
own. Nothing is fetched from anywhere when the mail is opened: no pictures but the logo that it carries, no fonts, no
counting.
"""

import re
from functools import cache
from html import escape
from pathlib import Path

from css_inline import CSSInliner

from wording.look import Look, Picture

_FOLDER = Path(__file__).with_name("layouts")
_PLACE = re.compile(r"\[\[(\w+)\]\]")
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_WIDEST_LOGO, _TALLEST_LOGO = 240, 80
_INLINER = CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)


def paragraphs(text: str) -> str:
    """Blank lines part paragraphs; a single line break stays one."""
    parts = [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text)]
    return "".join(f"<p>{_inline(part)}</p>" for part in parts if part.strip())


def page(layout: str, *, title: str, language: str, firm: str, inside: str, look: Look, logo: Picture | None) -> str:
    """The whole page, its style sheet written into each element, because many mail programmes drop style sheets."""
    filled = {
        "title": escape(title),
        "language": escape(language),
        "accent": look.colour,
        "head": _head(firm, logo),
        "body": inside,
        "foot": foot(look),
    }
    pieces = _pieces(layout)
    html = "".join(piece if place % 2 == 0 else filled[piece] for place, piece in enumerate(pieces))
    return _INLINER.inline(html)


@cache
def _pieces(layout: str) -> tuple[str, ...]:
    """The layout's HTML in turn with the names of what is filled in between. So no fact is ever searched for places."""
    return tuple(_PLACE.split(_FOLDER.joinpath(f"{layout}.html").read_text(encoding="utf-8")))


def _head(firm: str, logo: Picture | None) -> str:
    """The logo, no larger than a letterhead's; the firm's name where it has none, and where pictures are not shown."""
    if logo is None:
        return f'<span class="firm">{escape(firm)}</span>'
    scale = min(1.0, _WIDEST_LOGO / logo.width, _TALLEST_LOGO / logo.height)
    name = re.sub(r"[<>&\"]", "", firm)
    width, height = max(1, round(logo.width * scale)), max(1, round(logo.height * scale))
    return (
        f'<img class="logo" src="cid:{logo.content_id}" alt="{name}" width="{width}" height="{height}" '
        f'style="width:{width}px">'
    )


def foot(look: Look) -> str:
    """How to pay, where the firm is, and the small print."""
    parts = (look.pay_details, look.address, look.small_print)
    return "".join(f"<p>{_inline(part.strip())}</p>" for part in parts if part.strip())


def _inline(text: str) -> str:
    pieces, done = [], 0
    for found in _LINK.finditer(text):
        address = _without_punctuation(found[0])
        pieces.append(escape(text[done : found.start()]))
        pieces.append(f'<a class="link" href="{escape(address)}">{escape(address)}</a>')
        done = found.start() + len(address)
    pieces.append(escape(text[done:]))
    return "".join(pieces).replace("\n", "<br>\n")


def _without_punctuation(address: str) -> str:
    """The full stop, or the bracket that was opened before the address, is the sentence's and not the link's."""
    while address[-1] in ".,;:!?" or (address[-1] in ")]" and address.count("(") < address.count(")")):
        address = address[:-1]
    return address
