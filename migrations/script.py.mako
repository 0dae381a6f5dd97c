"""${message}"""

from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    # A column and its history: op.add_columns("sources", "publisher_place text")
    # Functions, triggers and views: op.execute_file(f"{revision}/change_log.sql")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    # op.drop_columns("sources", "publisher_place") or op.drop_tables("a", "b")
    # A downgrade is also run as a script first, so that it cannot use op.get_bind().
    ${downgrades if downgrades else "pass"}
