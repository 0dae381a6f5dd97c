"""Texts in the language of the page: Flask-Babel's, looked up once for each request."""

from gettext import NullTranslations

import flask_babel
from flask import Flask, g


def register_translations(app: Flask) -> None:
    """Translate the texts of templates."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _translations().gettext(text),
        lambda one, many, number: _translations().ngettext(one, many, number),
        newstyle=True,
    )


def gettext(text: str, **values: object) -> str:
    """The text in the language of the page, with the values in its placeholders."""
    found = _translations().gettext(text)
    return found % values if values else found


def ngettext(one: str, many: str, number: int) -> str:
    """The form of the text for a number, which is ``%(num)s`` in it."""
    return _translations().ngettext(one, many, number) % {"num": number}


def marked(text: str) -> str:
    """The text, marked for extraction; ``gettext`` translates it later."""
    return text


def _translations() -> NullTranslations:
    # Flask-Babel looks up the context, the locale and the catalogue for every text.
    if "translations" not in g:
        g.translations = flask_babel.get_translations()
    found: NullTranslations = g.translations
    return found
