// Answers each [text, passages] of a JSON object on the standard input with what static/copies.js
// finds; texts are in the normal form. Its other member has the patterns of edges of numbers.
import { readFileSync } from "node:fs";
import { argv, stdin } from "node:process";
import { text as read } from "node:stream/consumers";

const scripts = argv.slice(2).map((path) => readFileSync(path, "utf8"));
const copies = new Function(`${scripts.join("\n")}; return copies;`)();
const { cases, edges } = JSON.parse(await read(stdin));
const answers = [];
for (const [text, passages] of cases) answers.push(await copies.compare(text, passages, edges));
console.log(JSON.stringify(answers));
