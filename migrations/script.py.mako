"""${message}"""

from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    # A column: op.add_columns("sources", "publisher_place text"). It reaches the history too, which
    # ALTER TABLE alone does not.
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    # op.drop_columns("sources", "publisher_place") and op.drop_tables("a", "b") refuse to drop data
    # unless told to. A downgrade is also run as a script first: it cannot use op.get_bind().
    ${downgrades if downgrades else "pass"}
