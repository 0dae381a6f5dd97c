"""The sources of fields: no column or part of a document is missing from its history."""

from typing import Any

import pytest
from sqlalchemy import func, literal_column, select

from hksz_db.models import HISTORY_TABLES, Claim, table_of
from hksz_db.queries.documents import One
from hksz_db.queries.field_sources import Part, field_sources, reads
from hksz_db.queries.registry import RESOURCES

CLAIMS = table_of(Claim).alias()

# Never changed, or not shown in documents, or only used to compute ranges.
HIDDEN = {
    *("id", "version", "updated_at", "deleted_at", "redirect_to", "written_in", "search"),
    *("name_language", "nonnegative", "unit_factor"),
}
# Rows of other resources that are embedded in a claim.
EMBEDDED = {"claims": {("figures", "claim_id"), ("evidence", "claim_id")}}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_column_belongs_to_a_field(resource: str) -> None:
    known = field_sources(resource)
    columns = {column for names in known.columns.values() for column in names}
    assert set(RESOURCES[resource].table.c.keys()) - columns <= HIDDEN
    assert set(known.fields) == known.columns.keys() | known.parts.keys()


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_table_of_parts_belongs_to_a_field(resource: str) -> None:
    kept = {(t.name, t.owner) for t in HISTORY_TABLES.values() if t.resource == resource != t.name}
    known = {(part.table, part.owner) for part in field_sources(resource).parts.values()}
    assert known == kept | EMBEDDED.get(resource, set())


def test_the_sources_of_a_claim() -> None:
    known = field_sources("claims")
    assert known.columns["claimant"] == ("claimant_id",)
    assert set(known.columns["due"]) == {
        *("due_edtf", "due", "due_anchor_id", "due_duration", "due_modifier"),
    }
    assert known.parts["topics"] == Part("claim_topics", "claim_id", counted=True)
    # It also depends on the evidence of other claims, so it does not count as the claim's own.
    assert known.parts["corroboration"] == Part("corroborations", "claim_id", counted=False)
    assert "sources" not in known.fields


@pytest.mark.parametrize(
    "node",
    [
        select(func.count(CLAIMS.c.id)).scalar_subquery(),
        select(CLAIMS.c.status).limit(1).scalar_subquery(),
        literal_column("(SELECT status FROM claims LIMIT 1)"),
        One(CLAIMS, CLAIMS.c.status == "accepted", {"id": CLAIMS.c.id}),
    ],
    ids=["count", "subquery", "text", "no join"],
)
def test_a_field_with_hidden_sources_is_refused(node: Any) -> None:
    with pytest.raises(TypeError):
        list(reads(RESOURCES["units"], node))
