"""Constraints that PostgreSQL reads in less time: it does so in each statement that inserts rows.

They allow what the earlier ones allowed, and are checked without keeping writers out. It can be
broken off and begun again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from alembic import op

revision = "compact_checks"
down_revision = "counted_evidence"

_TERMS = (
    (
        "claim_entities.role",
        "subject object location speaker partner beneficiary audience occasion",
    ),
    (
        "claim_merge_moves.change entity_merge_moves.change source_merge_moves.change",
        "moved copied dropped deleted",
    ),
    (
        "claim_relations.kind",
        "contradicts supersedes duplicate_of refines part_of denies about corrects",
    ),
    (
        "claim_translations.translated_by",
        "human machine",
    ),
    (
        "claims.due_modifier claims.time_modifier evidence.said_modifier figures.period_modifier",
        "about within monday tuesday wednesday thursday friday saturday sunday",
    ),
    (
        "claims.modality figures.modality",
        "actual planned forecast opinion",
    ),
    (
        "claims.status",
        "draft submitted accepted rejected retracted",
    ),
    (
        "corroborations.verdict",
        "unsupported single_origin confirmed_by_party corroborated shared disputed refuted",
    ),
    (
        "entities.kind",
        "person organisation place zone programme facility event group product law industry work",
    ),
    (
        "entity_identifiers.scheme",
        "wikidata ror isni orcid viaf geonames lei",
    ),
    (
        "entity_names.kind",
        "preferred alias abbreviation",
    ),
    (
        "entity_relations.kind",
        (
            "part_of located_in works_for holds_post founded operates partner_of participated_in "
            "owned_by member_of controls"
        ),
    ),
    (
        "evidence.directness",
        "primary secondary",
    ),
    (
        "evidence.interest",
        "self third_party",
    ),
    (
        "evidence.stance",
        "asserts supports disputes mentions",
    ),
    (
        "evidence.status",
        "draft submitted accepted rejected",
    ),
    (
        "figures.comparator",
        "eq approx gt ge lt le between",
    ),
    (
        "figures.estimate",
        "provisional revised final",
    ),
    (
        "figures.range_rule",
        "exact half_step whole_step next_step fraction explicit_bounds",
    ),
    (
        "metrics.accumulation",
        "flow stock ratio event",
    ),
    (
        "metrics.dimension units.dimension",
        "count ratio length area volume mass duration speed energy power money",
    ),
    (
        "metrics.measure",
        "level change growth_rate ratio_to_base share rank index",
    ),
    (
        "source_captures.normalization",
        "nfc-ws1",
    ),
    (
        "source_contributors.role",
        "author editor publisher translator",
    ),
    (
        "source_relations.kind",
        (
            "copy_of syndicated_from translation_of rewrite_of quotes cites based_on version_of "
            "corrects retracts replies_to part_of"
        ),
    ),
    (
        "sources.csl_type",
        (
            "article article-journal article-magazine article-newspaper bill book broadcast "
            "chapter classic collection dataset document entry entry-dictionary "
            "entry-encyclopedia event figure graphic hearing interview legal_case legislation "
            "manuscript map motion_picture musical_score pamphlet paper-conference patent "
            "performance periodical personal_communication post post-weblog regulation report "
            "review review-book software song speech standard thesis treaty webpage"
        ),
    ),
)
_DATES = ("entity_relations.during", "figures.known_at", "sources.issued")
_RELATIVE_DATES = ("claims.due", "claims.time", "evidence.said", "figures.period")
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
_SCOPES = "sources:write claims:write entities:write review admin"
_NOT_FINITE = "NaN Infinity -Infinity"
_LOCATORS = {
    f"{kind}locator_whole": ", ".join(
        f"{kind}{part}"
        for part in ("start_char", "end_char", "exact_sha256", "prefix_sha256", "suffix_sha256")
    )
    for kind in ("", "loose_")
}
# By table, the rule of each constraint.
_Rules = Mapping[str, Mapping[str, str]]


def upgrade() -> None:
    op.execute_file(f"{revision}/functions.sql")
    _replace(_rules(_earlier()), _rules(_compact()))


def downgrade() -> None:
    _replace(_rules(_compact()), _rules(_earlier()))
    op.execute("""
        DROP FUNCTION is_dated(text, daterange), is_relative(text, uuid, text, text),
            is_finite(numrange)
    """)


def _compact() -> Iterator[tuple[str, str]]:
    """The new constraints: for each, its table and name, joined by a dot, and its rule."""
    for columns, terms in _TERMS:
        for column in columns.split():
            yield column, f"{_name(column)} = ANY ({_array(terms)})"
    for column in (*_DATES, *_RELATIVE_DATES):
        yield column, f"is_dated({_name(column)}_edtf, {_name(column)})"
    for column in _RELATIVE_DATES:
        parts = ", ".join(
            f"{_name(column)}_{part}" for part in ("edtf", "anchor_id", "duration", "modifier")
        )
        yield f"{column}_relative", f"is_relative({parts})"
    for name in ("value_range", "plausible_range"):
        yield f"figures.{name}_finite", f"is_finite({name})"
    for name in ("amount", "lower_bound", "upper_bound"):
        yield f"figures.{name}_finite", f"{name} <> ALL ({_array(_NOT_FINITE)})"
    for name, columns in _LOCATORS.items():
        yield f"evidence.{name}", f"num_nulls({columns}) = ANY ('{{0,5}}')"
    yield "api_keys.scopes", f"scopes <@ {_array(_SCOPES)}"


def _earlier() -> Iterator[tuple[str, str]]:
    for columns, terms in _TERMS:
        for column in columns.split():
            yield column, f"{_name(column)} IN ({_list(terms)})"
    for column in (*_DATES, *_RELATIVE_DATES):
        name = _name(column)
        yield f"{column}_with_edtf", f"({name}_edtf IS NULL) = ({name} IS NULL)"
        yield (
            f"{column}_in_calendar",
            (
                f"NOT isempty({name}) AND lower({name}) >= '0001-01-01'"
                f" AND upper({name}) <= '10000-01-01'"
            ),
        )
    for column in _RELATIVE_DATES:
        name = _name(column)
        duration, modifier = f"{name}_duration", f"{name}_modifier"
        yield f"{column}_duration_with_anchor", f"({name}_anchor_id IS NULL) = ({duration} IS NULL)"
        yield f"{column}_modifier_with_duration", f"{modifier} IS NULL OR {duration} IS NOT NULL"
        yield f"{column}_duration_with_edtf", f"{duration} IS NULL OR {name}_edtf IS NOT NULL"
        yield (
            f"{column}_weekday",
            f"{modifier} NOT IN ({_list(_WEEKDAYS)}) OR {duration} LIKE '%W'",
        )
    for name in ("value_range", "plausible_range"):
        yield (
            f"figures.{name}_finite",
            (
                f"NOT isempty({name}) AND NOT (lower_inf({name}) AND upper_inf({name}))"
                f" AND COALESCE(lower({name}), 0) NOT IN ({_list(_NOT_FINITE)})"
                f" AND COALESCE(upper({name}), 0) NOT IN ({_list(_NOT_FINITE)})"
            ),
        )
    for name in ("amount", "lower_bound", "upper_bound"):
        yield f"figures.{name}_finite", f"{name} NOT IN ({_list(_NOT_FINITE)})"
    for name, columns in _LOCATORS.items():
        yield f"evidence.{name}", f"num_nulls({columns}) IN (0, 5)"
    yield "api_keys.scopes", f"scopes <@ ARRAY[{_list(_SCOPES)}]"


def _name(column: str) -> str:
    return column.partition(".")[2]


def _array(terms: str) -> str:
    return f"'{{{','.join(terms.split())}}}'"


def _list(terms: str) -> str:
    return ", ".join(f"'{term}'" for term in terms.split())


def _rules(constraints: Iterator[tuple[str, str]]) -> _Rules:
    rules: dict[str, dict[str, str]] = defaultdict(dict)
    for place, rule in constraints:
        table, _, name = place.partition(".")
        rules[table][f"{table}_{name}_check"] = rule
    return rules


def _replace(former: _Rules, new: _Rules) -> None:
    with op.get_context().autocommit_block():
        op.execute("SET client_min_messages = warning")
        for table, rules in new.items():
            changes = [f"DROP CONSTRAINT IF EXISTS {name}" for name in former[table] | rules]
            changes += [
                f"ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID" for name, rule in rules.items()
            ]
            op.execute(
                f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} {', '.join(changes)}"
            )
        for table, rules in new.items():
            checked = ", ".join(f"VALIDATE CONSTRAINT {name}" for name in rules)
            op.execute(f"ALTER TABLE {table} {checked}")
        op.execute("RESET client_min_messages")
