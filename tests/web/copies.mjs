// Answers each [text, passages] of a JSON object on the standard input with what its script,
// static/copies.js, finds; texts are in the normal form. Its edges are the patterns of edges of numbers.
import { stdin } from "node:process";
import { text as read } from "node:stream/consumers";

const { script, cases, edges } = JSON.parse(await read(stdin));
const copies = new Function(`${script}; return copies;`)();
const answers = [];
for (const [text, passages] of cases) answers.push(await copies.compare(text, passages, edges));
console.log(JSON.stringify(answers));
