"""The canonical form of URLs."""

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain.urls import canonical_url

RELEASE = "https://www.info.gov.hk/gia/general/202401/24/P2024012400222.htm"
CANONICAL = "info.gov.hk/gia/general/202401/24/P2024012400222.htm"


@pytest.mark.parametrize(
    "same",
    [
        RELEASE,
        RELEASE.replace("https", "http"),
        RELEASE.replace("www.", ""),
        RELEASE.replace("www.info.gov.hk", "WWW.Info.GOV.hk."),
        RELEASE.replace(".hk/", ".hk:443/"),
        f"{RELEASE}/",
        f"{RELEASE}#top",
        f"{RELEASE}?",
        f"{RELEASE}?utm_source=x&UTM_Medium=y&fbclid=z&gclid=",
        RELEASE.replace("222.htm", "222p.htm"),
        RELEASE.replace("P2024", "%502024"),
        RELEASE.replace("/24/", "/./23/%2e%2E/24/"),
        RELEASE.replace("/gia", "/../gia"),
        CANONICAL,
    ],
)
def test_links_to_one_page_are_equal(same: str) -> None:
    assert canonical_url(same) == CANONICAL


@pytest.mark.parametrize(
    "other",
    [
        RELEASE.replace("222.htm", "223.htm"),
        RELEASE.replace("info", "INFO2"),
        RELEASE.replace("general", "General"),
        RELEASE.replace(".hk/", ".hk:8443/"),
        RELEASE.replace("https", "http").replace(".hk/", ".hk:443/"),
        f"{RELEASE}?lang=zh",
        f"{RELEASE}?utm=1",
        RELEASE.replace("www.", "m."),
        RELEASE.replace("/24/", "/.../24/"),
        f"{RELEASE}#!/page",
        RELEASE.replace("info.gov.hk", "example.org").replace("222.htm", "222p.htm"),
    ],
)
def test_links_to_other_pages_differ(other: str) -> None:
    assert canonical_url(other) != CANONICAL


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://www.news.gov.hk/eng/print/2024/01/a.html", "news.gov.hk/eng/2024/01/a.html"),
        ("https://example.org/print/a", "example.org/print/a"),
        ("https://例え.jp/%e4%bE%8B/", "xn--r8jz45g.jp/%E4%BE%8B"),
        ("http://[::1]:80/a", "[::1]/a"),
        ("http://dx.doi.org/10.1000/ABC", "doi.org/10.1000/abc"),
        ("https://www.com/", "www.com"),
        ("https://example.org/a?b=1&utm_id=7&c=%2f", "example.org/a?b=1&c=%2F"),
        ("https://example.org/a?c=1&b=2&A=3&b=1&b", "example.org/a?A=3&b=2&b=1&b&c=1"),
        ("https://example.org/a+b?q=a+b%2Bc%20d", "example.org/a+b?q=a%20b%2Bc%20d"),
        ("https://example.org/a/..", "example.org"),
        ("https://mobile.example.org/a", "mobile.example.org/a"),
        ("https://example.org/#/a", "example.org#/a"),
        ("http://web.archive.org/web/2024/http://a.org/", "web.archive.org/web/2024/http://a.org"),
    ],
)
def test_parts(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


_characters = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/%?#[]"
_label = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=5)
_host = st.lists(_label, min_size=2, max_size=4).map(".".join)
_step = st.text(string.ascii_letters + "-._~", min_size=1, max_size=5)
_path = st.lists(_step.filter(lambda step: step not in {".", ".."}), max_size=4)
_query = st.lists(
    st.tuples(st.sampled_from(["a", "b", "page", "id"]), st.text(string.digits, max_size=3)),
    max_size=3,
)


@given(st.sampled_from(["http://", "https://", "HTTP://www.", ""]), st.text(_characters))
def test_the_form_of_a_canonical_form_is_itself(start: str, rest: str) -> None:
    canonical = canonical_url(start + rest)
    assume("://" not in canonical.partition("/")[0])
    assert canonical_url(canonical) == canonical


@given(
    _host,
    _path,
    _query,
    st.sampled_from(["http://", "https://", "https://www.", "http://WWW."]),
    st.sampled_from(["", "/", "//"]),
    st.lists(st.sampled_from(["utm_source=a", "fbclid=b", "gclid", "utm_x="]), max_size=3),
    st.sampled_from(["", "#", "#top", "#:~:text=x"]),
    st.booleans(),
)
def test_what_differs_only_in_these_parts_is_equal(
    host: str,
    path: list[str],
    query: list[tuple[str, str]],
    start: str,
    end: str,
    tracking: list[str],
    fragment: str,
    has_port: bool,
) -> None:
    steps = "".join(f"/{step}" for step in path)
    way = "".join(f"/./x/../{step}" for step in path)
    pairs = [f"{name}={value}" for name, value in query]
    port = (":80" if start.startswith("http:") else ":443") if has_port else ""
    # Sorting is stable, so that values of one name stay in their order.
    asked = "&".join([*tracking, *sorted(pairs, key=lambda pair: pair[0], reverse=True)])
    plain = f"https://{host}{steps}" + (f"?{'&'.join(pairs)}" if pairs else "")
    other = f"{start}{host.upper()}{port}{way}{end}{f'?{asked}' if asked else ''}{fragment}"
    assert canonical_url(other) == canonical_url(plain)


@given(_host, _path, _path)
def test_different_paths_stay_different(host: str, one: list[str], other: list[str]) -> None:
    assume(one != other)
    assume(host not in {"info.gov.hk", "news.gov.hk"})
    first, second = (canonical_url(f"https://{host}/{'/'.join(path)}") for path in (one, other))
    assert first != second
