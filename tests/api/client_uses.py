"""Uses of the generated client, which test_generated_client.py runs and type-checks.

``hksz_client`` exists only after the generator has run.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

from hksz_client import AuthenticatedClient
from hksz_client.api.changes import changes_follow
from hksz_client.api.claims import (
    claims_aggregate,
    claims_change,
    claims_compare_versions,
    claims_create,
    claims_delete,
    claims_list,
    claims_list_versions,
    claims_query,
    claims_read,
    claims_read_corroboration,
    claims_read_version,
    claims_restore,
    claims_restore_version,
)
from hksz_client.api.entities import entities_list
from hksz_client.api.evidence import evidence_list
from hksz_client.api.figures import figures_create, figures_list, figures_read
from hksz_client.api.metrics import metrics_list
from hksz_client.api.sources import sources_list, sources_verify
from hksz_client.api.units import units_list
from hksz_client.models.change_page import ChangePage
from hksz_client.models.claim import Claim
from hksz_client.models.claim_change import ClaimChange
from hksz_client.models.claim_create import ClaimCreate
from hksz_client.models.claim_evidence_create import ClaimEvidenceCreate
from hksz_client.models.claim_figure_create import ClaimFigureCreate
from hksz_client.models.claim_filter import ClaimFilter
from hksz_client.models.claim_group_by import ClaimGroupBy
from hksz_client.models.claim_groups import ClaimGroups
from hksz_client.models.claim_include import ClaimInclude
from hksz_client.models.claim_page import ClaimPage
from hksz_client.models.claim_patch import ClaimPatch
from hksz_client.models.claim_query import ClaimQuery
from hksz_client.models.claim_select import ClaimSelect
from hksz_client.models.claim_sort import ClaimSort
from hksz_client.models.claim_status import ClaimStatus
from hksz_client.models.claim_version import ClaimVersion
from hksz_client.models.comparator import Comparator
from hksz_client.models.corroboration import Corroboration
from hksz_client.models.corroboration_verdict import CorroborationVerdict
from hksz_client.models.count_kind import CountKind
from hksz_client.models.dimension import Dimension
from hksz_client.models.figure import Figure
from hksz_client.models.figure_create import FigureCreate
from hksz_client.models.figure_page import FigurePage
from hksz_client.models.history_op import HistoryOp
from hksz_client.models.locator_result import LocatorResult
from hksz_client.models.modality import Modality
from hksz_client.models.problem import Problem
from hksz_client.models.source_page import SourcePage
from hksz_client.models.stance import Stance
from hksz_client.models.surroundings import Surroundings
from hksz_client.models.text_to_verify import TextToVerify
from hksz_client.models.verification import Verification
from hksz_client.models.version_differences import VersionDifferences
from hksz_client.models.version_entry_page import VersionEntryPage
from hksz_client.models.written_claim import WrittenClaim
from hksz_client.models.written_figure import WrittenFigure
from hksz_client.types import UNSET, Unset

T = TypeVar("T")
# What a read by id embeds.
CLAIM_EMBEDS = ("entities", "figures", "evidence", "sources", "corroboration", "statements")


def given(value: T | Unset) -> T:
    """The value of a field, which ``select`` or ``include`` can leave out."""
    assert not isinstance(value, Unset)
    return value


def new_claim(statement: str) -> ClaimCreate:
    return ClaimCreate(
        statement=statement,
        claimant_external_id="hksz:hkpc",
        modality=Modality.PLANNED,
        topics=["firms"],
        figures=[
            ClaimFigureCreate(
                metric_external_id="hksz:metric-ttps-approved",
                subject_external_id="hksz:ttps",
                as_stated="forty",
                comparator=Comparator.EQ,
                amount="40",
                unit_code="1",
            )
        ],
        evidence=[
            ClaimEvidenceCreate(
                source_external_id="hksz:shenzhen-daily-article", stance=Stance.MENTIONS
            )
        ],
    )


def ids_of(page: ClaimPage | Problem | None) -> list[UUID]:
    assert isinstance(page, ClaimPage)
    return [given(claim.id) for claim in page.data]


def create_find_and_update(client: AuthenticatedClient) -> None:
    made = claims_create.sync_detailed(client=client, body=new_claim("Forty firms will move."))
    assert made.status_code == 201
    claim = made.parsed
    assert isinstance(claim, WrittenClaim)
    assert given(claim.evidence)[0].source.external_id == "hksz:shenzhen-daily-article"
    found = claims_list.sync(
        client=client,
        statement_contains="FORTY firms",
        modality=Modality.PLANNED,
        figures_amount="40",
        count=CountKind.EXACT,
    )
    assert isinstance(found, ClaimPage)
    assert ids_of(found) == [given(claim.id)]
    assert given(found.meta.count).value == 1
    change = ClaimPatch(statement="Fifty firms will move.", time_edtf="2025~", topics=[])
    tag = made.headers["ETag"]
    changed = claims_change.sync_detailed(given(claim.id), client=client, body=change, if_match=tag)
    assert changed.status_code == 200
    assert isinstance(changed.parsed, WrittenClaim)
    assert changed.parsed.statement == "Fifty firms will move."
    assert given(changed.parsed.time).edtf == "2025~"
    assert changed.parsed.modality is Modality.PLANNED
    late = claims_change.sync(given(claim.id), client=client, body=change, if_match=tag)
    assert isinstance(late, Problem)
    assert late.status == 412


def delete_and_restore(client: AuthenticatedClient) -> None:
    made = claims_create.sync_detailed(client=client, body=new_claim("Sixty firms will move."))
    assert isinstance(made.parsed, WrittenClaim)
    claim_id = given(made.parsed.id)
    deleted = claims_delete.sync_detailed(claim_id, client=client, if_match=made.headers["ETag"])
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = claims_read.sync(claim_id, client=client)
    assert isinstance(gone, Problem)
    assert gone.status == 410
    back = claims_restore.sync(claim_id, client=client, if_match=deleted.headers["ETag"])
    assert isinstance(back, WrittenClaim)
    assert back.statement == made.parsed.statement


def restore_a_version(client: AuthenticatedClient) -> None:
    claim = claims_create.sync(client=client, body=new_claim("Seventy firms will move."))
    assert isinstance(claim, WrittenClaim)
    id = given(claim.id)
    change = ClaimPatch(statement="Eighty firms will move.")
    assert claims_change.sync(id, client=client, body=change, if_match='"1"')
    history = claims_list_versions.sync(id, client=client)
    assert isinstance(history, VersionEntryPage)
    assert [entry.op for entry in history.data] == [HistoryOp.UPDATE, HistoryOp.CREATE]
    assert history.data[0].changed == ["statement"]
    first = claims_read_version.sync(id, 1, client=client)
    assert isinstance(first, ClaimVersion)
    assert isinstance(first.document, Claim)
    assert first.document.statement == "Seventy firms will move."
    compared = claims_compare_versions.sync(id, 1, 2, client=client)
    assert isinstance(compared, VersionDifferences)
    assert (compared.from_, compared.to) == (1, 2)
    (difference,) = compared.differences
    assert difference.pointer == "/statement"
    assert difference.after == "Eighty firms will move."
    back = claims_restore_version.sync(id, 1, client=client, if_match='"2"')
    assert isinstance(back, WrittenClaim)
    assert (back.statement, back.version) == ("Seventy firms will move.", 3)


def read_an_unknown_id(client: AuthenticatedClient) -> None:
    unknown = uuid4()
    problem = claims_read.sync(unknown, client=client)
    assert isinstance(problem, Problem)
    assert (problem.status, problem.title) == (404, "Not Found")
    assert problem.instance == f"/v1/claims/{unknown}"
    assert str(unknown) in problem.detail
    assert problem.errors is UNSET


def read_with_if_none_match(client: AuthenticatedClient) -> None:
    claim_id = ids_of(claims_list.sync(client=client, per_page=1))[0]
    first = claims_read.sync_detailed(claim_id, client=client, include=[ClaimInclude.FIGURES])
    assert isinstance(first.parsed, Claim)
    assert first.parsed.evidence is UNSET
    again = claims_read.sync_detailed(
        claim_id,
        client=client,
        include=[ClaimInclude.FIGURES],
        if_none_match=first.headers["ETag"],
    )
    assert (again.status_code, again.parsed) == (304, None)


def read_two_pages(client: AuthenticatedClient) -> None:
    order = [ClaimSort.TIME_DESCENDING, ClaimSort.ID]
    whole = ids_of(claims_list.sync(client=client, sort=order, per_page=100))
    per_page = (len(whole) + 1) // 2
    first = claims_list.sync(client=client, sort=order, per_page=per_page)
    assert isinstance(first, ClaimPage)
    cursor = first.meta.next_cursor
    assert cursor is not None
    second = claims_list.sync(client=client, sort=order, per_page=per_page, cursor=cursor)
    assert isinstance(second, ClaimPage)
    assert second.meta.next_cursor is None
    assert ids_of(first) + ids_of(second) == whole


def filter_by_operators_and_lists(client: AuthenticatedClient) -> None:
    large = figures_list.sync(client=client, dimension=Dimension.COUNT, value_gte="40000")
    assert isinstance(large, FigurePage)
    assert large.data
    for figure in large.data:
        lower = given(figure.value_range).lower
        assert lower is not None
        assert int(lower) >= 40000
    wanted = ids_of(claims_list.sync(client=client, per_page=3))
    found = claims_list.sync(
        client=client,
        id_in=wanted,
        status_in=list(ClaimStatus),
        select=[ClaimSelect.ID, ClaimSelect.STATUS],
    )
    assert isinstance(found, ClaimPage)
    assert ids_of(found) == wanted
    assert {claim.statement for claim in found.data} == {UNSET}
    body = ClaimQuery(filter_=ClaimFilter(id_in=wanted, not_=ClaimFilter(id=wanted[0])))
    assert ids_of(claims_query.sync(client=client, body=body)) == wanted[1:]


def count_by_fields(client: AuthenticatedClient) -> None:
    keys = [ClaimGroupBy.CORROBORATION_VERDICT, ClaimGroupBy.STATUS]
    counted = claims_aggregate.sync(client=client, group_by=keys)
    assert isinstance(counted, ClaimGroups)
    assert counted.meta.group_by == ["corroboration__verdict", "status"]
    for group in counted.data:
        assert group.count > 0
        assert CorroborationVerdict(str(group.corroboration_verdict))
        assert group.language is UNSET


def read_corroboration(client: AuthenticatedClient) -> None:
    (claim_id,) = ids_of(claims_list.sync(client=client, external_id="hksz:ttps-approved-2023"))
    found = claims_read_corroboration.sync(claim_id, client=client)
    assert isinstance(found, Corroboration)
    assert found.verdict is CorroborationVerdict.SINGLE_ORIGIN
    assert (found.for_.sources, found.for_.origins, found.against.origins) == (1, 1, 0)
    assert found.origins[0].via[0].steps == []


def keep_decimal_digits(client: AuthenticatedClient) -> None:
    exact = "12345678901234567890.1234567890"
    made = figures_create.sync(
        client=client,
        body=FigureCreate(
            claim_external_id="hksz:ttps-approved-2023",
            metric_external_id="hksz:metric-ttps-approved",
            subject_external_id="hksz:ttps",
            as_stated=exact,
            comparator=Comparator.EQ,
            amount=exact,
            unit_code="1",
        ),
    )
    assert isinstance(made, WrittenFigure)
    assert made.amount == exact
    read = figures_read.sync(given(made.id), client=client)
    assert isinstance(read, Figure)
    assert read.amount == exact


def send_invalid_values(client: AuthenticatedClient) -> None:
    body = new_claim(" ")
    body.topics = ["firms", "Not A Slug"]
    body.language = "not a language"
    refused = claims_create.sync_detailed(client=client, body=body)
    assert refused.status_code == 422
    problem = refused.parsed
    assert isinstance(problem, Problem)
    assert problem.request_id == refused.headers["X-Request-ID"]
    errors = given(problem.errors)
    pointers = {"#/statement", "#/topics/1", "#/language"}
    assert {given(error.pointer) for error in errors} == pointers
    assert {error.code for error in errors} == {"invalid"}
    assert all(error.detail for error in errors)
    unknown = claims_list.sync(client=client, cursor="no cursor")
    assert isinstance(unknown, Problem)
    assert unknown.status == 400


def mirror_the_feed(client: AuthenticatedClient) -> None:
    held: dict[str, dict[UUID, object]] = defaultdict(dict)
    statements: dict[UUID, str] = {}
    cursor: str | Unset = UNSET
    caught_up = False
    while not caught_up:
        page = changes_follow.sync(client=client, per_page=100, expand=True, cursor=cursor)
        assert isinstance(page, ChangePage)
        for change in page.data:
            if change.document is None:
                held[change.resource].pop(change.id, None)
            else:
                held[change.resource][change.id] = given(change.document)
            if isinstance(change, ClaimChange) and change.document:
                statements[change.id] = change.document.statement
        cursor, caught_up = page.meta.next_cursor, page.meta.caught_up
    assert statements.keys() >= held["claims"].keys()
    embeds = [ClaimInclude(name) for name in CLAIM_EMBEDS]
    lists: dict[str, Callable[..., Any]] = {
        "sources": sources_list.sync,
        "claims": partial(claims_list.sync, include=embeds),
        "entities": entities_list.sync,
        "figures": figures_list.sync,
        "evidence": evidence_list.sync,
        "metrics": metrics_list.sync,
        "units": units_list.sync,
    }
    for resource, read in lists.items():
        assert held[resource] == listed(partial(read, client=client)), resource


def listed(read: Callable[..., Any]) -> dict[UUID, object]:
    documents: dict[UUID, object] = {}
    cursor: str | Unset | None = UNSET
    while cursor is not None:
        page = read(per_page=100, cursor=cursor)
        documents |= {document.id: document for document in page.data}
        cursor = page.meta.next_cursor
    return documents


def verify_a_text(client: AuthenticatedClient) -> None:
    page = sources_list.sync(client=client, external_id="hksz:shenzhen-daily-article")
    assert isinstance(page, SourcePage)
    body = TextToVerify(text="Nothing of the kind.")
    found = sources_verify.sync(given(page.data[0].id), client=client, body=body)
    assert isinstance(found, Verification)
    assert {row.result for row in found.locators} == {LocatorResult.MISSING}
    assert {row.surroundings for row in found.locators} == {None}
    assert Surroundings.NONE.value == "none"
    empty = sources_verify.sync(given(page.data[0].id), client=client, body=TextToVerify(text=" "))
    assert isinstance(empty, Problem)
    assert empty.status == 422
