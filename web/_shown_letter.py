"""A message that nobody has got yet, on a page of its own: as its reader would see it, with its subject above.

It is drawn under the strictest policy there is: the letter's own styles, the logo that it carries, and nothing else.
"""

import base64
from collections.abc import Iterable
from html import escape

from jobs.previews import Preview
from wording import Picture
from wording.segments import Segments

_BAR = (
    "font:15px/1.5 system-ui,sans-serif;padding:12px 20px;margin:0;background:#f3f5f7;color:#1f2933;"
    "border-bottom:1px solid #d9dee4"
)
_TEXT = "font:16px/1.5 system-ui,sans-serif;white-space:pre-wrap;overflow-wrap:break-word;padding:16px 20px;margin:0"


def shown_letter(step: str, seen: Preview) -> str:
    """The whole page. Whatever is not the letter's own HTML is escaped."""
    bar = [f"<strong>{escape(step)}</strong> as {escape(seen.account)} would get it today. Nothing was sent."]
    if seen.words is None:
        bar.append(f"<strong>It cannot be put into words.</strong> {escape(seen.problem)}")
    elif seen.words.subject:
        bar.append(f"Subject: <strong>{escape(seen.words.subject)}</strong>")
    if seen.segments is not None:
        bar.append(escape(segments_in_words(seen.segments)))
    above = f'<div style="{_BAR}">{"<br>".join(bar)}</div>'
    if seen.words is not None and seen.words.html:
        return _above(above, with_pictures(seen.words.html, seen.words.pictures))
    text = f'<pre style="{_TEXT}">{escape(seen.words.text)}</pre>' if seen.words is not None else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(step)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="margin:0;background:#ffffff;color:#1f2933">{above}{text}</body></html>'
    )


def segments_in_words(segments: Segments) -> str:
    """What an SMS comes to, for the person who writes it."""
    count = "1 segment" if segments.segments == 1 else f"{segments.segments} segments"
    said = f"{count}, {segments.characters} characters; {segments.room} more fit before another is charged."
    if segments.outside:
        letters = " ".join(segments.outside[:10])
        said += f" Because of {letters} a segment has room for 70 characters only, instead of 160."
    return said


def with_pictures(html: str, pictures: Iterable[Picture]) -> str:
    """The HTML with its pictures inside, where a mail programme would take them from the parts beside it."""
    for picture in pictures:
        inside = base64.b64encode(picture.content).decode()
        html = html.replace(f"cid:{picture.content_id}", f"data:{picture.content_type};base64,{inside}")
    return html


def _above(bar: str, html: str) -> str:
    head, body, rest = html.partition("<body")
    tag, end, letter = rest.partition(">")
    return f"{head}{body}{tag}{end}{bar}{letter}"
