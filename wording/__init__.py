"""What we say: the firm's own words, filled with facts and laid out as a message.

Templates are written by the firm, so they are treated as text from a stranger: they can name the facts handed to
them and nothing else. A template that does not render is a sentence about what is wrong, never a broken message.
"""

from wording._table import has_more
from wording.look import Look, NotALogo, Picture, checked_logo, logo_of
from wording.prewritten import PrewrittenLetter, PrewrittenStep, PrewrittenWorkflow, prewritten, prewritten_letter
from wording.render import LAYOUTS, Layout, Placeholders, Rendered, TemplateProblem, placeholders, render, said, texted
from wording.statement import Line, Statement
from wording.statement_pdf import statement_name, statement_pdf

__all__ = [
    "LAYOUTS",
    "Layout",
    "Line",
    "Look",
    "NotALogo",
    "Picture",
    "Placeholders",
    "PrewrittenLetter",
    "PrewrittenStep",
    "PrewrittenWorkflow",
    "Rendered",
    "Statement",
    "TemplateProblem",
    "checked_logo",
    "has_more",
    "logo_of",
    "placeholders",
    "prewritten",
    "prewritten_letter",
    "render",
    "said",
    "statement_name",
    "statement_pdf",
    "texted",
]
