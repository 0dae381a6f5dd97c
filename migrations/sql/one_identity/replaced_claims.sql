-- Whether a claim supersedes or corrects another, directly or by a chain of claims.
CREATE OR REPLACE FUNCTION claim_supersedes(newer uuid, older uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        WITH RECURSIVE superseded AS (
            SELECT to_id FROM claim_relations
            WHERE from_id = newer AND kind IN ('supersedes', 'corrects')
            UNION
            SELECT next.to_id
            FROM superseded JOIN claim_relations AS next ON next.from_id = superseded.to_id
            WHERE next.kind IN ('supersedes', 'corrects')
        )
        SELECT FROM superseded WHERE to_id = older
    );
END $$;
