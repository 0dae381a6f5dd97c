"""Convert languages as programs write them to BCP 47 tags."""

import re

from hksz_db.domain.languages import cased_tag

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
# What citation managers export for a language: its ISO 639-2 codes if the tag has two letters, its
# name in English, its own name, and its names in babel and biblatex (langid).
_NAMES = {
    "ar": "ara arabic",
    "cs": "cze ces czech",
    "da": "dan danish",
    "de": "ger deu german ngerman austrian naustrian deutsch",
    "el": "gre ell greek",
    "en": "eng english 英文 英语 英語",
    "en-AU": "australian",
    "en-CA": "canadian",
    "en-GB": "british ukenglish",
    "en-NZ": "newzealand",
    "en-US": "american usenglish",
    "es": "spa spanish castilian español",
    "fi": "fin finnish",
    "fr": "fre fra french francais français",
    "fr-CA": "canadien",
    "he": "heb hebrew",
    "hi": "hin hindi",
    "hu": "hun hungarian magyar",
    "id": "ind indonesian bahasa",
    "it": "ita italian italiano",
    "ja": "jpn japanese 日本語",
    "ko": "kor korean 한국어",
    "ms": "may msa malay",
    "nl": "dut nld dutch nederlands",
    "no": "nor norsk norwegian",
    "pl": "pol polish",
    "pt": "por portuguese português portuges",
    "pt-BR": "brazilian brazil",
    "ru": "rus russian русский",
    "sv": "swe swedish",
    "th": "tha thai",
    "tr": "tur turkish",
    "uk": "ukr ukrainian",
    "vi": "vie vietnamese",
    "yue": "cantonese 粵語 粤语 廣東話 广东话",
    "zh": "chi zho chinese mandarin putonghua 中文 汉语 漢語 普通話 普通话",
    "zh-Hans": (
        "chinese-simplified chinese-hans simplified-chinese 简体中文 簡體中文 中文-简体 中文-簡體"
        " zh-chs"
    ),
    "zh-Hant": (
        "chinese-traditional chinese-hant traditional-chinese 繁體中文 繁体中文 中文-繁體 中文-繁体"
        " zh-cht"
    ),
}
_TAGS = {name: tag for tag, names in _NAMES.items() for name in names.split()}


def language_tag(text: str) -> str | None:
    """The tag of a language, or None if the text is neither a tag nor a known name."""
    written = "-".join(re.sub("[()（）]", " ", text.replace("_", "-")).split())  # noqa: RUF001
    if tag := _TAGS.get(written.casefold()):
        return tag
    if not _TAG.fullmatch(written):
        return None
    language, *rest = written.split("-")
    short = _TAGS.get(language.lower(), language) if len(language) == 3 else language
    return cased_tag("-".join([short, *rest]))
