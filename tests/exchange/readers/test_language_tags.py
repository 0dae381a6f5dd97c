"""Languages as programs write them."""

import pytest

from hksz_db.exchange.readers.language_tags import language_tag


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("en", "en"),
        ("EN-us", "en-US"),
        ("en_GB", "en-GB"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("ZH_CN", "zh-CN"),
        ("eng", "en"),
        ("eng-US", "en-US"),
        ("chi", "zh"),
        ("yue", "yue"),
        ("English", "en"),
        ("american", "en-US"),
        ("ngerman", "de"),
        ("chinese-traditional", "zh-Hant"),
        ("Traditional Chinese", "zh-Hant"),
        ("中文", "zh"),
        ("français", "fr"),
    ],
)
def test_language_is_recognised_by_tag_code_or_name(written: str, tag: str) -> None:
    assert language_tag(written) == tag


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("Chinese (Traditional)", "zh-Hant"),
        ("Chinese (Simplified)", "zh-Hans"),
        ("中文（简体）", "zh-Hans"),  # noqa: RUF001
        ("繁体中文", "zh-Hant"),
        ("zh-hant-hk", "zh-Hant-HK"),
        ("ZH_HANS_cn", "zh-Hans-CN"),
        ("廣東話", "yue"),
    ],
)
def test_chinese_is_recognised_with_its_script(written: str, tag: str) -> None:
    assert language_tag(written) == tag


@pytest.mark.parametrize("written", ["Klingon", "en; zh", "english and chinese", "-", "e", "en-"])
def test_unknown_language_is_none(written: str) -> None:
    assert language_tag(written) is None
