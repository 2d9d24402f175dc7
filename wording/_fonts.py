"""The letters of a PDF: two faces that come with the program, so that every name prints alike on every machine.

DejaVu Sans knows the letters of Europe, Greek and Cyrillic among them. A letter that it does not know, such as a
Chinese one, is printed as an empty box.
"""

from functools import cache, lru_cache
from pathlib import Path

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FOLDER = Path(__file__).with_name("fonts")

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"


@cache
def ready() -> None:
    """Both faces made known to the library, once for the process; and its pages packed as bytes, not as letters: that
    is an eighth faster, and every reader takes it.
    """
    rl_config.useA85 = 0
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(_FOLDER / f"{name}.ttf"), asciiReadable=False))


@lru_cache(maxsize=8192)
def width(text: str, face: str, size: float) -> float:
    """How wide the text is, in points."""
    return float(pdfmetrics.stringWidth(text, face, size))


def fitted(text: str, room: float, face: str, size: float) -> str:
    """The text, or as much of it as fits into so many points, with … where it was cut."""
    if width(text, face, size) <= room:
        return text
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        if width(text[:middle].rstrip() + "…", face, size) <= room:
            least = middle
        else:
            most = middle - 1
    return text[:least].rstrip() + "…"


def wrapped(text: str, room: float, face: str, size: float) -> list[str]:
    """The lines of the text, each broken between words where it does not fit."""
    lines: list[str] = []
    for paragraph in text.strip().splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and width(longer, face, size) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(fitted(line, room, face, size))
    return lines
