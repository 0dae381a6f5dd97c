/**
 * Rebuilds all documents from the feed, and compares them with the lists of the service.
 *
 * `service.ts` is generated from the OpenAPI document. Prints how many documents of each resource
 * there are.
 */
import { deepStrictEqual } from "node:assert";
import { argv } from "node:process";
import createClient from "openapi-fetch";
import type { components, paths } from "./service.js";

type Schemas = components["schemas"];
type Change = Schemas["ChangePage"]["data"][number];
type Documents = {
  sources: Schemas["Source"];
  claims: Schemas["Claim"];
  entities: Schemas["Entity"];
  figures: Schemas["Figure"];
  evidence: Schemas["Evidence"];
  metrics: Schemas["Metric"];
  units: Schemas["Unit"];
};
type Mirror = { [Resource in keyof Documents]: Map<string, Documents[Resource]> };

const client = createClient<paths>({ baseUrl: argv[2] ?? "" });

function given<T>(answer: { data?: T; error?: unknown }): NonNullable<T> {
  if (answer.data == null) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

function apply<Document>(
  held: Map<string, Document>,
  change: { id: string; document?: Document | null },
): void {
  if (change.document == null) held.delete(change.id);
  else held.set(change.id, change.document);
}

function follow(mirror: Mirror, change: Change): void {
  switch (change.resource) {
    case "sources":
      // @ts-expect-error A source has no statement.
      change.document?.statement;
      return apply(mirror.sources, change);
    case "claims":
      change.document?.statement satisfies string | undefined;
      return apply(mirror.claims, change);
    case "entities":
      return apply(mirror.entities, change);
    case "figures":
      return apply(mirror.figures, change);
    case "evidence":
      return apply(mirror.evidence, change);
    case "metrics":
      return apply(mirror.metrics, change);
    case "units":
      return apply(mirror.units, change);
    default:
      return change satisfies never;
  }
}

async function fromTheFeed(): Promise<Mirror> {
  const mirror: Mirror = {
    sources: new Map(),
    claims: new Map(),
    entities: new Map(),
    figures: new Map(),
    evidence: new Map(),
    metrics: new Map(),
    units: new Map(),
  };
  let cursor: string | undefined;
  for (;;) {
    const query = { per_page: 100, expand: true, ...(cursor && { cursor }) };
    const page = given(await client.GET("/v1/changes", { params: { query } }));
    for (const change of page.data) follow(mirror, change);
    if (page.meta.caught_up) return mirror;
    cursor = page.meta.next_cursor;
  }
}

type Paging = { per_page: number; cursor?: string };
type Page = { data: { id?: string }[]; meta: Schemas["PageMeta"] };

async function listed(read: (query: Paging) => Promise<Page>): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  let cursor: string | null = null;
  do {
    const page: Page = await read({ per_page: 100, ...(cursor && { cursor }) });
    for (const document of page.data) found.set(document.id ?? "", document);
    cursor = page.meta.next_cursor;
  } while (cursor !== null);
  return found;
}

const include: Schemas["ClaimInclude"][] = [
  "entities",
  "figures",
  "evidence",
  "sources",
  "corroboration",
  "statements",
];
const lists: { [Resource in keyof Documents]: (query: Paging) => Promise<Page> } = {
  sources: async (query) => given(await client.GET("/v1/sources", { params: { query } })),
  claims: async (query) =>
    given(await client.GET("/v1/claims", { params: { query: { ...query, include } } })),
  entities: async (query) => given(await client.GET("/v1/entities", { params: { query } })),
  figures: async (query) => given(await client.GET("/v1/figures", { params: { query } })),
  evidence: async (query) => given(await client.GET("/v1/evidence", { params: { query } })),
  metrics: async (query) => given(await client.GET("/v1/metrics", { params: { query } })),
  units: async (query) => given(await client.GET("/v1/units", { params: { query } })),
};

const mirror = await fromTheFeed();
for (const resource of Object.keys(lists) as (keyof Documents)[]) {
  const documents = await listed(lists[resource]);
  deepStrictEqual(mirror[resource], documents);
  console.log(resource, documents.size);
}
