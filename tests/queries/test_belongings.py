"""What belongs to a document: nothing of a row is left out of its history."""

import pytest

from hksz_db.models import HISTORY_TABLES
from hksz_db.queries.belongings import Part, belongings
from hksz_db.queries.pages import RESOURCES

# What no document shows: how a row is found, counted and deleted, and what ranges follow from.
HIDDEN = {
    *("version", "updated_at", "deleted_at", "redirect_to", "written_in", "search"),
    *("name_language", "nonnegative", "unit_factor"),
}
# Rows of their own that are embedded in a claim.
EMBEDDED = {"claims": {("figures", "claim_id"), ("evidence", "claim_id")}}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_column_belongs_to_a_field(resource):
    known = belongings(resource)
    columns = {column for names in known.columns.values() for column in names}
    assert set(RESOURCES[resource].table.c.keys()) - columns <= HIDDEN
    assert set(known.fields) == known.columns.keys() | known.parts.keys()


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_table_of_parts_belongs_to_a_field(resource):
    kept = {
        (table.name, table.owner)
        for table in HISTORY_TABLES.values()
        if table.resource == resource != table.name
    }
    known = {(part.table, part.owner) for part in belongings(resource).parts.values()}
    assert known == kept | EMBEDDED.get(resource, set())


def test_what_is_read_off_a_document():
    known = belongings("claims")
    assert known.columns["claimant"] == ("claimant_id",)
    assert set(known.columns["due"]) == {
        *("due_edtf", "due", "due_anchor_id", "due_duration", "due_modifier"),
    }
    assert known.parts["topics"] == Part("claim_topics", "claim_id", counted=True)
    # It follows from the evidence of others too, whose change is none of the claim's.
    assert known.parts["corroboration"] == Part("corroborations", "claim_id", counted=False)
    assert "sources" not in known.fields
