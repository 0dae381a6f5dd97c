// The check of a reader's copy of a source. The text stays in the page: the only request is the one
// for the positions and hashes of the passages.
"use strict";

(() => {
	const box = document.getElementById("check"), says = box.dataset;
	const [form, status, list, copy] = ["form", "[role=status]", "ol", ".own-copy"].map((each) => box.querySelector(each));
	const made = (name, text, more) =>
		Object.assign(document.createElement(name), { textContent: text }, more);

	function show(text, passages, results) {
		list.replaceChildren(...results.map(({ result, start, end }, n) => {
			const { claim, language, start_char, end_char } = passages[n];
			const item = made("li"), where = made("p", "", { className: "where" }), what = made("p");
			const place = `${says.place} ${start ?? start_char}–${end ?? end_char}`;
			where.append(start === null ? made("s", place) : made("a", place, { href: `#found-${n}` }));
			what.append(made("b", says[result], { className: `r-${result}` }), " ",
				made("a", claim.statement, { href: `/claims/${claim.id}`, lang: language ?? "" }));
			item.append(where, what);
			return item;
		}));
		const points = Array.from(text);
		const marks = results.map((each, n) => ({ ...each, n })).filter(({ start }) => start !== null);
		const cuts = [0, points.length, ...marks.flatMap(({ start, end }) => [start, end])];
		const parts = [...Uint32Array.from(new Set(cuts)).sort()];
		copy.replaceChildren(...parts.slice(0, -1).flatMap((cut, i) => {
			const part = points.slice(cut, parts[i + 1]).join("");
			const inside = marks.filter(({ start, end }) => start <= cut && cut < end);
			const anchors = inside.filter(({ start }) => start === cut)
				.map(({ n }) => made("span", "", { id: `found-${n}` }));
			return [...anchors, inside.length ? made("mark", part, { className: `r-${inside[0].result}` }) : part];
		}));
		copy.hidden = false;
	}

	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const tell = (text) => { status.textContent = text; };
		const text = locators.normal(form.elements.copy.value);
		tell(text ? says.busy : says.refused);
		const answer = text && await fetch(says.url).then((got) => got.json()).catch(() => ({}));
		if (!answer) return;
		const { passages } = answer;
		if (!passages) return tell(says.failed);
		const results = await copies.compare(text, passages, answer.edges);
		const counts = new Map(), captures = says.captures.split(" ").filter(Boolean);
		for (const { result } of results) counts.set(says[result], (counts.get(says[result]) ?? 0) + 1);
		const isToTheLetter = results.some(({ result }, n) =>
			result === "missing" && !passages[n].loose_end_char);
		show(text, passages, results);
		tell([
			captures.length && (captures.includes(locators.sha256(text)) ? says.same : says.different),
			results.length ? [...counts].map(([result, n]) => n + ": " + result).join(". ") + "." : says.none,
			isToTheLetter && says.letter,
			answer.has_more && says.more,
		].filter(Boolean).join(" "));
		status.scrollIntoView();
	});
	form.hidden = false;
})();
