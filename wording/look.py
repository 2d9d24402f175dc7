"""How a letter looks: the firm's colour and logo, and what stands at its foot. None of it can fetch or run anything."""

import re
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, UnidentifiedImageError

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif"}
_LARGEST_LOGO = 200_000
_MOST_PIXELS = 4_000_000
LOGO = "logo@letter"
"""The name by which a letter's HTML shows its logo: `cid:logo@letter`."""

_PLAIN_ACCENT = "#0b57d0"


@dataclass(frozen=True, slots=True)
class Look:
    """`accent` is a colour such as `#0b57d0`; anything else counts as none. `logo` is a PNG, JPEG or GIF, or empty.

    The lines below the letter: `address` and `pay_details` may have several lines, `small_print` is one paragraph, such
    as the firm's registration. What is empty is left out.
    """

    accent: str = _PLAIN_ACCENT
    logo: bytes = b""
    address: str = ""
    pay_details: str = ""
    small_print: str = ""

    @property
    def colour(self) -> str:
        """The firm's colour if it is one, else ours."""
        return self.accent if _COLOUR.fullmatch(self.accent) else _PLAIN_ACCENT


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes with the HTML part, which shows it as `cid:<content_id>`. Sizes are those of the file."""

    content_id: str
    name: str
    content_type: str
    content: bytes
    width: int
    height: int


class NotALogo(ValueError):
    """The file cannot be used. The message is a sentence for the person who chose it."""


def logo_of(look: Look) -> Picture | None:
    """The logo as it goes with a letter; None without one, or with one that cannot be shown."""
    if not look.logo:
        return None
    try:
        return checked_logo(look.logo)
    except NotALogo:
        return None


@lru_cache(maxsize=16)
def checked_logo(content: bytes) -> Picture:
    """The logo, looked at before it is kept. Raises NotALogo.

    Mail programmes show PNG, JPEG and GIF everywhere, and little else.
    """
    if len(content) > _LARGEST_LOGO:
        raise NotALogo(
            f"The logo is larger than {_LARGEST_LOGO // 1000} KB. Every letter would carry it; make it smaller."
        )
    try:
        with Image.open(BytesIO(content), formats=tuple(_TYPES)) as image:
            width, height, kind = image.width, image.height, image.format or ""
            if width * height > _MOST_PIXELS:
                raise NotALogo(f"The logo has {width} × {height} pixels; 600 × 200 are plenty.")
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        if isinstance(problem, NotALogo):
            raise
        raise NotALogo("The logo cannot be read as a picture. Use a PNG, a JPEG or a GIF.") from problem
    return Picture(LOGO, f"logo.{kind.lower()}", _TYPES[kind], content, width, height)
