"""The kinds of read that the growth benchmark asks.

Most are derived from what each resource declares, so that a new filter, sort key, group, embed or
facet is asked without a change here: every filter with frequent, rare and absent values; with the
frequent one also counted and as of an earlier moment, and with both of the former also in another
order. Those that combine several parameters are by hand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks.dataset import Dataset
from benchmarks.examples import Examples
from benchmarks.questions import Ask
from hksz_db.domain.vocabulary import CorroborationVerdict
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.facets import FACETS
from hksz_db.queries.readable import Queryable, Readable
from hksz_db.queries.registry import RESOURCES

Kinds = Iterator[tuple[str, Ask]]
"""Kinds of read by name; in each database, the name stands for the same question."""

_COMMON_SORTS = {"id", "created_at", "updated_at"}
_LEAN = {"select": "id"}


@dataclass(frozen=True)
class Subjects:
    """What the requests are about, in one database; ``moment`` is one at which rows differed."""

    dataset: Dataset
    moment: str

    def claim(self, number: int) -> str:
        """The id of a claim."""
        return _id("1", number)

    def entity(self, number: int) -> str:
        """The id of an entity; the first is in most claims."""
        return _id("2", number)

    def source(self, number: int) -> str:
        """The id of a source."""
        return _id("3", number)

    def metric(self, number: int) -> str:
        """The id of a metric."""
        return _id("4", number)

    @property
    def hot(self) -> str:
        """The entity in most claims, which is also the largest place."""
        return self.entity(1)

    @property
    def rare(self) -> str:
        """An entity in few claims, in which no other lies."""
        return self.entity(self.dataset.entities - 1)

    @property
    def places(self) -> Mapping[str, str]:
        """Ids of places by their size."""
        return {"largest": self.hot, "middle": self.entity(15), "leaf": self.rare}


def kinds(subjects: Subjects, examples: Examples, *, every: bool = False) -> Kinds:
    """The kinds of read; the filters, which are most of them, come last.

    With ``every``, all values of a filter are counted, as of an earlier moment, and in another
    order.
    """
    yield from _searches(subjects)
    yield from _elsewhere(subjects)
    yield from _combined(subjects)
    yield from _trees(subjects)
    for readable in RESOURCES.values():
        yield from _of_resource(readable, subjects)
    yield from _facets(examples)
    lists = (*RESOURCES.values(), COMPARISONS)
    for queryable in lists:
        yield from _list(queryable, subjects.moment)
    for queryable in lists:
        yield from _filtered(queryable, examples, subjects.moment, every=every)


def _id(kind: str, number: int) -> str:
    return f"01900000-000{kind}-7000-8000-{2 * number:012x}"


def _get(path: str, **query: object) -> tuple[str, Ask]:
    shown = " ".join(f"{name}={value}" for name, value in query.items())
    return f"{path} {shown}".rstrip(), _asked(path, query)


def _asked(path: str, query: Mapping[str, object]) -> Ask:
    return Ask("GET", f"/v1/{path}?{urlencode(query)}" if query else f"/v1/{path}")


def _list(readable: Queryable, moment: str) -> Kinds:
    name, past, lean = readable.name, {"as_of": moment}, _lean(readable)
    yield f"{name}", _asked(name, {})
    yield f"{name} as_of", _asked(name, past)
    for count in ("exact", "estimated"):
        yield f"{name} count={count}", _asked(name, {"count": count, "per_page": 1})
    yield f"{name} as_of count=exact", _asked(name, {"count": "exact", "per_page": 1, **past})
    for sort in readable.sorts:
        for order in (sort, f"-{sort}"):
            yield f"{name} sort={order}", _asked(name, {"sort": order, **lean})
        yield f"{name} as_of sort=-{sort}", _asked(name, {"sort": f"-{sort}", **lean, **past})


def _filtered(readable: Queryable, examples: Examples, moment: str, *, every: bool) -> Kinds:
    name, past, lean = readable.name, {"as_of": moment}, _lean(readable)
    further = [sort for sort in readable.sorts if sort not in _COMMON_SORTS]
    orders = [f"-{sort}" for sort in (*further[:1], "updated_at") if readable.sorts]
    for parameter, known in readable.filters.items():
        values = examples.of(known, readable.targets[known.name])
        for number, (label, value) in enumerate(values.items()):
            asked, title = {parameter: value, **lean}, f"{name} {parameter}={label}"
            yield title, _asked(name, asked)
            if number < 2 or every:
                for order in orders[:1]:
                    yield f"{title} sort={order}", _asked(name, {**asked, "sort": order})
            if number < 1 or (every and label != "absent"):
                counted = {**asked, "count": "exact", "per_page": 1}
                yield f"{title} count=exact", _asked(name, counted)
                yield f"{title} as_of", _asked(name, {**asked, **past})


def _lean(readable: Queryable) -> Mapping[str, str]:
    """What leaves the documents out, where they have an id."""
    return _LEAN if "id" in readable.fields else {}


def _of_resource(readable: Readable, subjects: Subjects) -> Kinds:
    name = readable.name
    for group in readable.groups:
        yield f"{name}/aggregate {group}", _asked(f"{name}/aggregate", {"group_by": group})
    past = {"as_of": subjects.moment}
    for group in list(readable.groups)[:1]:
        asked = {"group_by": group, **past}
        yield f"{name}/aggregate {group} as_of", _asked(f"{name}/aggregate", asked)
    for embed in readable.embeds:
        yield f"{name} include={embed}", _asked(name, {"include": embed})
        yield f"{name} include={embed} as_of", _asked(name, {"include": embed, **past})
    ids = {
        "claims": {"middle": subjects.claim(subjects.dataset.claims // 2)},
        "entities": {"hot": subjects.hot, "rare": subjects.rare},
        "sources": {"middle": subjects.source(subjects.dataset.sources // 2)},
        "metrics": {"one": subjects.metric(7)},
    }
    for label, id in ids.get(name, {}).items():
        yield f"{name}/{label}", _asked(f"{name}/{id}", {})
        yield f"{name}/{label} as_of", _asked(f"{name}/{id}", past)
        yield f"{name}/{label}/history", _asked(f"{name}/{id}/history", {})
        for part in readable.parts:
            yield f"{name}/{label}/{part}", _asked(f"{name}/{id}/{part}", {})
            yield f"{name}/{label}/{part} as_of", _asked(f"{name}/{id}/{part}", past)
        for embed in readable.asked_embeds:
            yield f"{name}/{label} include={embed}", _asked(f"{name}/{id}", {"include": embed})


def _facets(examples: Examples) -> Kinds:
    claims = RESOURCES["claims"]
    yield "claims/facets", _asked("claims/facets", {})
    for facet in FACETS.values():
        known = claims.filters[facet.parameter]
        for label, value in examples.of(known, claims.targets[known.name]).items():
            asked = {facet.parameter: value}
            yield f"claims/facets {facet.parameter}={label}", _asked("claims/facets", asked)


def _combined(subjects: Subjects) -> Kinds:
    """Several parameters at once."""
    about = {"hot": subjects.hot, "middle": subjects.entity(20), "rare": subjects.rare}
    past = {"as_of": subjects.moment}
    for label, entity in about.items():
        for sort in ("-time", "-updated_at", "-corroboration__origins"):
            asked = {"entities__id": entity, "sort": sort}
            yield f"claims of {label} entity sort={sort}", _asked("claims", asked)
        year = {"entities__id": entity, "time__within": 2012, "per_page": 50}
        yield f"claims of {label} entity in a year", _asked("claims", year)
        yield f"claims of {label} entity in a year as_of", _asked("claims", {**year, **past})
        counted = {"entities__id": entity, "time__within": 2012, "count": "exact"}
        yield f"claims of {label} entity in a year count=exact", _asked("claims", counted)
        for sort in ("-value", "-period", "value"):
            asked = {"subject_id": entity, "sort": sort}
            yield f"figures of {label} entity sort={sort}", _asked("figures", asked)
        for verdict in ("contradicts", "tension"):
            asked = {"subject_id": entity, "verdict": verdict}
            yield f"comparisons of {label} entity verdict={verdict}", _asked("comparisons", asked)
        place = {"place__under": entity, "time__within": 2012}
        yield f"claims under {label} place in a year", _asked("claims", place)
        yield (
            f"claims under {label} place in a year sort=-time",
            _asked("claims", {**place, "sort": "-time"}),
        )
    for term in CorroborationVerdict:
        verdict = {"corroboration__verdict": term}
        yield f"claims with the verdict {term}", _asked("claims", verdict)
        counted = {**verdict, "count": "exact", "per_page": 1}
        yield f"claims with the verdict {term} count=exact", _asked("claims", counted)
    combinations: list[tuple[str, dict[str, object]]] = [
        ("claims", {"topics": "topic-7", "status": "retracted"}),
        ("claims", {"modality": "planned", "due__lte": 2024}),
        ("claims", {"modality": "planned", "due__lte": 2024, "sort": "due"}),
        ("claims", {"figures__metric": "bench-7", "figures__value__gte": 90000}),
        ("claims", {"figures__metric": "bench-7", "figures__value__gte": 1000000}),
        ("claims", {"corroboration__verdict": "disputed", "time__within": 2012}),
        ("claims", {"corroboration__verdict": "disputed", "time__within": 2012, "sort": "-time"}),
        ("claims", {"corroboration__verdict": "disputed", "status": "accepted", "sort": "-time"}),
        ("claims", {"time__within": "2010", "sort": "time"}),
        ("claims", {"time__within": "2010", "sort": "-time"}),
        ("claims", {"time__within": "2010-05/2010-06", "sort": "-time"}),
        ("claims", {"status": "accepted", "modality": "planned", "time__within": 2012}),
        ("claims", {"external_id__startswith": "bench:claim-00000"}),
        ("figures", {"dimension": "count", "value__gte": 40000, "sort": "-value"}),
        ("figures", {"dimension": "money", "sort": "-value"}),
        ("figures", {"metric": "bench-7", "sort": "-value"}),
        ("comparisons", {"metric": "bench-1", "verdict": "contradicts"}),
        ("comparisons", {"metric": "bench-1", "verdict": "tension"}),
        ("claims/aggregate", {"group_by": "status,modality"}),
        ("claims/aggregate", {"group_by": "status", "entities__id": subjects.hot}),
        ("claims/aggregate", {"group_by": "corroboration__verdict", "time__within": 2012}),
    ]
    for path, query in combinations:
        yield _get(path, **query)


def _trees(subjects: Subjects) -> Kinds:
    rare = {"entities__id": subjects.rare}
    second = {"entities__id": subjects.entity(2)}
    trees: Mapping[str, Mapping[str, object]] = {
        "rare entity or topic": {"or": [rare, {"topics": "topic-7"}]},
        "rare entity or rare claimant": {"or": [rare, {"claimant_id": subjects.rare}]},
        "rare entity or rare subject": {"or": [rare, {"figures__subject_id": subjects.rare}]},
        "not accepted": {"not": {"status": "accepted"}},
        "not since 2005": {"not": {"time__gte": "2005"}},
        "two entities": {
            "entities__id": subjects.hot,
            "and": [second],
        },
        "5,000 ids": {"id__in": [subjects.claim(n) for n in range(1, 5001)]},
        "100 entities": {"entities__id__in": [subjects.entity(n) for n in range(100, 200)]},
    }
    for title, tree in trees.items():
        yield f"claims/query {title}", Ask("POST", "/v1/claims/query", {"filter": tree})


def _searches(subjects: Subjects) -> Kinds:
    common, frequent, rare = _word(1), _word(50), _word(15_000)
    chinese, rare_chinese = "\u4e32\u5b50", "\u4e41\u5b73"
    searches = {
        "the commonest word": common,
        "a frequent word": frequent,
        "a rare word": rare,
        "an absent word": "xqxqxq",
        "a frequent Chinese word": chinese,
        "a rare Chinese word": rare_chinese,
        "two common words": f"{common} {_word(2)}",
        "a phrase": f'"{common} {_word(2)}"',
        "either of two": f"{common} OR {_word(2)}",
        "all but a word": f"-{common}",
        "a Chinese word without another": f"{chinese} -{frequent}",
    }
    for title, words in searches.items():
        for sort in ("", "-time", "-updated_at", "id"):
            query = {"q": words, **({"sort": sort} if sort else {})}
            yield f"claims q={title}{f' sort={sort}' if sort else ''}", _asked("claims", query)
        yield (
            f"claims q={title} count=exact",
            _asked("claims", {"q": words, "count": "exact", "per_page": 1}),
        )
        yield f"claims q={title} as_of", _asked("claims", {"q": words, "as_of": subjects.moment})
        for resource in ("sources", "entities"):
            yield f"{resource} q={title}", _asked(resource, {"q": words})
        yield f"claims/facets q={title}", _asked("claims/facets", {"q": words})
        yield f"suggest q={title}", _asked("suggest", {"q": words})
    for label, entity in (("hot", subjects.hot), ("rare", subjects.rare)):
        query = {"q": frequent, "entities__id": entity}
        yield f"claims q=a frequent word of {label} entity", _asked("claims", query)


def _elsewhere(subjects: Subjects) -> Kinds:
    """What is neither a list nor a document of a resource."""
    yield "review", _asked("review", {})
    yield "suggest q=two letters", _asked("suggest", {"q": _word(1)[:2]})
    pages = {
        "/claims": "/claims",
        "/claims?q=a frequent word": f"/claims?q={_word(50)}",
        "/claims.atom": "/claims.atom",
        "/claims/middle": f"/claims/{subjects.claim(subjects.dataset.claims // 2)}",
        "/entities": "/entities",
        "/entities/hot": f"/entities/{subjects.hot}",
        "/entities/rare": f"/entities/{subjects.rare}",
        "/sources": "/sources",
        "/sources/middle": f"/sources/{subjects.source(subjects.dataset.sources // 2)}",
        "/metrics/": "/metrics/",
        "/metrics/one": f"/metrics/{subjects.metric(7)}",
    }
    for title, path in pages.items():
        yield f"page {title}", Ask("GET", path)


def _word(rank: int) -> str:
    """The word of a rank, as ``benchmark.word`` makes it."""
    return "".join(
        "bcdfghjklmnprstvz"[part // 5 % 17] + "aiuoe"[part % 5]
        for part in (rank, rank // 85, rank // 7225)
    )
