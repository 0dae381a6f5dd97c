-- What some constraints check. PostgreSQL reads its form of a constraint anew whenever a statement
-- inserts rows, which takes it several times as long as to call one of these functions.

-- A date and the days that it may cover: both or neither; the years are 1 to 9999.
CREATE OR REPLACE FUNCTION is_dated(edtf text, days daterange) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF edtf IS NULL OR days IS NULL THEN
        RETURN edtf IS NULL AND days IS NULL;
    END IF;
    RETURN NOT isempty(days)
        AND COALESCE(lower(days) >= '0001-01-01', true)
        AND COALESCE(upper(days) <= '10000-01-01', true);
END $$;

-- The parts of a relative date: all or none, but for the modifier; that of a weekday takes weeks.
CREATE OR REPLACE FUNCTION is_relative(edtf text, anchor uuid, duration text, modifier text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF anchor IS NULL OR duration IS NULL THEN
        RETURN anchor IS NULL AND duration IS NULL AND modifier IS NULL;
    END IF;
    RETURN edtf IS NOT NULL AND COALESCE(modifier NOT LIKE '%day' OR duration LIKE '%W', true);
END $$;

-- The range is not empty, has at least one bound, and its bounds are finite.
CREATE OR REPLACE FUNCTION is_finite(numbers numrange) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN NOT isempty(numbers) AND NOT (lower_inf(numbers) AND upper_inf(numbers))
        AND COALESCE(lower(numbers) NOT IN ('NaN', 'Infinity', '-Infinity'), true)
        AND COALESCE(upper(numbers) NOT IN ('NaN', 'Infinity', '-Infinity'), true);
END $$;
