-- A source with such a relation to another is not a new origin.
CREATE OR REPLACE FUNCTION keeps_origin(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN ('copy_of', 'syndicated_from', 'translation_of', 'rewrite_of');
