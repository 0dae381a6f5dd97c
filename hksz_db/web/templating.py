"""Templates, compiled for each language of the pages with its texts in their places.

A page has a hundred texts and paths that are the same for every row, and looks up hundreds of keys.
Calling functions for them takes longer than everything else in a template.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from flask import Flask, current_app
from flask.templating import Environment
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from hksz_db.web.interface import INTERFACES, Interface, interface

_EXTENSION = "templates"

Fixed = Mapping[str, Callable[..., str]]
"""Functions by their names in templates, whose values for fixed arguments depend on the language
of the page only."""


class Templates(Environment):
    """The templates in one language, in which calls of ``fixed`` functions are made only once."""

    fixed: Fixed

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The value of a key of a document, or else the attribute."""
        # Jinja looks for an attribute first, and an error is raised for each that is missing.
        # What a client has sent may have the name of a method as a key; that is another type.
        if type(obj) is not dict:
            return super().getattr(obj, attribute)
        if attribute in obj:
            return obj[attribute]
        return getattr(obj, attribute, None) or self.undefined(obj=obj, name=attribute)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The names that a template knows, which do not change after it is loaded."""
        # Jinja copies and compares them for each page; its chain of mappings is slow at both.
        return {**self.globals, **(d or {})}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Fixing(self.fixed).visit(super()._parse(source, name, filename))
        return parsed


class _Fixing(NodeTransformer):
    """Replaces calls of fixed functions, if their arguments are texts, by their values."""

    def __init__(self, fixed: Fixed) -> None:
        self._fixed = fixed

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 # Jinja looks for the name
        self.generic_visit(call)
        match call:
            case nodes.Call(
                node=nodes.Name(name=name), kwargs=[], dyn_args=None, dyn_kwargs=None
            ) if name in self._fixed:
                texts = [each.value for each in call.args if isinstance(each, nodes.Const)]
                if len(texts) == len(call.args):
                    text = str(escape(self._fixed[name](*texts)))
                    return nodes.TemplateData(text, lineno=call.lineno)
        return call


def register_templates(app: Flask, fixed: Fixed) -> None:
    """Take the templates of each language from the environment of the app, which is complete."""
    complete = app.jinja_env
    assert isinstance(complete, Templates)
    complete.fixed = fixed
    app.extensions[_EXTENSION] = {each.tag: _in_language(complete, each) for each in INTERFACES}


def rendered(template: str, **context: object) -> str:
    """The text that a template makes in the language of the page."""
    templates: Templates = current_app.extensions[_EXTENSION][interface().tag]
    return templates.get_template(template).render(context)


def _in_language(complete: Templates, language: Interface) -> Templates:
    templates = complete.overlay()
    templates.globals = {**complete.globals, "interface": language}
    return templates
