"""Forms and letters: one format, one validator, one renderer."""

from forms.definition import Kind, Page, fields_of, form_title, label_of, page_title, pages_of
from forms.letters import JailedLetters, LetterFailed
from forms.library import FormLibrary
from forms.render import AnswerRow, answer_rows, render_error_summary, render_fields
from forms.submission import read_submission
from forms.wording import error_message

__all__ = [
    "AnswerRow",
    "FormLibrary",
    "JailedLetters",
    "Kind",
    "LetterFailed",
    "Page",
    "answer_rows",
    "error_message",
    "fields_of",
    "form_title",
    "label_of",
    "page_title",
    "pages_of",
    "read_submission",
    "render_error_summary",
    "render_fields",
]
