"""The relations of sources and entities that a statement changes are counted together."""

from alembic import op

revision = "counted_relations"
down_revision = "sorted_urls"

TABLES = ("source_relations", "entity_relations")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_count_origins ON {table}")
    op.execute_file(f"{revision}/relations.sql")


def downgrade() -> None:
    for table in TABLES:
        for event in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER {table}_count_origins_{event} ON {table}")
    op.execute_file(f"{revision}/relations_before.sql")
