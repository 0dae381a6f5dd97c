// Answers each [text, start, end] of a JSON object on the standard input, spans in code points of the
// normal form, with what its script, static/locators.js, makes of it.
import { stdin } from "node:process";
import { text as read } from "node:stream/consumers";

const { script, spans } = JSON.parse(await read(stdin));
const locators = new Function(`${script}; return locators;`)();
const answers = spans.map(([given, start, end]) => {
  const text = locators.normal(given);
  if (text === null) return null;
  const points = Array.from(text), at = (place) => points.slice(0, place).join("").length;
  const { exact, loose } = locators.passage(text, at(start), at(end));
  return { text, folded: locators.looseForm(text).text, whole: locators.sha256(text), exact, loose };
});
console.log(JSON.stringify(answers));
