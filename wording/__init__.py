"""What we say: the firm's own words, filled with facts and laid out as a message.

Templates are written by the firm, so they are treated as text from a stranger: they can name the facts handed to
them and nothing else. A template that does not render is a sentence about what is wrong, never a broken message.
"""

from wording.prewritten import PrewrittenStep, PrewrittenWorkflow, prewritten
from wording.render import Layout, Placeholders, Rendered, TemplateProblem, placeholders, render
from wording.statement import Line, Statement

__all__ = [
    "Layout",
    "Line",
    "Placeholders",
    "PrewrittenStep",
    "PrewrittenWorkflow",
    "Rendered",
    "Statement",
    "TemplateProblem",
    "placeholders",
    "prewritten",
    "render",
]
