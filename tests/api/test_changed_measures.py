"""A change of a metric does not leave its figures with ranges of another rule."""

from typing import Any

import pytest

from hksz_db.database import Database
from hksz_db.services import ranges
from hksz_db.services.work import work_off
from tests.api.conftest import Client

METRIC: dict[str, Any] = {
    "external_id": "test:multiple",
    "key": "multiple",
    "label": "The number of firms",
    "dimension": "ratio",
    "accumulation": "ratio",
    "measure": "ratio_to_base",
}
FIGURE: dict[str, Any] = {
    "claim_external_id": "hksz:ttps-approved-2023",
    "metric_external_id": "test:multiple",
    "subject_external_id": "hksz:ttps",
    "as_stated": "doubled",
    "comparator": "eq",
    "amount": "2",
    "unit_code": "1",
}
RANGES = ("value_range", "plausible_range", "range_rule")


@pytest.fixture
def metric(admin: Client) -> str:
    """The path of a metric of multiples."""
    return admin.post("/v1/metrics", METRIC).headers["Location"]


def _ranges(figure: dict[str, Any]) -> list[Any]:
    return [figure[name] for name in RANGES]


def test_figures_get_the_ranges_of_the_new_measure(
    admin: Client, database: Database, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "_AT_ONCE", 2)
    figures = [admin.post("/v1/figures", FIGURE) for _ in range(5)]
    plain = admin.post("/v1/figures", {**FIGURE, "as_stated": "2.0 times", "amount": "2.0"})
    assert figures[0].json["range_rule"] == "fraction"
    assert admin.patch(metric, {"measure": "share"}).status_code == 200
    assert _ranges(admin.get(figures[0].headers["Location"]).json) == _ranges(figures[0].json)
    assert work_off(database) == 6 + 1
    expected = admin.post("/v1/figures", FIGURE).json
    assert expected["range_rule"] == "half_step"
    for figure in figures:
        found = admin.get(figure.headers["Location"]).json
        assert _ranges(found) == _ranges(expected)
        assert found["version"] == figure.json["version"] + 1
    assert admin.get(plain.headers["Location"]).json["version"] == plain.json["version"]


def test_only_another_measure_queues_the_figures(
    admin: Client, database: Database, metric: str
) -> None:
    admin.post("/v1/figures", FIGURE)
    assert admin.patch(metric, {"measure": "ratio_to_base", "label": "Firms"}).status_code == 200
    assert work_off(database) == 0


@pytest.mark.parametrize("change", [{"nonnegative": False}, {"dimension": "count"}])
def test_dimension_and_sign_of_a_metric_with_figures_cannot_be_changed(
    admin: Client, metric: str, change: dict[str, Any]
) -> None:
    assert admin.patch(metric, {"nonnegative": True, "dimension": "ratio"}).status_code == 200
    admin.post("/v1/figures", FIGURE)
    assert admin.patch(metric, change).status_code == 409
