"""The rules for loose locators, which are checked without keeping writers out.

It can be broken off and begun again.
"""

from alembic import op

revision = "loose_locators_checked"
down_revision = "loose_locators"

_HASHES = ("loose_exact_sha256", "loose_prefix_sha256", "loose_suffix_sha256")
_CHECKS = {
    **{name: f"{name} ~ '^[0-9a-f]{{64}}$'" for name in _HASHES},
    "loose_locator_whole": "num_nulls(loose_start_char, loose_end_char, loose_exact_sha256,"
    " loose_prefix_sha256, loose_suffix_sha256) IN (0, 5)",
    "loose_span": "0 <= loose_start_char AND loose_start_char < loose_end_char",
    "loose_locator_with_exact": "loose_start_char IS NULL OR start_char IS NOT NULL",
}


def upgrade() -> None:
    op.execute("SET LOCAL client_min_messages = warning")
    for name, rule in _CHECKS.items():
        op.execute(f"""
            ALTER TABLE evidence
                -- squawk-ignore ban-drop-constraint
                DROP CONSTRAINT IF EXISTS evidence_{name}_check,
                ADD CONSTRAINT evidence_{name}_check CHECK ({rule}) NOT VALID
        """)
    with op.get_context().autocommit_block():
        for name in _CHECKS:
            op.execute(f"ALTER TABLE evidence VALIDATE CONSTRAINT evidence_{name}_check")


def downgrade() -> None:
    for name in _CHECKS:
        op.execute(f"ALTER TABLE evidence DROP CONSTRAINT evidence_{name}_check")
