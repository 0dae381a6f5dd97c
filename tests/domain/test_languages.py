"""The choice between texts in several languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.languages import Preference, cased_tag, choose, is_language_tag

ALL = ("en", "zh-Hans", "zh-Hant")


@pytest.mark.parametrize(
    ("wanted", "available", "chosen"),
    [
        ("zh-Hant-HK", ALL, "zh-Hant"),
        ("zh-Hant-HK", (*ALL, "zh-Hant-HK"), "zh-Hant-HK"),
        ("zh-Hant-HK", ("en", "zh-Hans"), "zh-Hans"),
        ("zh-Hant-HK", ("en",), None),
        ("zh-Hans-CN", ALL, "zh-Hans"),
        ("zh-Hans", ("en", "zh-Hant"), "zh-Hant"),
        ("zh-HK", ALL, "zh-Hant"),
        ("zh-MO", ALL, "zh-Hant"),
        ("zh-TW", ALL, "zh-Hant"),
        ("zh-CN", ALL, "zh-Hans"),
        ("zh", ALL, "zh-Hans"),
        ("yue", ALL, "zh-Hant"),
        ("ZH-hant-hk", ("EN", "ZH-HANT"), "ZH-HANT"),
        ("zh-Hant", ("en", "zh-HK", "zh-Hans"), "zh-HK"),
        ("en-GB", ALL, "en"),
        ("en", ("zh-Hans", "zh-Hant"), None),
        ("fr", ALL, None),
        ("zh-Hant", (), None),
        # Tags that the service accepts, but that are not well-formed.
        ("zh-Hant", ("english", "zh-HK-Hant", "zh-Hans"), "zh-Hans"),
    ],
)
def test_a_language_leads_to_the_next_best(
    wanted: str, available: tuple[str, ...], chosen: str | None
) -> None:
    assert choose(Preference((wanted,)), available) == chosen


@pytest.mark.parametrize(
    ("wanted", "refused", "available", "chosen"),
    [
        (("fr", "zh-Hant"), (), ALL, "zh-Hant"),
        (("zh-HK", "en"), (), ALL, "zh-Hant"),
        (("zh-HK", "en"), (), ("en", "zh-Hans"), "zh-Hans"),
        # The other script waits for its turn if it has one.
        (("zh-HK", "en", "zh-Hans"), (), ("en", "zh-Hans"), "en"),
        (("zh-HK",), ("zh-Hans",), ("en", "zh-Hans"), None),
        (("zh-HK",), ("zh",), ALL, None),
        (("zh-Hant",), ("zh",), ALL, "zh-Hant"),
        (("en-GB", "zh"), ("en",), ("en", "zh-Hant"), "zh-Hant"),
        (("en-GB",), ("en",), ("en", "en-GB"), "en-GB"),
    ],
)
def test_the_order_of_languages_counts(
    wanted: tuple[str, ...],
    refused: tuple[str, ...],
    available: tuple[str, ...],
    chosen: str | None,
) -> None:
    assert choose(Preference(wanted, refused), available) == chosen


TAGS = st.sampled_from([*ALL, "zh", "zh-HK", "zh-Hant-HK", "zh-CN", "en-GB", "fr", "pt-BR", "xx"])


@given(st.lists(TAGS, max_size=5), st.lists(TAGS, max_size=3), st.lists(TAGS, max_size=5))
def test_only_available_languages_are_chosen_and_no_refused_one(
    wanted: list[str], refused: list[str], available: list[str]
) -> None:
    chosen = choose(Preference(tuple(wanted), tuple(refused)), tuple(available))
    assert chosen is None or chosen in available
    assert chosen is None or chosen in wanted or chosen not in refused
    if first := next((tag for tag in wanted if tag in available and tag not in refused), None):
        assert chosen is not None, first


@pytest.mark.parametrize("tag", ["english", "zh-Hant-", "zh-HK-Hant", "en-a", "", "*"])
def test_malformed_tags(tag: str) -> None:
    assert not is_language_tag(tag)


@pytest.mark.parametrize(
    ("tag", "cased"),
    [
        ("ZH-hant", "zh-Hant"),
        ("zh-HANT-hk", "zh-Hant-HK"),
        ("EN-gb", "en-GB"),
        ("ENG", "eng"),
        ("ES-419", "es-419"),
        ("zh-Hant-x-HK", "zh-Hant-x-hk"),
        ("Not-a-Tag", "not-a-tag"),
        ("SL-rozaj-BISKE", "sl-rozaj-biske"),
        ("sgn-be-fr", "sgn-BE-FR"),
    ],
)
def test_a_tag_has_the_case_of_bcp_47(tag: str, cased: str) -> None:
    assert cased_tag(tag) == cased
