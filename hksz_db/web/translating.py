"""Texts in the language of the page, from the catalogues in ``translations/``.

Catalogues are compiled when they are first needed, so that none can be older than its texts.
"""

from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from markupsafe import Markup

from hksz_db.web.interface import interface

CATALOGUES = Path(__file__).parent / "translations"


def register_translations(app: Flask) -> None:
    """Translate the texts of templates."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _translations().gettext(text),
        lambda one, many, number: _translations().ngettext(one, many, number),
        newstyle=True,
    )
    # The alias of Jinja looks for the function and escapes each text.
    app.jinja_env.globals["_"] = marked_up


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


def marked_up(text: str, **values: object) -> Markup:
    """The text for a template; as in Jinja, ``%%`` stands for a percent sign."""
    return _markup(interface().locale, text) % values


def catalogue_path(locale: str) -> Path:
    """The file with the translations into the language of a locale."""
    return CATALOGUES / locale / "LC_MESSAGES" / "messages.po"


@lru_cache(maxsize=4096)
def _markup(locale: str, text: str) -> Markup:
    # The catalogues are part of the code.
    return Markup(_catalogue(locale).gettext(text))  # noqa: S704


def _translations() -> NullTranslations:
    return _catalogue(interface().locale)


@cache
def _catalogue(locale: str) -> NullTranslations:
    path = catalogue_path(locale)
    if not path.exists():  # the texts in the code are English
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return GNUTranslations(compiled)
