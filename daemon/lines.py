"""Lines: how a sentence stands at the terminal.

On a screen it is broken between words, and goes on below its own beginning, so that a tired eye finds the labels on the
left. In a pipe or a file every sentence stays one line, so that it can be searched for.
"""

from rich.console import Console
from rich.text import Text

_NARROWEST = 20


def tell(console: Console, said: str, *, behind: str = "") -> None:
    """Prints a sentence, behind a label or a mark. Both are Rich's markup, so what others have written is escaped."""
    label, sentence = Text.from_markup(behind, emoji=False), Text.from_markup(said, emoji=False)
    if not console.is_terminal:
        console.print(label + sentence, soft_wrap=True)
        return
    for line in sentence.wrap(console, max(console.width - label.cell_len, _NARROWEST)):
        line.rstrip()
        console.print(label + line, soft_wrap=True)
        label = Text(" " * label.cell_len)
