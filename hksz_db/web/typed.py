"""What was typed into the fields of a form."""

from werkzeug.datastructures import MultiDict

Form = MultiDict[str, str]
"""The fields of a form as they were sent."""

_DIGITS = 9


def text(form: Form, name: str) -> str:
    """The text of a field, without spaces at its ends."""
    return form.get(name, "").strip()


def number(typed: str) -> int | str:
    """The number that was typed, or what was typed if it is none that can be stored."""
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS
    return int(typed) if is_number else typed
