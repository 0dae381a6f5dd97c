"""CSL-JSON, read by a citation processor, and its dates."""

import json
import warnings
from typing import Any

import pytest
from citeproc.source.json import CiteProcJSON

from hksz_db.domain.vocabulary import CslType
from hksz_db.exchange.citations import csl_date
from hksz_db.exchange.readers import csl
from tests.exchange.conftest import Exported, Write

# The properties of csl-data.json (CSL 1.0.2) that are used, with their types.
PROPERTIES = {
    "id": str,
    "type": str,
    "title": str,
    "container-title": str,
    "author": list,
    "editor": list,
    "translator": list,
    "publisher": str,
    "publisher-place": str,
    "issued": dict,
    "accessed": dict,
    "URL": str,
    "DOI": str,
    "language": str,
    "license": str,
    "status": str,
}
DATE_PROPERTIES = {"date-parts": list, "season": int, "circa": bool, "literal": str}


@pytest.mark.parametrize(
    ("edtf", "date"),
    [
        (None, None),
        ("2024", {"date-parts": [[2024]]}),
        ("2024-01", {"date-parts": [[2024, 1]]}),
        ("2024-01-24", {"date-parts": [[2024, 1, 24]]}),
        ("0999-12-31", {"date-parts": [[999, 12, 31]]}),
        ("2010~", {"date-parts": [[2010]], "circa": True}),
        ("2024?", {"date-parts": [[2024]], "circa": True}),
        ("2024-01%", {"date-parts": [[2024, 1]], "circa": True}),
        ("2022-12-28/2023-11-30", {"date-parts": [[2022, 12, 28], [2023, 11, 30]]}),
        ("2010~/2012", {"date-parts": [[2010], [2012]], "circa": True}),
        ("2023-21", {"date-parts": [[2023]], "season": 1}),
        ("2023-24~", {"date-parts": [[2023]], "season": 4, "circa": True}),
        ("2023-XX", {"date-parts": [[2023]]}),
        ("2023-12-XX", {"date-parts": [[2023, 12]]}),
        ("201X", {"date-parts": [[2010], [2019]], "circa": True}),
        ("2023-XX-05", {"literal": "2023-XX-05"}),
        ("2023-37", {"literal": "2023-37"}),
        ("2023-21/2023-22", {"literal": "2023-21/2023-22"}),
        ("201X/202X", {"literal": "201X/202X"}),
        ("2010/..", {"literal": "2010/.."}),
        ("/2010", {"literal": "/2010"}),
        ("[2023..2025]", {"literal": "[2023..2025]"}),
        ("{2023,2025}", {"literal": "{2023,2025}"}),
        ("20XX", {"literal": "20XX"}),
    ],
)
def test_edtf_is_converted_to_csl_dates(edtf: str | None, date: dict[str, Any] | None) -> None:
    assert csl_date(edtf) == date


_UNKNOWN = ("external_id", "container_title", "publisher_place", "url", "doi", "language", "rights")


def _source(**changed: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(_UNKNOWN),
        "id": "0199c3a0-0000-7000-8000-000000000000",
        "csl_type": "report",
        "title": "A report",
        "issued": {"edtf": None},
        "retracted_at": None,
        "contributors": [],
        "captures": [],
        **changed,
    }


def _made(
    role: str, name: str, kind: str = "person", credited: str | None = None
) -> dict[str, Any]:
    return {"role": role, "credited_name": credited, "entity": {"name": name, "kind": kind}}


def _item(written: Write, **changed: Any) -> dict[str, Any]:
    (item,) = json.loads(written("sources", "csl-json", [_source(**changed)]))
    return item


def test_unknown_fields_are_left_out(written: Write) -> None:
    item = _item(written)
    assert item == {
        "id": "urn:uuid:0199c3a0-0000-7000-8000-000000000000",
        "type": "report",
        "title": "A report",
    }


def test_only_names_with_a_comma_are_split(written: Write) -> None:
    item = _item(
        written,
        contributors=[
            _made("author", "Tan Yifan"),
            _made("author", "Smith, Anne"),
            _made("author", "Reuters, Hong Kong", "organisation"),
            _made("editor", "A. Person", credited="Person, Ann"),
            _made("publisher", "HKPC", "organisation"),
            _made("publisher", "SCMP", "organisation"),
        ],
    )
    assert item["author"] == [
        {"literal": "Tan Yifan"},
        {"family": "Smith", "given": "Anne"},
        {"literal": "Reuters, Hong Kong"},
    ]
    assert item["editor"] == [{"family": "Person", "given": "Ann"}]
    assert item["publisher"] == "HKPC; SCMP"


def test_accessed_is_the_last_retrieval(written: Write) -> None:
    held = ["2024-01-24T23:00:00.000000Z", None, "2024-02-01T00:00:00.000000Z"]
    item = _item(written, captures=[{"retrieved_at": moment} for moment in held])
    assert item["accessed"] == {"date-parts": [[2024, 2, 1]]}


def test_retracted_source_has_a_status(written: Write) -> None:
    assert _item(written, retracted_at="2024-01-24T23:00:00.000000Z")["status"] == "retracted"


def test_every_item_follows_the_csl_schema(exported: Exported) -> None:
    items = json.loads(exported("sources", "csl-json"))
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        assert {name: type(value) for name, value in item.items()} == {
            name: PROPERTIES[name] for name in item
        }
        assert item["type"] in set(CslType)
        date = item.get("issued", {})
        assert {name: type(value) for name, value in date.items()} == {
            name: DATE_PROPERTIES[name] for name in date
        }


def test_citation_processor_reads_every_item(exported: Exported) -> None:
    items = json.loads(exported("sources", "csl-json"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        bibliography = CiteProcJSON(items)
    assert set(bibliography) == {item["id"].lower() for item in items}
    # Added to CSL after the processor was written.
    unknown = "The following arguments for Reference are unsupported: license"
    assert {str(warning.message) for warning in warned} <= {unknown}


def test_publisher_place_survives_a_round_trip(written: Write) -> None:
    item = _item(written, publisher_place="Hong Kong")
    assert item["publisher-place"] == "Hong Kong"
    (entry,) = csl.read(json.dumps([item]), "csl")
    assert entry.item
    assert entry.item["publisher_place"] == "Hong Kong"
