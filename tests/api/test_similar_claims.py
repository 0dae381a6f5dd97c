"""Similar claims: which are found, what is compared, and which are likely the same."""
# ruff: noqa: RUF001 -- full-width digits and punctuation are read, too

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opencc import OpenCC
from sqlalchemy import text

from hksz_db.database import Database, Session
from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Client
from tests.conftest import QueryCounter

TTPS = "hksz:ttps-approved-2023"
APPROVED = "{} applications under the Top Talent Pass Scheme were approved in {}."
SEED = APPROVED.format("More than 47,000", 2023)
OVER_47000 = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "over 47,000",
    "comparator": "gt",
    "amount": "47000",
    "unit_code": "1",
}
UNDER_41000 = {**OVER_47000, "as_stated": "under 41,000", "comparator": "lt", "amount": "41000"}
OVER_41000 = {**OVER_47000, "as_stated": "over 41,000", "amount": "41000"}
FINDINGS = ("words", "numbers", "figures", "period")

Post = Callable[..., dict[str, Any]]
Similar = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def post(editor: Client) -> Post:
    """``post(statement)`` adds a claim and returns its document."""

    def add(statement, **fields):
        body = {"claimant_external_id": "hksz:hkpc", "statement": statement, **fields}
        response = editor.post("/v1/claims", body)
        assert response.status_code == 201, response.json
        return response.json

    return add


@pytest.fixture
def similar(post: Post) -> Similar:
    """``similar(statement)`` adds a claim and returns the similar ones by external id."""

    def add(statement, **fields):
        return by_name(post(statement, **fields)["similar"])

    return add


def by_name(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["claim"]["external_id"]: one for one in found}


def findings(found: dict[str, Any]) -> tuple[str, str, str, str]:
    return tuple(found[name] for name in FINDINGS)


PARAPHRASES = [
    (
        "In 2023, more than 47 000 applications under the Top Talent Pass Scheme were approved.",
        TTPS,
        "same",
    ),
    (
        "Over 47000 applications were approved in 2023 under the Top Talent Pass Scheme.",
        TTPS,
        "reordered",
    ),
    (
        "In 2017 Shenzhen and Hong Kong began to plan the Hetao cooperation zone.",
        "hksz:hetao-planning-began",
        "same",
    ),
    (
        "In 2017, HKPC set up its Shenzhen innovation and technology centre in Futian.",
        "hksz:hkpc-shenzhen-centre-2017",
        "reordered",
    ),
    (
        "In 2021 the Trade Development Council opened its Greater Bay Area centre in Shenzhen.",
        "hksz:gba-service-centre-2021",
        "contained",
    ),
    (
        "Officials and entrepreneurs made up the delegation from Shenzhen.",
        "hksz:delegation-members",
        "reordered",
    ),
    (
        "At HKPC, Zhang Liying is general manager for mainland business.",
        "hksz:zhang-liying-post",
        "reordered",
    ),
    ("Ma Yi is a computer science professor at HKU.", "hksz:ma-yi-post", "reordered"),
    (
        "Ma Yi's students have started companies in Qianhai.",
        "hksz:ma-yi-students-founded-startups",
        "reordered",
    ),
    (
        "HKPC briefed a delegation from Shenzhen on a Thursday.",
        "hksz:hkpc-briefing-thursday",
        "reordered",
    ),
]


@pytest.mark.parametrize(("statement", "name", "words"), PARAPHRASES)
def test_a_paraphrase_is_found(similar: Similar, statement: str, name: str, words: str) -> None:
    first, *_ = found = similar(statement)
    assert first == name
    assert found[name]["words"] == words
    likely = [name] if words != "reordered" else []
    assert [one for one in found if found[one]["likely_same"]] == likely


def test_reordered_words_are_likely_the_same_if_the_figures_agree(similar: Similar) -> None:
    statement = "Over 47000 applications were approved in 2023 under the Top Talent Pass Scheme."
    found = similar(statement, figures=[OVER_47000], time_edtf="2023")[TTPS]
    assert findings(found) == ("reordered", "same", "same", "same")
    assert found["likely_same"] is True


def test_the_document_of_a_similar_claim(similar: Similar, reader: Client) -> None:
    statement = (
        "More than 47,000 applications under the Top Talent Pass Scheme got approved in 2023."
    )
    found = similar(statement, time_edtf="2023-06", figures=[{**OVER_47000, "amount": "47100"}])
    claim = reader.get("/v1/claims", external_id=TTPS).json["data"][0]
    assert found[TTPS] == {
        "claim": {name: claim[name] for name in ("id", "external_id", "statement", "status")},
        "similarity": "0.88",
        "words": "contained",
        "numbers": "same",
        "figures": "same",
        "period": "overlaps",
        "likely_same": True,
    }


NEAR_MISSES = [
    ("another number", APPROVED.format("More than 41,000", 2023), {}, "numbers"),
    ("another year", APPROVED.format("More than 47,000", 2022), {}, "numbers"),
    ("no number", APPROVED.format("Many", "that year"), {}, "numbers"),
    ("another time", SEED, {"time_edtf": "2022"}, "period"),
    ("another value", SEED, {"figures": [{**UNDER_41000, "period_edtf": "2023"}]}, "figures"),
    ("another subject", SEED.replace("Top Talent Pass", "Talent Admission"), {}, "words"),
    ("the opposite", SEED.replace("were", "were not"), {}, "words"),
    ("a time before", SEED.replace("in 2023", "before 2023"), {}, "words"),
    ("another open value", SEED, {"figures": [{**OVER_41000, "period_edtf": "2023"}]}, "figures"),
]


@pytest.mark.parametrize(
    ("statement", "fields", "finding"),
    [case[1:] for case in NEAR_MISSES],
    ids=[case[0] for case in NEAR_MISSES],
)
def test_a_claim_with_one_difference_is_listed_as_not_the_same(
    similar: Similar, statement: str, fields: dict[str, Any], finding: str
) -> None:
    found = similar(statement, **fields)[TTPS]
    assert found["likely_same"] is False
    assert [name for name in FINDINGS if found[name] == "different"] == [finding]


def test_numbers_do_not_count_for_the_similarity(similar: Similar) -> None:
    for number in ("41,000", "5", "12.75", "1 000 000"):
        assert similar(APPROVED.format(f"More than {number}", 1999))[TTPS]["similarity"] == "1.00"


def test_another_modality_is_another_claim(similar: Similar) -> None:
    found = similar(SEED, modality="forecast", time_edtf="2023")[TTPS]
    assert findings(found) == ("same", "same", "none", "same")
    assert found["likely_same"] is False


def test_agreeing_figures_outweigh_different_words(similar: Similar) -> None:
    statement = SEED.replace("approved", "granted")
    assert similar(statement)[TTPS]["likely_same"] is False
    found = similar(statement, figures=[OVER_47000], time_edtf="2023")[TTPS]
    assert findings(found) == ("different", "same", "same", "same")
    assert found["likely_same"] is True


def test_agreeing_figures_do_not_outweigh_a_word_that_reverses_the_claim(similar: Similar) -> None:
    fields = {"figures": [OVER_47000], "time_edtf": "2023"}
    for statement in (SEED.replace("were", "were not"), SEED.replace("in 2023", "before 2023")):
        found = similar(statement, **fields)[TTPS]
        assert findings(found) == ("different", "same", "same", "same"), statement
        assert found["likely_same"] is False, statement


SOLD = "Bibbo sold Fargle to Nimnom."
ORDERS = [
    (SOLD, "Nimnom sold Fargle to Bibbo.", "reordered"),
    (SOLD, "Bibbo sold Fargle to Nimnom!", "same"),
    (
        "Over 47,000 applications were approved in 2023.",
        "In 2023 over 47,000 applications were approved.",
        "same",
    ),
    (
        "据新闻公报香港向深圳出售了科学园的土地。",
        "据新闻公报深圳向香港出售了科学园的土地。",
        "reordered",
    ),
    ("香港于2023年向深圳出售了土地。", "香港于2024年, 向深圳出售了土地", "same"),
]


@pytest.mark.parametrize(("one", "other", "words"), ORDERS)
def test_the_order_of_words_is_compared(
    post: Post, similar: Similar, one: str, other: str, words: str
) -> None:
    post(one, external_id="test:one")
    found = similar(other)["test:one"]
    assert found["words"] == words
    same = words == "same" and found["numbers"] != "different"
    assert found["likely_same"] is same


PAID = "Firms in the Hetao zone {} to the council {}."
TURNS = [
    *((("paid fees", ""), (f"{word} paid fees", "")) for word in ("never", "barely", "hardly")),
    (("paid fees", ""), ("failed to pay fees", "")),
    (("paid fees", ""), ("paid none of the fees", "")),
    (("paid fees", ""), ("neither paid fees nor levies", "")),
    (("paid fees", ""), ("paid fees", "without delay")),
    (("paid fees", ""), ("paid false fees", "")),
    (("paid fees", "in Futian"), ("paid fees", "outside Futian")),
    (("paid over 5 fees", ""), ("paid fewer than 5 fees", "")),
    (("paid over 5 fees", ""), ("paid less than 5 fees", "")),
    (("paid over 5 fees", ""), ("paid at most 5 fees", "")),
    (("paid over 5 fees", ""), ("paid below 5 fees", "")),
    (("paid over 5 fees", ""), ("paid under 5 fees", "")),
    (("paid over 5 fees", ""), ("paid up to 5 fees", "")),
    *((("paid fees", ""), (f"paid {word} fees", "")) for word in ("all", "every", "each")),
    *((("paid fees", ""), (f"paid {word} fees", "")) for word in ("some", "few", "several")),
    (("paid all fees", ""), ("paid some fees", "")),
    *((("paid 5 fees", ""), (f"paid 5{sign} fees", "")) for sign in ("%", " percent", " per cent")),
    (("paid 5% more", ""), ("paid 5 percentage points more", "")),
    (("paid 5% more", ""), ("paid 5 % points more", "")),
]
SAYINGS = [tuple(PAID.format(*words) for words in pair) for pair in TURNS]
SAYINGS += [
    ("香港科学园在福田设立分园。", f"香港科学园{word}在福田设立分园。") for word in "未不没沒無无非"
]


@pytest.mark.parametrize(("one", "other"), SAYINGS)
def test_a_word_that_reverses_the_claim_makes_it_different(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    post(one, external_id="test:one")
    found = similar(other)["test:one"]
    assert found["words"] == "different"
    assert found["likely_same"] is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("never paid fees", "have not paid fees"),
        ("paid 5% more", "paid 5 percent more"),
        ("paid 5 % points more", "paid 5 percentage points more"),
        ("paid below 5 fees", "paid at most 5 fees"),
        ("paid every fee", "paid all fees"),
        ("paid under the law", "paid according to law"),
    ],
)
def test_other_words_that_reverse_a_claim_are_recognised(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    post(PAID.format(one, ""), external_id="test:one")
    found = similar(PAID.format(other, ""))["test:one"]
    assert found["words"] in {"same", "contained"}
    assert found["likely_same"] is True


def test_figures_are_compared_within_their_periods(post: Post, similar: Similar) -> None:
    rise = "Approvals rose from 41,000 to 47,000."
    before = {**UNDER_41000, "period_edtf": "2022"}
    after = {**OVER_47000, "period_edtf": "2023"}
    post(rise, external_id="test:rise", figures=[before, after])
    for figures, finding in (
        ([before, after], "same"),
        ([after], "same"),
        ([{**after, "period_edtf": "2024"}], "different"),
        ([{**after, "period_edtf": "2022"}], "different"),
        ([before, {**UNDER_41000, "period_edtf": "2023"}], "different"),
        ([{**OVER_41000, "period_edtf": "2023"}], "different"),
        ([OVER_47000], "different"),
        ([UNDER_41000, OVER_47000], "same"),
        ([], "none"),
    ):
        assert similar(rise, figures=figures)["test:rise"]["figures"] == finding, figures


def test_figures_that_cannot_be_compared_are_different(post: Post, similar: Similar) -> None:
    rise = "Approvals rose a lot."
    post(rise, external_id="test:rise", figures=[OVER_47000])
    for other in ({"modality": "forecast"}, {"subject_external_id": "hksz:hkpc"}):
        found = similar(rise, figures=[{**OVER_47000, **other}])["test:rise"]
        assert findings(found) == ("same", "none", "different", "unknown"), other
        assert found["likely_same"] is False, other


def test_an_unmatched_figure_makes_the_figures_different(post: Post, similar: Similar) -> None:
    rise = "Approvals rose a lot."
    both = [OVER_47000, OVER_41000]
    post(rise, external_id="test:both", figures=both)
    assert similar(rise, figures=[OVER_47000], external_id="test:one")["test:both"]["figures"] == (
        "different"
    )
    found = similar(rise, figures=both)
    assert found["test:both"]["figures"] == "same"
    assert found["test:one"]["figures"] == "different"


def test_deleted_figures_are_not_compared(post: Post, similar: Similar, editor: Client) -> None:
    rise = "Approvals rose a lot."
    claim = post(rise, external_id="test:rise", figures=[OVER_41000])
    assert similar(rise, figures=[OVER_47000])["test:rise"]["figures"] == "different"
    editor.delete(f"/v1/figures/{claim['figures'][0]['id']}")
    assert similar(rise, figures=[OVER_47000])["test:rise"]["figures"] == "none"


def test_no_claims_of_the_seed_are_likely_the_same(reader: Client) -> None:
    claims = reader.get("/v1/claims", include="similar", per_page="100").json["data"]
    assert len(claims) == 76
    pairs = [one for claim in claims for one in claim["similar"]]
    assert len(pairs) > 30
    assert not [one for one in pairs if one["likely_same"]]


def test_similar_pairs_of_the_seed_are_found(reader: Client, database: Database) -> None:
    claims = reader.get("/v1/claims", include="similar", per_page="100").json["data"]
    found = {
        (claim["external_id"], one["claim"]["external_id"], float(one["similarity"]))
        for claim in claims
        for one in claim["similar"]
    }
    with database.transaction() as session:
        rows = session.exec_driver_sql(
            "SELECT one.external_id, other.external_id, round(similarity("
            "masked_numbers(plain_statement(one.statement)),"
            " masked_numbers(plain_statement(other.statement)))::numeric, 2)::float8"
            " FROM claims AS one JOIN claims AS other ON one.id <> other.id"
        )
        alike = {tuple(row) for row in rows if row[2] >= 0.45}
    assert found <= alike
    likely = {pair for pair in alike if pair[2] >= 0.6}
    assert likely <= found
    assert len(found) >= 0.95 * len(alike)


def test_chinese_statements_are_compared(post: Post, similar: Similar) -> None:
    post("香港科学园于2023年在福田设立分园。", external_id="test:zh", language="zh")
    found = similar("2023年 香港科学园在福田设立了分园。", language="zh")["test:zh"]
    assert findings(found) == ("different", "same", "none", "unknown")
    assert not found["likely_same"]
    again = similar("香港科学园于２０２３年在福田设立分园", language="zh")["test:zh"]
    assert findings(again) == ("same", "same", "none", "unknown")
    assert again["likely_same"]


ZONE = "河套合作區深圳園區已有一百五十個科研項目落戶，總投資逾四萬七千億元。"
SAME_IN_CHINESE = [
    ("河套合作区深圳园区已有150个科研项目落户，总投资逾47,000亿元。", "same"),
    ("河套合作區深圳園區已有１５０個科研項目落戶，總投資逾4.7萬億元", "same"),
    ("河套合作区深圳园区已有150个高端科研项目落户，总投资逾4.7万亿元。", "contained"),
]


@pytest.mark.parametrize(("statement", "words"), SAME_IN_CHINESE)
def test_statements_in_both_scripts_are_likely_the_same(
    post: Post, similar: Similar, statement: str, words: str
) -> None:
    post(ZONE, external_id="test:zh", language="zh-Hant-HK")
    found = similar(statement, language="zh-Hans")["test:zh"]
    assert (found["words"], found["numbers"]) == (words, "same")
    assert found["likely_same"] is True


NEAR_IN_CHINESE = [
    ("河套合作區深圳園區已有一百六十個科研項目落戶，總投資逾四萬七千億元。", "numbers"),
    ("河套合作區深圳園區已有一百五十個科研項目落戶，總投資逾四萬七千元。", "numbers"),
    ("河套合作区深圳园区没有150个科研项目落户，总投资逾4.7万亿元。", "words"),
    ("河套合作区深圳园区未有150个科研项目落户，总投资逾4.7万亿元。", "words"),
    ("河套合作区深圳园区已有150个科研项目落户，总投资不逾4.7万亿元。", "words"),
    ("河套合作区深圳园区已有部分科研项目落户，总投资逾4.7万亿元。", "words"),
    ("河套合作区香港园区已有150个科研项目落户，总投资逾4.7万亿元。", "words"),
]


@pytest.mark.parametrize(("statement", "finding"), NEAR_IN_CHINESE)
def test_statements_in_chinese_with_one_difference_are_listed_as_not_the_same(
    post: Post, similar: Similar, statement: str, finding: str
) -> None:
    post(ZONE, external_id="test:zh", language="zh-Hant-HK")
    found = similar(statement, language="zh")["test:zh"]
    assert found["likely_same"] is False
    assert found[finding] == "different"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("前海管理局表示，港資企業數目增至一萬家。", "前海管理局指港资企业数目已增至1万家。"),
        ("高才通計劃於2023年批出逾4.7萬宗申請。", "2023年高才通计划批出的申请逾四万七千宗。"),
        (
            "香港生產力促進局在深圳福田設立創新及科技中心。",
            "香港生产力促进局在福田设立深圳创新科技中心。",
        ),
    ],
)
def test_paraphrases_across_scripts_are_found(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    post(one, external_id="test:one", language="zh-Hant")
    assert "test:one" in similar(other, language="zh-Hans")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("前海管理局表示，港資企業數目增至一萬家。", "南沙管理局指澳资企业投资额升至两亿元。"),
        # The same characters, but hardly two of them in the same order.
        ("香港科學園在福田設立分園。", "田園設立，福在分科，學園港香。"),
    ],
)
def test_other_statements_in_chinese_are_not_similar(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    post(one, external_id="test:one", language="zh-Hant")
    assert "test:one" not in similar(other, language="zh-Hans")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("企業在{}三年內遷入。", "企業在{}三年以外遷入。"),
        ("{}企業獲批。", "{}部分企業獲批。"),
        ("{}企業獲批。", "{}所有企業獲批。"),
        ("{}獲批的企業有5家。", "{}獲批的企業至多有5家。"),
        ("{}在2023年獲批。", "{}在2023年之前獲批。"),
        ("{}的企業增加5家。", "{}的企業增加百分之五家。"),
    ],
)
def test_words_in_chinese_that_limit_a_claim_make_it_different(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    about = "在河套深港科技創新合作區深圳園區登記"
    post(one.format(about), external_id="test:one")
    found = similar(other.format(about))["test:one"]
    assert (found["words"], found["likely_same"]) == ("different", False)


@pytest.mark.parametrize(
    ("one", "other"),
    [("企業不斷遷入{}。", "企業遷入{}。"), ("不少企業遷入{}。", "企業遷入{}。")],
)
def test_words_that_only_look_like_a_negation_do_not_reverse_a_claim(
    post: Post, similar: Similar, one: str, other: str
) -> None:
    about = "河套深港科技創新合作區深圳園區"
    post(one.format(about), external_id="test:one")
    found = similar(other.format(about))["test:one"]
    assert (found["words"], found["likely_same"]) == ("contained", True)


PHRASES = (
    "香港科學園",
    "在前海設立",
    "回覆憑藉",
    "著名的項鍊",
    "臺灣與瀋陽",
    "衞生署發佈",
    "乾隆年間",
    "逾四萬七千宗",
    "二零二三年",
    "沒有獲批",
    "裏面的羣眾",
    "HKPC",
    "12.8億港元",
    "頭髮展覽",
)
IN_TRADITIONAL = st.lists(st.sampled_from(PHRASES), min_size=1, max_size=5).map("，".join)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=IN_TRADITIONAL, other=IN_TRADITIONAL)
def test_the_script_makes_no_difference(
    post: Post, editor: Client, reader: Client, one: str, other: str
) -> None:
    simplified = OpenCC("t2s").convert
    made = [post(text) for text in (one, other, simplified(one), simplified(other))]
    seen = [
        {
            found["claim"]["id"]: {**found, "claim": None}
            for found in reader.get(f"/v1/claims/{claim['id']}/similar").json["data"]
        }
        for claim in made
    ]
    for claim in made:
        editor.delete(f"/v1/claims/{claim['id']}")
    (first, second, third, fourth), ids = seen, [claim["id"] for claim in made]
    assert first[ids[2]]["words"] == "same"
    assert first[ids[2]]["similarity"] == "1.00"
    pairs = ((first, ids[1]), (third, ids[1]), (first, ids[3]), (third, ids[3]))
    assert len({str(found.get(id)) for found, id in pairs}) == 1
    assert second.get(ids[0]) == fourth.get(ids[2])


def test_each_character_has_the_form_of_its_conversions(session: Session) -> None:
    common = [
        character
        for character in map(chr, range(0x4E00, 0xA000))
        if character.encode("big5hkscs", "ignore") or character.encode("gb2312", "ignore")
    ]
    text_of_all = "\n".join(common)
    folded = text("SELECT folded_han(:content)")
    expected = session.scalar(folded, {"content": text_of_all})
    assert session.scalar(folded, {"content": expected}) == expected
    for conversion in ("t2s", "t2hk", "t2tw"):
        converted = OpenCC(conversion).convert(text_of_all)
        assert session.scalar(folded, {"content": converted}) == expected


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("四萬七千", "47000"),
        ("4.7万", "47000"),
        ("四万七", "47000"),
        ("3,500萬", "35000000"),
        ("一億二千萬", "120000000"),
        ("1.28万亿", "1280000000000"),
        ("三百零五", "305"),
        ("三百五", "350"),
        ("十二", "12"),
        ("两万", "20000"),
        ("二〇二三", "2023"),
        ("47,681", "47681"),
        # About three or four hundred, and parts of other words.
        ("三四百", None),
        ("一般", None),
        ("五一", None),
    ],
)
def test_numbers_in_chinese_are_read(session: Session, written: str, number: str | None) -> None:
    numbers = text("SELECT plain_numbers(plain_statement(:statement))::text")
    found = session.scalar(numbers, {"statement": f"共{written}家"})
    assert found == ("{}" if number is None else f"{{{number}}}")


def test_a_statement_may_have_no_words_or_one(post: Post, similar: Similar) -> None:
    post("Moved!", external_id="test:one-word")
    assert similar("It is 5.") == {}
    assert list(similar("Moved?")) == ["test:one-word"]


def test_deleted_claims_are_omitted_until_they_are_restored(
    post: Post, similar: Similar, editor: Client
) -> None:
    path = f"/v1/claims/{post(SEED, external_id='test:again')['id']}"
    assert set(similar(SEED)) == {TTPS, "test:again"}
    etag = editor.delete(path).headers["ETag"]
    assert "test:again" not in similar(SEED)
    editor.restore(path, etag)
    assert "test:again" in similar(SEED)


def test_a_reworded_claim_is_found_by_its_new_words(
    post: Post, similar: Similar, editor: Client
) -> None:
    path = f"/v1/claims/{post('Something else.', external_id='test:new')['id']}"
    changed = editor.patch(path, {"statement": SEED})
    assert by_name(changed.json["similar"])[TTPS]["likely_same"]
    assert "test:new" in similar(SEED)
    editor.patch(path, {"statement": "Something else."})
    assert "test:new" not in similar(SEED)


def test_a_removed_claim_leaves_no_bands(post: Post, session: Session) -> None:
    id = post("Something else.")["id"]
    bands = text("SELECT count(*) FROM claim_bands WHERE claim_id = :id")
    assert session.scalar(bands, {"id": id}) == 10
    session.execute(text("DELETE FROM claims WHERE id = :id"), {"id": id})
    assert session.scalar(bands, {"id": id}) == 0


@pytest.mark.parametrize("status", ["rejected", "retracted"])
def test_rejected_claims_are_listed_with_their_status(
    post: Post, similar: Similar, status: str
) -> None:
    post(SEED, external_id="test:away", status=status)
    assert similar(SEED)["test:away"]["claim"]["status"] == status


def test_ten_claims_are_listed_likely_same_first(post: Post) -> None:
    for year in range(1950, 1970):
        post(APPROVED.format("More than 47,000", year))
    found = post(SEED)["similar"]
    assert len(found) == 10
    assert [one["likely_same"] for one in found] == [True] + 9 * [False]
    assert found[0]["claim"]["external_id"] == TTPS


def test_the_same_number_is_found_among_hundreds_of_others(post: Post, session: Session) -> None:
    numbers = [f"{number:,}" for number in range(50_000, 50_400)]
    session.exec_driver_sql(
        "INSERT INTO claims (statement, language, claimant_id, modality)"
        " SELECT format(%s, number, 2023), 'en', claimant_id, 'actual'"
        " FROM claims, unnest(%s::text[]) AS number WHERE external_id = %s",
        (APPROVED.replace("{}", "%s"), numbers, TTPS),
    )
    assert post(SEED)["similar"][0]["claim"]["external_id"] == TTPS


def test_similar_claims_have_a_path_of_their_own(
    post: Post, reader: Client, query_counter: QueryCounter
) -> None:
    id = post(SEED)["id"]
    document = reader.get(f"/v1/claims/{id}", include="similar").json
    with query_counter() as counted:
        part = reader.get(f"/v1/claims/{id}/similar")
    assert len(counted.statements) == 1
    assert part.status_code == 200
    assert part.json == {"data": document["similar"]}
    assert part.json["data"][0]["claim"]["external_id"] == TTPS


def test_similar_claims_are_embedded_on_request_in_one_statement(
    post: Post, reader: Client, query_counter: QueryCounter
) -> None:
    id = post(SEED)["id"]
    assert "similar" not in reader.get(f"/v1/claims/{id}").json
    assert "similar" not in reader.get("/v1/claims").json["data"][0]
    for url in (f"/v1/claims/{id}?include=similar", "/v1/claims?include=similar&per_page=100"):
        with query_counter() as counted:
            response = reader.send("GET", url)
        assert response.status_code == 200
        assert len(counted.statements) == 1
    assert "similar" in RESOURCES["claims"].asked_embeds


NUMBERS = st.one_of(
    st.integers(0, 10**7).map(lambda number: f"{number:,}"),
    st.integers(0, 10**7).map(str),
    st.decimals("0", "1000", places=2).map(str),
)
WORDS = (
    "centres",
    "for research",
    "in Futian",
    "with partners",
    "of the council",
    "by ferry",
    "not",
)
PAIRS = st.tuples(NUMBERS, NUMBERS)
STATEMENTS = st.tuples(PAIRS, st.lists(st.sampled_from(WORDS), unique=True, max_size=4))
FIGURES = st.lists(
    st.builds(
        lambda figure, year: {**figure, **({"period_edtf": year} if year else {})},
        st.sampled_from([OVER_47000, UNDER_41000, OVER_41000]),
        st.sampled_from([None, "2022", "2023"]),
    ),
    max_size=2,
)
FIELDS = st.fixed_dictionaries(
    {"figures": FIGURES},
    optional={"time_edtf": st.sampled_from(["2022", "2023", "2023-05", "2022/2023"])},
)


def worded(numbers: tuple[str, str], extra: list[str]) -> str:
    first, second = numbers
    return " ".join(
        [f"Across {first} districts the council runs {second} hospitals", *extra, "and schools."]
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=STATEMENTS, other=STATEMENTS, numbers=PAIRS, fields=st.data())
def test_similarity_is_symmetric(
    post: Post, editor: Client, reader: Client, one, other, numbers, fields
) -> None:
    made = [post(worded(*words), **fields.draw(FIELDS)) for words in (one, other)]
    paths = [f"/v1/claims/{claim['id']}" for claim in made]
    seen = [
        {one["claim"]["id"]: one for one in reader.get(f"{path}/similar").json["data"]}
        for path in paths
    ]
    here, there = seen[0].get(made[1]["id"]), seen[1].get(made[0]["id"])
    assert (here is None) == (there is None)
    if here and there:
        assert {**here, "claim": None} == {**there, "claim": None}
        renumbered = worded(numbers, other[1])
        changed = editor.patch(paths[1], {"statement": renumbered}).json["similar"]
        (again,) = (found for found in changed if found["claim"]["id"] == made[0]["id"])
        assert again["similarity"] == here["similarity"]
    for path in paths:
        editor.delete(path)


IN_CHINESE = "二零二三年高才通計劃批出的申請逾四萬七千宗。"


def test_equal_figures_are_found_in_whatever_words(post: Post) -> None:
    found = by_name(
        post(IN_CHINESE, language="zh-Hant", time_edtf="2023", figures=[OVER_47000])["similar"]
    )[TTPS]
    assert (found["words"], found["figures"], found["likely_same"]) == ("different", "same", False)


def test_an_equal_figure_is_found_from_either_language(post: Post, reader: Client) -> None:
    in_chinese = post(IN_CHINESE, language="zh-Hant", time_edtf="2023", figures=[OVER_47000])
    in_english = "Well beyond forty-seven thousand people got their visas."
    other = post(in_english, time_edtf="2023", figures=[OVER_47000])
    for one, found in ((in_chinese, other), (other, in_chinese)):
        similar = reader.get(f"/v1/claims/{one['id']}/similar").json["data"]
        (pair,) = (pair for pair in similar if pair["claim"]["id"] == found["id"])
        assert (pair["words"], pair["figures"]) == ("different", "same")


@pytest.mark.parametrize(
    ("figure", "time"),
    [
        (UNDER_41000, "2023"),
        (OVER_47000, "2021"),
        ({**OVER_47000, "breakdown": {"residence": "mainland"}}, "2023"),
        ({**OVER_47000, "subject_external_id": "hksz:hkpc"}, "2023"),
    ],
)
def test_other_figures_are_not_found(post: Post, figure: dict[str, Any], time: str) -> None:
    assert post(IN_CHINESE, language="zh-Hant", time_edtf=time, figures=[figure])["similar"] == []
