from flask import Flask
from jinja2 import DictLoader

from hksz_db.web.interface import interface
from hksz_db.web.templating import Templates, register_templates, rendered

TEMPLATE = """{{ word("a&b") }} {{ word(later) }} {{ row.items }} {{ row.copy() }} {{ row.none }}"""


def test_fixed_functions_are_called_once_for_each_language() -> None:
    asked: list[str] = []

    def word(text: str) -> str:
        asked.append(text)
        return f"{text} {interface().tag}"

    app = Flask(__name__)
    app.jinja_environment = Templates
    app.jinja_env.loader = DictLoader({"page.html": TEMPLATE})
    app.jinja_env.globals["word"] = word
    register_templates(app, {"word": word})
    for language in ("en", "zh-Hans", "en"):
        with app.test_request_context(f"/?ui={language}"):
            text = rendered("page.html", later="c", row={"items": 5})
        assert text == f"a&amp;b {language} c {language} 5 {{&#39;items&#39;: 5}} "
    assert asked == ["a&b", "c", "a&b", "c", "c"]
