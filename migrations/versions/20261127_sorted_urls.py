"""List the sources whose canonical URLs change: parameters are sorted, dot segments are resolved.

They are computed while the service runs. Of sources that turn out to have one URL, one keeps it.
"""

from alembic import op

revision = "sorted_urls"
down_revision = "acyclic_claims"


def upgrade() -> None:
    op.execute(r"""
        INSERT INTO unfilled_urls SELECT id FROM sources
        WHERE url ~ '[?][^#]*[&+]' OR url ~* '/(\.|%2e)'
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    pass  # The canonical URLs that have been computed stay.
