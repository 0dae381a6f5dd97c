"""${message}"""

from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    # op.drop_tables refuses to drop tables that hold rows.
    ${downgrades if downgrades else "pass"}
