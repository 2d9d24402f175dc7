"""The letter as a page: what the author typed becomes paragraphs, web addresses become links, and nothing else happens.

Everything is escaped here, after the template was filled in, so neither an author nor a fact can bring markup of its
own. Nothing is fetched from anywhere when the mail is opened: no pictures, no fonts, no counting.
"""

import re
from collections.abc import Mapping
from html import escape

_LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_DARK = (
    "@media (prefers-color-scheme:dark){"
    "body,.page{background:#16191d!important}"
    ".page,.page p,.ink,.ink th,.ink td{color:#e6e9ed!important}"
    ".ink .soft,.soft{color:#a3adb8!important}.ink .late{color:#ff8a80!important}.page a.link{color:#8ab4f8!important}"
    ".ink .line{border-color:#3a424b!important}}"
)


def accent(colours: Mapping[str, str]) -> str:
    """The firm's colour for links if it is one (`#0b57d0`), else ours."""
    chosen = colours.get("accent", "")
    return chosen if _COLOUR.fullmatch(chosen) else "#0b57d0"


def paragraphs(text: str, accent: str) -> str:
    """Blank lines part paragraphs; a single line break stays one."""
    parts = [part.strip("\n") for part in re.split(r"\n[ \t]*\n", text)]
    return "".join(f'<p style="margin:0 0 16px">{_inline(part, accent)}</p>' for part in parts if part.strip())


def page(*, title: str, language: str, inside: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(title)}</title><style>:root{{color-scheme:light dark;supported-color-schemes:light dark}}"
        f'{_DARK}</style></head><body style="margin:0;padding:0;background:#ffffff">'
        '<table role="presentation" width="100%" style="border-collapse:collapse"><tr><td style="padding:0">'
        '<table role="presentation" width="640" style="width:100%;max-width:640px;border-collapse:collapse"><tr>'
        f'<td class="page" style="padding:24px 20px;font-family:{_FONT};font-size:16px;line-height:1.5;'
        f'color:#1f2933;background:#ffffff">{inside}</td></tr></table></td></tr></table></body></html>\n'
    )


def _inline(text: str, accent: str) -> str:
    pieces, done = [], 0
    for found in _LINK.finditer(text):
        address = _without_punctuation(found[0])
        pieces.append(escape(text[done : found.start()]))
        pieces.append(f'<a class="link" href="{escape(address)}" style="color:{accent}">{escape(address)}</a>')
        done = found.start() + len(address)
    pieces.append(escape(text[done:]))
    return "".join(pieces).replace("\n", "<br>\n")


def _without_punctuation(address: str) -> str:
    """The full stop, or the bracket that was opened before the address, is the sentence's and not the link's."""
    while address[-1] in ".,;:!?" or (address[-1] in ")]" and address.count("(") < address.count(")")):
        address = address[:-1]
    return address
