// Compares a reader's copy of a source with the positions and hashes of its passages. The text
// stays in the page: the only request is the one for the positions and hashes.
"use strict";
(() => {
  const box = document.getElementById("check"), says = box.dataset;
  const [form] = box.getElementsByTagName("form"), status = box.querySelector("[role=status]");
  const list = box.querySelector("ol"), copy = box.querySelector(".copy");
  const CONTEXT = 32, LEAST_CONTEXT = 16, MOST_WINDOWS = 300000, AT_ONCE = 1000;
  // What Python takes for white space; \s is another set.
  const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
  // The 5,000 of 15,000 or of 5,000 million is another number.
  const DIGIT = "[\\p{N}〇零一二三四五六七八九十百千萬万億亿兆兩两半]", MARKS = "[,.'’:/·点點、~\\-–−]";
  const WORD = "(?:hundred|thousand|[mbtrz]illion|dozen|half|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\w+teen|\\w+ty)s?\\b";
  const regex = (text) => new RegExp(text, "iu");
  const STARTS = regex(`^(?:[+$€£¥,.\\-–−]*${DIGIT}|${WORD})`), ENDS = regex(`(?:${DIGIT}${MARKS}*|\\b${WORD})$`);
  const BEFORE = regex(`(?:${DIGIT}${MARKS}?|[\\-–−負负a-z]|分之|(?:\\b${WORD}|\\d)[ -](?:and |point )?)$`);
  const AFTER = regex(`^(?:${MARKS}?${DIGIT}|[a-z多餘余來来幾几倍分]| ?[%‰]| per ?cent\\b|[ -](?:and |point |and a )?(?:${WORD}|(?:[kmbt]|mn|mln|bn|tn|trn|odd|third|quarter)s?\\b))`);
  const encoder = new TextEncoder();
  const normal = (text) => text.replace(/^\ufeff/, "").normalize("NFC").replace(SPACES, " ").replace(/^ | $/g, "");
  const digest = async (text) =>
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");

  class Copy {
    constructor(text) { this.points = Array.from(text); this.text = text; this.length = this.points.length; }
    words(start, end) { return this.points.slice(Math.max(start, 0), end).join(""); }
    hash(start, end) { return digest(this.words(start, end)); }
    // The places of windows whose hash is wanted.
    async places(length, wanted, last = this.length - length) {
      const found = new Map();
      for (let first = 0; first <= last; first += AT_ONCE) {
        const starts = Array.from({ length: Math.min(AT_ONCE, last - first + 1) }, (_, n) => first + n);
        const hashes = await Promise.all(starts.map((start) => this.hash(start, start + length)));
        hashes.forEach((hash, n) => { if (wanted.has(hash)) found.set(hash, [...(found.get(hash) ?? []), starts[n]]); });
      }
      return found;
    }
    // Whether the passage stands at a place, and on which sides the text beside it is the same.
    async look(passage, start) {
      const end = start + passage.end_char - passage.start_char, reach = Math.min(CONTEXT, passage.start_char);
      if (start < 0 || end > this.length || (await this.hash(start, end)) !== passage.exact_sha256) return null;
      const before = start >= reach && (reach > 0 || start === 0) && (await this.hash(start - reach, start)) === passage.prefix_sha256;
      const after = (await this.hash(end, end + CONTEXT)) === passage.suffix_sha256;
      return { passage, start, end, before, after };
    }
    result({ passage, start, end, before, after }) {
      const stated = start === passage.start_char;
      if (before && after) return stated ? "exact" : "moved";
      if (!before && !after) return "elsewhere";
      const words = this.words(start, end);
      if (!before && STARTS.test(words) && BEFORE.test(this.words(start - CONTEXT, start))) return "elsewhere";
      if (!after && ENDS.test(words) && AFTER.test(this.words(end, end + CONTEXT))) return "elsewhere";
      if (stated) return "exact";
      const beside = before ? this.words(start - Math.min(CONTEXT, passage.start_char), start) : this.words(end, end + CONTEXT);
      const once = this.text.indexOf(beside) === this.text.lastIndexOf(beside);
      return once && Array.from(beside).length >= LEAST_CONTEXT ? "moved" : "elsewhere";
    }
  }

  async function compare(text, passages) {
    const found = new Map(), keep = (seen) => {
      if (!seen) return;
      const rank = ({ before, after, start, passage }) => [before + after, -Math.abs(start - passage.start_char)];
      const known = found.get(seen.passage), [sides, near] = rank(seen), [best, nearest] = known ? rank(known) : [-1, 0];
      if (sides > best || (sides === best && near > nearest)) found.set(seen.passage, seen);
    };
    const open = () => passages.filter((each) => { const seen = found.get(each); return !seen || !(seen.before || seen.after); });
    for (const each of passages) keep(await text.look(each, each.start_char));
    if (open().length) {
      const wanted = new Set(open().flatMap((each) => [each.prefix_sha256, each.suffix_sha256]));
      // At the end of the text, what stands after a passage is shorter.
      const places = await text.places(CONTEXT, wanted, text.length);
      for (const each of open()) {
        for (const start of places.get(each.suffix_sha256) ?? []) keep(await text.look(each, start - each.end_char + each.start_char));
        if (each.start_char >= CONTEXT) for (const start of places.get(each.prefix_sha256) ?? []) keep(await text.look(each, start + CONTEXT));
      }
    }
    let left = MOST_WINDOWS;
    const unsearched = new Set(), lost = passages.filter((each) => !found.has(each));
    for (const length of new Set(lost.map((each) => each.end_char - each.start_char))) {
      const alike = lost.filter((each) => each.end_char - each.start_char === length);
      left -= Math.max(0, text.length - length);
      if (left < 0) { alike.forEach((each) => unsearched.add(each)); continue; }
      const places = await text.places(length, new Set(alike.map((each) => each.exact_sha256)));
      for (const each of alike) for (const start of places.get(each.exact_sha256) ?? []) keep(await text.look(each, start));
    }
    return passages.map((each) => {
      const seen = found.get(each);
      return { passage: each, seen, result: seen ? text.result(seen) : unsearched.has(each) ? "unsearched" : "missing" };
    });
  }

  const made = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);

  function show(text, results) {
    list.replaceChildren(...results.map(({ passage, seen, result }, n) => {
      const item = made("li", ""), where = made("p", "", { className: "where" }), what = made("p", "");
      const { start, end } = seen ?? { start: passage.start_char, end: passage.end_char }, place = `${says.place} ${start}–${end}`;
      where.append(seen ? made("a", place, { href: `#found-${n}` }) : made("s", place));
      what.append(made("b", says[result], { className: `r-${result}` }), " ", made("a", passage.claim.statement, { href: `/claims/${passage.claim.id}` }));
      item.append(where, what);
      return item;
    }));
    const marks = results.flatMap(({ seen, result }, n) => (seen ? [{ ...seen, result, n }] : []));
    const cuts = [...new Set([0, text.length, ...marks.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
    copy.replaceChildren(...cuts.slice(0, -1).flatMap((cut, n) => {
      const words = text.words(cut, cuts[n + 1]), inside = marks.filter(({ start, end }) => start <= cut && cut < end);
      const anchors = inside.filter(({ start }) => start === cut).map((mark) => made("span", "", { id: `found-${mark.n}` }));
      return [...anchors, inside.length ? made("mark", words, { className: `r-${inside[0].result}` }) : words];
    }));
    copy.hidden = false;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!window.crypto?.subtle) { status.textContent = says.insecure; return; }
    const text = new Copy(normal(form.elements.copy.value));
    if (!text.length) return;
    status.textContent = says.busy;
    let answer;
    try { answer = await (await fetch(says.url, { headers: { Accept: "application/json" } })).json(); if (!answer.passages) throw new Error(); }
    catch { status.textContent = says.failed; return; }
    const results = await compare(text, answer.passages), counts = new Map();
    results.forEach(({ result }) => counts.set(result, (counts.get(result) ?? 0) + 1));
    const captures = says.captures.split(" ").filter(Boolean), whole = await digest(text.text);
    show(text, results);
    status.textContent = [
      ...(captures.length ? [captures.includes(whole) ? says.same : says.different] : []),
      results.length ? [...counts].map(([result, number]) => `${number}: ${says[result]}`).join(". ") + "." : says.none,
      ...(answer.has_more ? [says.more] : []),
    ].join(" ");
  });
  form.hidden = false;
})();
