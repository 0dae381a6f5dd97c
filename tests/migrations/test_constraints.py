"""Functions in constraints: each says what the conditions say that it stands for."""

from hksz_db.database import Session, run

_DATES = """
    SELECT edtf, days::text, is_dated(edtf, days),
        (edtf IS NULL) = (days IS NULL) AND COALESCE(
            NOT isempty(days) AND lower(days) >= '0001-01-01' AND upper(days) <= '10000-01-01', true
        )
    FROM unnest(ARRAY[NULL, '2020']) AS edtf, unnest(ARRAY[
        NULL, 'empty', '(,)', '(,2021-01-01)', '[2020-01-01,)', '[2020-01-01,2021-01-01)',
        '[0001-12-31 BC,2021-01-01)', '[0001-01-01,10000-01-01)', '[2020-01-01,10000-01-02)'
    ]::daterange[]) AS days
"""
_RELATIVE_DATES = """
    SELECT edtf, anchor, duration, modifier, is_relative(edtf, anchor, duration, modifier),
        (anchor IS NULL) = (duration IS NULL)
            AND (modifier IS NULL OR duration IS NOT NULL)
            AND (duration IS NULL OR edtf IS NOT NULL)
            AND COALESCE(modifier IN ('about', 'within') OR duration LIKE '%W', true)
    FROM unnest(ARRAY[NULL, '2020']) AS edtf, unnest(ARRAY[NULL, uuidv7()]) AS anchor,
        unnest(ARRAY[NULL, 'P1D', 'P0W']) AS duration,
        unnest(ARRAY[NULL, 'about', 'within', 'monday', 'sunday']) AS modifier
"""
_RANGES = """
    SELECT numbers::text, is_finite(numbers),
        NOT isempty(numbers) AND NOT (lower_inf(numbers) AND upper_inf(numbers))
            AND COALESCE(lower(numbers), 0) <> ALL ('{NaN,Infinity,-Infinity}')
            AND COALESCE(upper(numbers), 0) <> ALL ('{NaN,Infinity,-Infinity}')
    FROM unnest(ARRAY[
        NULL, 'empty', '(,)', '[1,2]', '[1,)', '(,2]', '[1,Infinity]', '[-Infinity,2]', '[1,NaN]'
    ]::numrange[]) AS numbers
"""


def test_each_function_allows_what_its_conditions_allow(session: Session) -> None:
    for query in (_DATES, _RELATIVE_DATES, _RANGES):
        rows = run(session, query)
        assert {row[-1] for row in rows} >= {True, False}
        assert [row for row in rows if row[-2] is not row[-1]] == []
