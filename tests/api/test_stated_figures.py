"""The service reads the numbers and the unit of a figure from its words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import Answer, Client
from tests.conftest import MakeDatabase
from tests.samples import write_rows

WORDS: dict[str, Any] = {
    "claim_external_id": "hksz:ttps-approved-2023",
    "subject_external_id": "hksz:ttps",
}
CLAIM: dict[str, Any] = {
    "external_id": "test:claim",
    "statement": "Some firms moved.",
    "claimant_external_id": "hksz:hkpc",
}
READ = ("comparator", "amount", "lower_bound", "upper_bound", "unit_code")
NO_MULTIPLE = (
    "The text states a multiple, which is an amount only for a metric of the dimension ratio with"
    " the measure ratio_to_base or growth_rate."
)
NO_CHANGE = (
    "The text states a change, which is an amount only for a metric with the measure change or"
    " growth_rate."
)
ADVICE = "Give comparator, amount or bounds, and unit_code."


METRICS = [
    {
        "external_id": f"test:{dimension}",
        "key": f"test-{dimension}",
        "label": "A measure",
        "dimension": dimension,
        "accumulation": "stock",
        "nonnegative": dimension != "ratio",
    }
    for dimension in ("money", "ratio", "area", "length", "mass", "count")
]
UNITS = [{"code": code, "label": code} for code in ("HKD", "%", "har", "t", "kg")]


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, seeded_template: str) -> Iterator[str]:
    """The first seed, metrics of several dimensions, and units, but none of length, no euro."""
    with make_database(seeded_template) as url:
        write_rows(url, {"metrics": METRICS, "units": UNITS})
        yield url


def figure(words: str, dimension: str = "count", **fields: Any) -> dict[str, Any]:
    return {**WORDS, "metric_external_id": f"test:{dimension}", "as_stated": words, **fields}


def part(*given: Any, **fields: Any) -> dict[str, Any]:
    return {k: v for k, v in figure(*given, **fields).items() if k != "claim_external_id"}


def read(document: dict[str, Any]) -> list[Any]:
    return [document[name] for name in READ]


def fault(answer: Answer) -> tuple[str, str, str]:
    assert answer.status_code == 422, answer.json
    (error,) = answer.json["errors"]
    return error["code"], error["pointer"], error["detail"]


@pytest.mark.parametrize(
    ("words", "dimension", "expected"),
    [
        ("over 47,000", "count", ["gt", "47000", None, None, "1"]),
        ("some 36,000 applications", "count", ["approx", "36000", None, None, "1"]),
        ("at least 10 of the 15", "count", ["ge", "10", None, None, "1"]),
        ("3 to 5 million", "count", ["between", None, "3000000", "5000000", "1"]),
        ("HK$12.3 billion", "money", ["eq", "12300000000", None, None, "HKD"]),
        ("5.20 per cent", "ratio", ["eq", "5.20", None, None, "%"]),
        ("minus 3 per cent", "ratio", ["eq", "-3", None, None, "%"]),
        ("nearly half", "ratio", ["lt", "50", None, None, "%"]),
        ("a third", "ratio", ["eq", "33.3333", None, None, "%"]),
        ("most", "ratio", ["gt", "50", None, "100", "%"]),
        ("nearly 90 hectares", "area", ["lt", "90", None, None, "har"]),
        ("up to 2.5 tonnes", "mass", ["le", "2.5", None, None, "t"]),
    ],
)
def test_the_words_alone_are_enough(
    editor: Client, words: str, dimension: str, expected: list[Any]
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected
    assert answer.json["as_stated"] == words


@pytest.mark.parametrize(
    ("words", "dimension", "expected"),
    [
        ("逾4.7萬宗申請", "count", ["gt", "47000", None, None, "1"]),
        ("三万五千名学生", "count", ["eq", "35000", None, None, "1"]),
        ("12.8億港元", "money", ["eq", "1280000000", None, None, "HKD"]),
        ("約87公頃", "area", ["approx", "87", None, None, "har"]),
        ("三到五成", "ratio", ["between", None, "30", "50", "%"]),
    ],
)
def test_chinese_words_alone_are_enough(
    editor: Client, words: str, dimension: str, expected: list[Any]
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected
    assert answer.json["as_stated"] == words


def test_a_yuan_needs_its_currency(editor: Client) -> None:
    code, pointer, detail = fault(editor.post("/v1/figures", figure("12.8億元", "money")))
    assert (code, pointer) == ("figure", "#/as_stated")
    assert "元 is the yuan, the Hong Kong dollar or another one" in detail
    answer = editor.post("/v1/figures", figure("12.8億元", "money", unit_code="HKD"))
    assert read(answer.json) == ["eq", "1280000000", None, None, "HKD"]


def test_the_ranges_follow_from_the_words(editor: Client) -> None:
    words = editor.post("/v1/figures", figure("about 13 hectares", "area")).json
    given = {"comparator": "approx", "amount": "13", "unit_code": "har"}
    explicit = editor.post("/v1/figures", figure("about 13 hectares", "area", **given)).json
    names = ("value_range", "plausible_range", "range_rule", "dimension")
    assert [words[name] for name in names] == [explicit[name] for name in names]
    assert words["plausible_range"]["lower"] == "120000"


def test_a_rest_in_chinese_words_is_below_the_next_step(editor: Client) -> None:
    found = editor.post("/v1/figures", figure("20多間")).json
    assert read(found) == ["gt", "20", None, None, "1"]
    for name in ("value_range", "plausible_range"):
        assert [found[name][end] for end in ("lower", "upper")] == ["21", "29"]


def test_a_place_of_a_ranking_is_read_for_ranks(admin: Client) -> None:
    answer = admin.post("/v1/figures", figure("全球排名第20位"))
    assert "only for a metric with the measure rank" in fault(answer)[2]
    (metric,) = admin.get("/v1/metrics?external_id=test:count").json["data"]
    assert admin.patch(f"/v1/metrics/{metric['id']}", {"measure": "rank"}).status_code == 200
    found = admin.post("/v1/figures", figure("全球排名第20位")).json
    assert read(found) == ["eq", "20", None, None, "1"]
    assert [found["value_range"][end] for end in ("lower", "upper")] == ["20", "20"]


@pytest.mark.parametrize(
    ("words", "dimension", "given", "expected"),
    [
        ("some 36,000", "count", {"amount": "36000"}, ["approx", "36000", None, None, "1"]),
        ("36,000", "count", {"amount": None}, ["eq", "36000", None, None, "1"]),
        ("2.5 t", "mass", {"amount": "2.50"}, ["eq", "2.50", None, None, "t"]),
        ("5 to 6 %", "ratio", {"lower_bound": 5}, ["between", None, "5", "6", "%"]),
        ("87 ha", "area", {"comparator": "eq"}, ["eq", "87", None, None, "har"]),
    ],
)
def test_missing_fields_are_read_from_the_words(
    editor: Client, words: str, dimension: str, given: dict[str, Any], expected: list[Any]
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension, **given))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("over 47,000", {"comparator": "eq", "amount": "46999", "unit_code": "1"}),
        ("quite a few", {"comparator": "approx", "amount": "30", "unit_code": "1"}),
        ("a dozen euros", {"comparator": "between", "lower_bound": "1", "upper_bound": "2",
                           "unit_code": "1"}),
    ],
)  # fmt: skip
def test_a_figure_with_comparator_and_unit_is_taken_as_given(
    editor: Client, words: str, given: dict[str, str]
) -> None:
    answer = editor.post("/v1/figures", figure(words, **given))
    assert answer.status_code == 201, answer.json
    assert {name: answer.json[name] for name in given} == given


def test_comparator_and_unit_without_an_amount_are_refused(editor: Client) -> None:
    answer = editor.post("/v1/figures", figure("forty", comparator="eq", unit_code="1"))
    assert fault(answer) == ("figure", "#/amount", "The comparator eq needs an amount.")


@pytest.mark.parametrize(
    ("words", "dimension", "given", "expected", "differing"),
    [
        ("over 47,000", "count", {"amount": "74000"}, ["gt", "74000", None, None, "1"], "amount"),
        ("over 47,000", "count", {"comparator": "lt"}, ["lt", "47000", None, None, "1"],
         "comparator"),
        ("HK$12.3 billion", "money", {"amount": "12.3"}, ["eq", "12.3", None, None, "HKD"],
         "amount"),
        ("87 hectares", "area", {"unit_code": "m2"}, ["eq", "87", None, None, "m2"], "amount"),
        ("30 to 40", "count", {"amount": "35"}, ["approx", "35", None, None, "1"],
         "comparator amount"),
        ("30 to 40", "count", {"comparator": "eq", "amount": "35"}, ["eq", "35", None, None, "1"],
         "comparator amount"),
        ("about 13", "count", {"lower_bound": "12"}, ["approx", "13", "12", None, "1"],
         "lower_bound"),
        ("most", "ratio", {"amount": "60"}, ["gt", "60", None, "100", "%"], "amount"),
        ("逾4.7萬宗", "count", {"amount": "74000"}, ["gt", "74000", None, None, "1"], "amount"),
        ("不足兩成", "ratio", {"comparator": "gt"}, ["gt", "20", None, None, "%"], "comparator"),
        ("12.8億港元", "money", {"amount": "12.8"}, ["eq", "12.8", None, None, "HKD"], "amount"),
    ],
)  # fmt: skip
def test_what_is_given_counts_even_if_the_words_differ(
    admin: Client,
    words: str,
    dimension: str,
    given: dict[str, str],
    expected: list[Any],
    differing: str,
) -> None:
    admin.post("/v1/units", {"code": "m2", "label": "m2"})
    answer = admin.post("/v1/figures", figure(words, dimension, **given))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected
    found = [(warning["code"], warning["pointer"]) for warning in answer.json["warnings"]]
    assert found == [("differs_from_words", f"#/{name}") for name in differing.split()]


def test_fields_that_do_not_fit_each_other_are_refused(editor: Client) -> None:
    answer = editor.post("/v1/figures", figure("over 47,000", lower_bound="46000"))
    assert fault(answer) == ("figure", "#/lower_bound", "The amount is already the lower bound.")


@pytest.mark.parametrize(
    ("words", "measure", "expected"),
    [
        ("more than doubled", "growth_rate", ["gt", "100", None, None, "%"]),
        ("twice as many", "ratio_to_base", ["eq", "2", None, None, "1"]),
    ],
)
def test_multiples_are_read_by_the_measure(
    admin: Client, words: str, measure: str, expected: list[Any]
) -> None:
    metric = {"external_id": "test:multiple", "key": "multiple", "label": "A multiple"}
    metric |= {"dimension": "ratio", "accumulation": "ratio", "measure": measure}
    assert admin.post("/v1/metrics", metric).status_code == 201
    answer = admin.post("/v1/figures", figure(words, "multiple"))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected
    assert answer.json["warnings"] == []


def add_metric(admin: Client, measure: str, dimension: str) -> None:
    metric = {"external_id": "test:measured", "key": "measured", "label": "A measure"}
    metric |= {"dimension": dimension, "accumulation": "flow", "measure": measure}
    assert admin.post("/v1/metrics", {**metric, "nonnegative": False}).status_code == 201


@pytest.mark.parametrize(
    ("words", "measure", "dimension", "expected"),
    [
        ("rose by 5 %", "growth_rate", "ratio", ["eq", "5", None, None, "%"]),
        ("fell 3.2 per cent", "growth_rate", "ratio", ["eq", "-3.2", None, None, "%"]),
        ("up more than 12 %", "growth_rate", "ratio", ["gt", "12", None, None, "%"]),
        ("down by a third", "change", "ratio", ["eq", "-33.3333", None, None, "%"]),
        ("an increase of 1,200", "change", "count", ["eq", "1200", None, None, "1"]),
        ("fell by at least HK$5 million", "change", "money", ["le", "-5000000", None, None, "HKD"]),
    ],
)
def test_changes_are_read_for_metrics_of_changes(
    admin: Client, words: str, measure: str, dimension: str, expected: list[Any]
) -> None:
    add_metric(admin, measure, dimension)
    answer = admin.post("/v1/figures", figure(words, "measured"))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == expected
    assert answer.json["warnings"] == []


@pytest.mark.parametrize(
    ("words", "value", "plausible"),
    [
        ("fell less than 5 %", ["-0.05", "0.00"], ["-0.05", "-0.04"]),
        ("rose less than 5 %", ["0.00", "0.05"], ["0.04", "0.05"]),
        ("fell by up to a third", ["-0.333333", "0.00"], ["-0.333333", "-0.2999997"]),
        ("fell by more than 5 %", [None, "-0.05"], ["-0.06", "-0.05"]),
        ("less than 5 %", [None, "0.05"], ["0.04", "0.05"]),
        ("rose between 3 % and 5 %", ["0.03", "0.05"], ["0.03", "0.05"]),
    ],
)
def test_a_rise_is_no_fall_and_a_fall_no_rise(
    admin: Client, words: str, value: list[str | None], plausible: list[str]
) -> None:
    add_metric(admin, "growth_rate", "ratio")
    found = admin.post("/v1/figures", figure(words, "measured")).json
    assert [found["value_range"][end] for end in ("lower", "upper")] == value
    assert [found["plausible_range"][end] for end in ("lower", "upper")] == plausible


def test_the_ranges_of_a_fall_lie_below_zero(admin: Client) -> None:
    add_metric(admin, "growth_rate", "ratio")
    found = admin.post("/v1/figures", figure("fell by more than 3 %", "measured")).json
    assert [found["plausible_range"][end] for end in ("lower", "upper")] == ["-0.04", "-0.03"]


@pytest.mark.parametrize("measure", ["level", "share"])
def test_words_that_state_a_change_are_doubtful_for_other_metrics(
    admin: Client, measure: str
) -> None:
    add_metric(admin, measure, "ratio")
    body = figure("fell by 3 per cent", "measured")
    expected = ("figure", "#/as_stated", f"{NO_CHANGE} {ADVICE}")
    assert fault(admin.post("/v1/figures", body)) == expected
    given = {"comparator": "eq", "amount": "72", "unit_code": "%"}
    answer = admin.post("/v1/figures", {**body, **given})
    assert answer.status_code == 201
    (warning,) = answer.json["warnings"]
    assert (warning["code"], warning["pointer"]) == ("measure_differs", "#/metric_id")
    detail = f"The words state a change, and the measure of the metric is {measure}."
    assert warning["detail"] == detail


@pytest.mark.parametrize(
    ("words", "dimension", "reason"),
    [
        ("quite a few", "count", "A number was expected at 'quite'."),
        ("5 to 3", "count", "The first number of the range is not below the second."),
        ("doubled", "ratio", NO_MULTIPLE),
        ("half", "count", "The text states a share, and the metric measures count."),
        ("5.2 % points", "ratio", "The text states the difference of two shares."),
        ("25 basis points", "ratio", "The text states the difference of two shares."),
        ("HK$1,000 a month", "money", "The text states an amount 'a month'."),
        ("47.000", "count", "The point of '47.000' may separate thousands or decimals."),
    ],
)
def test_words_that_leave_doubt_are_refused(
    editor: Client, words: str, dimension: str, reason: str
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension))
    assert fault(answer) == ("figure", "#/as_stated", f"{reason} {ADVICE}")


@pytest.mark.parametrize(
    ("words", "dimension", "reason"),
    [
        ("5 million", "money", "The text names no known unit, and the metric measures money."),
        ("$5 million", "money",
         "The currency is not known: several countries call theirs the dollar."),
        ("5", "ratio", "The text names no known unit, and the metric measures ratio."),
        ("10 tons", "count", "The unit is not known: a ton is metric, long or short."),
    ],
)  # fmt: skip
def test_words_without_a_known_unit_are_refused(
    editor: Client, words: str, dimension: str, reason: str
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension))
    assert fault(answer) == ("figure", "#/as_stated", f"{reason} {ADVICE}")


@pytest.mark.parametrize(
    ("words", "dimension", "unit_code"),
    [
        ("$5 million", "money", "HKD"),
        ("\u00a55 million", "money", "HKD"),
        ("5 rupees", "money", "HKD"),
        ("3 square rods", "area", "har"),
        ("10 mu", "area", "har"),
        ("5 catties", "mass", "t"),
        ("10 people", "ratio", "%"),
        ("16.5", "ratio", "%"),
    ],
)
def test_a_given_unit_does_not_replace_the_words(
    editor: Client, words: str, dimension: str, unit_code: str
) -> None:
    answer = editor.post("/v1/figures", figure(words, dimension, unit_code=unit_code))
    code, pointer, _ = fault(answer)
    assert (code, pointer) == ("figure", "#/as_stated")


@pytest.mark.parametrize(
    ("words", "given", "amount"),
    [
        ("RMB 3.5 billion", {}, "3500000000"),
        ("RMB3.5bn", {}, "3500000000"),
        ("3.5 billion yuan", {}, "3500000000"),
        ("3.5 billion renminbi", {}, "3500000000"),
        ("CNY 3.5 billion", {}, "3500000000"),
        ("CN\u00a52 million", {}, "2000000"),
        # It is the yuan or the yen.
        ("\u00a52 million", {"unit_code": "CNY"}, "2000000"),
        ("\uffe52 million", {"unit_code": "CNY"}, "2000000"),
    ],
)
def test_amounts_in_yuan(admin: Client, words: str, given: dict[str, str], amount: str) -> None:
    assert admin.post("/v1/units", {"code": "CNY", "label": "yuan"}).status_code == 201
    answer = admin.post("/v1/figures", figure(words, "money", **given))
    assert answer.status_code == 201, answer.json
    assert read(answer.json) == ["eq", amount, None, None, "CNY"]
    assert answer.json["warnings"] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("RMB", "CNY"),
        ("HK$", "HKD"),
        ("US$", "USD"),
        ("人民币", "CNY"),
        ("港元", "HKD"),
        ("港幣", "HKD"),
    ],
)
def test_a_currency_under_another_name_is_refused_with_its_code(
    admin: Client, name: str, code: str
) -> None:
    named = f"The code of the currency '{name}' is {code}."
    answer = admin.post("/v1/units", {"code": name, "label": name})
    assert fault(answer)[1:] == ("#/code", named)
    given = {"comparator": "eq", "amount": "5", "unit_code": name}
    _, pointer, detail = fault(admin.post("/v1/figures", figure("5", "money", **given)))
    assert pointer == "#/unit_code"
    assert named in detail


@pytest.mark.parametrize("code", ["RMB/m2", "HKD/m2", "港元/平方米", "10^6.RMB"])
def test_a_currency_is_not_combined_with_other_units(admin: Client, code: str) -> None:
    _, pointer, detail = fault(admin.post("/v1/units", {"code": code, "label": code}))
    assert pointer == "#/code"
    assert "cannot be combined with other units" in detail


@pytest.mark.parametrize(
    ("sent", "amount", "lower"),
    [
        ("1200000000.0", "1200000000", "1000000000"),
        ("1.2e9", "1200000000", "1000000000"),
        ('"1200000000.0"', "1200000000.0", "1199999999.8"),
        ("5.0", "5", "3"),
        ("1.10", "1.10", "1.08"),
        ("1.1", "1.1", "0.9"),
    ],
)
def test_the_last_digit_of_a_float_is_not_stated(
    admin: Client, sent: str, amount: str, lower: str
) -> None:
    """The words state no number, so that the range follows from the digits of the amount."""
    body = figure("a new budget", "money", comparator="approx", unit_code="HKD", amount=0)
    text = json.dumps(body).replace('"amount": 0', f'"amount": {sent}')
    made = admin.send("POST", "/v1/figures", data=text, content_type="application/json")
    assert made.status_code == 201, made.json
    assert made.json["amount"] == amount
    assert made.json["value_range"]["lower"] == lower


@pytest.mark.parametrize("words", ["all", "3 in 10", "1 in 100", "more than one in five"])
def test_shares_are_not_counts(editor: Client, words: str) -> None:
    reason = "The text states a share, and the metric measures count."
    answer = editor.post("/v1/figures", figure(words))
    assert fault(answer) == ("figure", "#/as_stated", f"{reason} {ADVICE}")


def test_the_unit_in_the_words_must_be_stored(admin: Client) -> None:
    body = figure("26 miles", "length")
    advice = (
        "It was read from as_stated: add the unit (POST /v1/units), or give comparator, amount or"
        " bounds, and unit_code."
    )
    expected = ("not_found", "#/as_stated", f"There is no unit [mi_i]. {advice}")
    assert fault(admin.post("/v1/figures", body)) == expected
    unit = admin.post("/v1/units", {"code": "[mi_i]", "label": "mile"}).json["id"]
    assert admin.delete(f"/v1/units/{unit}").status_code == 204
    deleted = ("deleted", "#/as_stated", f"The unit [mi_i] was deleted. {advice}")
    assert fault(admin.post("/v1/figures", body)) == deleted
    assert admin.restore(f"/v1/units/{unit}").status_code == 200
    assert read(admin.post("/v1/figures", body).json) == ["eq", "26", None, None, "[mi_i]"]


def test_the_unit_in_the_words_must_fit_the_metric(editor: Client) -> None:
    answer = editor.post("/v1/figures", figure("87 hectares"))
    detail = "The metric measures count, the unit har area."
    assert fault(answer) == ("dimension", "#/unit_code", detail)


def test_an_amount_in_the_words_must_fit_the_metric(editor: Client) -> None:
    detail = "This metric cannot be negative."
    for words in ("minus 5", "almost 0"):
        answer = editor.post("/v1/figures", figure(words))
        assert fault(answer) == ("figure", "#/as_stated", detail)
    given = {"comparator": "lt", "amount": "0", "unit_code": "1"}
    answer = editor.post("/v1/figures", figure("almost 0", **given))
    assert fault(answer) == ("figure", "#/amount", detail)


@pytest.mark.parametrize(("dimension", "unit"), [("count", "1"), ("ratio", "%")])
def test_none_is_no_thing_or_no_share(editor: Client, dimension: str, unit: str) -> None:
    made = editor.post("/v1/figures", figure("none", dimension))
    assert made.status_code == 201, made.json
    assert read(made.json) == ["eq", "0", None, None, unit]
    assert made.json["warnings"] == []


def test_figures_of_a_new_claim_are_read(editor: Client) -> None:
    figures = [part("some 60"), part("HK$5", "money"), part("seven", comparator="eq")]
    claim = editor.post("/v1/claims", {**CLAIM, "figures": figures}).json
    found = {figure["as_stated"]: read(figure) for figure in claim["figures"]}
    assert found == {
        "some 60": ["approx", "60", None, None, "1"],
        "HK$5": ["eq", "5", None, None, "HKD"],
        "seven": ["eq", "7", None, None, "1"],
    }


def test_a_claim_with_an_unreadable_figure_is_refused(editor: Client) -> None:
    figures = [part("some 60"), part("26 miles", "length"), part("many")]
    answer = editor.post("/v1/claims", {**CLAIM, "figures": figures})
    assert fault(answer)[:2] == ("figure", "#/figures/2/as_stated")
    answer = editor.post("/v1/claims", {**CLAIM, "figures": figures[:2]})
    assert fault(answer)[:2] == ("not_found", "#/figures/1/as_stated")
    assert editor.get("/v1/claims", external_id="test:claim").json["data"] == []


def test_every_unreadable_figure_of_a_claim_is_named_at_once(editor) -> None:
    figures = [part("many"), part("some 60"), part("quite a few")]
    faults = editor.post("/v1/claims", {**CLAIM, "figures": figures}).json["errors"]
    assert [fault["pointer"] for fault in faults] == [
        "#/figures/0/as_stated",
        "#/figures/2/as_stated",
    ]


def test_a_change_of_the_words_leaves_the_numbers(editor: Client) -> None:
    path = f"/v1/figures/{editor.post('/v1/figures', figure('over 40')).json['id']}"
    changed = editor.patch(path, {"as_stated": "under 50 per cent"})
    assert changed.status_code == 200
    assert read(changed.json) == ["gt", "40", None, None, "1"]
    assert changed.json["as_stated"] == "under 50 per cent"


def test_a_change_refuses_null_for_fields_that_could_be_read(editor: Client) -> None:
    path = f"/v1/figures/{editor.post('/v1/figures', figure('over 40')).json['id']}"
    for field in ("comparator", "unit_code"):
        assert fault(editor.patch(path, {field: None}))[1] == f"#/{field}"
        body = {**figure("40"), field: None}
        assert fault(editor.post("/v1/figures", body))[1] == f"#/{field}"


def bulk(
    client: Client, resource: str, items: list[Any], mode: str = "upsert"
) -> list[dict[str, Any]]:
    answer = client.post(f"/v1/{resource}/bulk?mode={mode}", {"items": items})
    assert answer.status_code == 207, answer.json
    results: list[dict[str, Any]] = answer.json["data"]
    return results


def test_items_of_a_bulk_call_are_read_one_by_one(editor: Client) -> None:
    items = [
        figure("some 60", external_id="test:read"),
        figure("many"),
        figure("26 miles", "length"),
        figure("forty", comparator="eq", amount="40", unit_code="1"),
        figure("HK$5", "money"),
    ]
    results = bulk(editor, "figures", items, "create")
    outcomes = [result["outcome"] for result in results]
    assert outcomes == ["created", "failed", "failed", "created", "created"]
    pointers = [error["pointer"] for result in results for error in result["errors"]]
    assert pointers == ["#/items/1/as_stated", "#/items/2/as_stated"]
    (found,) = editor.get("/v1/figures", external_id="test:read").json["data"]
    assert read(found) == ["approx", "60", None, None, "1"]


def test_a_repeated_item_leaves_the_numbers(editor: Client) -> None:
    item = figure("some 60", external_id="test:read")
    assert bulk(editor, "figures", [item])[0]["outcome"] == "created"
    assert bulk(editor, "figures", [item])[0]["outcome"] == "unchanged"
    assert bulk(editor, "figures", [{**item, "as_stated": "70"}])[0]["outcome"] == "updated"
    (found,) = editor.get("/v1/figures", external_id="test:read").json["data"]
    assert (found["as_stated"], found["amount"]) == ("70", "60")


def test_figures_upserted_with_their_claim_are_read_again(editor: Client) -> None:
    def upsert(words: str, **fields: Any) -> dict[str, Any]:
        item = {**CLAIM, "figures": [part(words, external_id="test:read", **fields)]}
        (result,) = bulk(editor, "claims", [item])
        return result

    def stored() -> list[Any]:
        (found,) = editor.get("/v1/figures", external_id="test:read").json["data"]
        return read(found)

    assert upsert("between 3 and 5")["outcome"] == "created"
    assert stored() == ["between", None, "3", "5", "1"]
    assert upsert("between 3 and 5")["outcome"] == "unchanged"
    assert upsert("over 70")["outcome"] == "updated"
    assert stored() == ["gt", "70", None, None, "1"]
    refused = upsert("many")
    assert refused["outcome"] == "failed"
    assert refused["errors"][0]["pointer"] == "#/items/0/figures/0/as_stated"
    assert upsert("over 26 miles", comparator="gt", amount="26", unit_code="1")["outcome"] == (
        "updated"
    )
    assert stored() == ["gt", "26", None, None, "1"]


def test_the_description_of_the_api_requires_only_the_words(reader: Client) -> None:
    schemas = reader.get("/openapi.json").json["components"]["schemas"]
    for name in ("FigureCreate", "ClaimFigureCreate"):
        assert schemas[name]["required"] == ["as_stated"]
        assert "read from these words" in schemas[name]["properties"]["as_stated"]["description"]
