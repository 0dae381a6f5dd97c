// Fastify and node-postgres, which send the statements of the service.

import cluster from "node:cluster";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import Fastify from "fastify";
import pg from "pg";

const { CONNECTIONS, DATABASE_URL, HOST, PORT, STATEMENTS } = process.env;
const JSON_TYPE = 114;

function serve() {
  const statements = JSON.parse(readFileSync(STATEMENTS, "utf8"));
  // JSON as the text that PostgreSQL sends.
  pg.types.setTypeParser(JSON_TYPE, (text) => text);
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(CONNECTIONS) });

  async function row(name, given) {
    const { sql, arguments: stated } = statements[name];
    const values = stated.map((argument) => filled(argument, given));
    const { rows } = await pool.query({ name, text: sql, values, rowMode: "array" });
    return rows[0];
  }

  const app = Fastify();
  app.get("/v1/claims/:id", async (request, reply) => {
    const name = request.query.include === undefined ? "a0" : "a";
    const [, , , body] = await row(name, request.params);
    return reply.type("application/json").send(body);
  });
  app.get("/v1/claims", async (request, reply) => {
    const { q, per_page } = request.query;
    const [items, cursor] = await row(q === undefined ? "b" : "c", request.query);
    const meta = JSON.stringify({ next_cursor: cursor, per_page: Number(per_page ?? 25) });
    return reply.type("application/json").send(`{"data":[${items ?? ""}],"meta":${meta}}`);
  });
  app.listen({ host: HOST, port: Number(PORT) });
}

// The argument with the parameters of a request in their places.
function filled(argument, given) {
  if (Array.isArray(argument)) {
    return argument.map((each) => filled(each, given));
  }
  return typeof argument === "string"
    ? argument.replace(/\{(\w+)\}/g, (_, name) => given[name])
    : argument;
}

if (cluster.isPrimary) {
  for (let worker = 0; worker < availableParallelism(); worker += 1) {
    cluster.fork();
  }
} else {
  serve();
}
