// Finds passages in a copy of a text: hksz_db/domain/verification.py and figure_edges.py.
"use strict";

const copies = (() => {
	const CONTEXT = 32, LEAST_CONTEXT = 16;
	// Blocks of 64 bytes that may be hashed to look for passages everywhere: a few seconds.
	const MOST_WORK = 2e6;
	const PAUSE_MS = 50;

	// A text, in which places count code points.
	function spelt(text) {
		const points = Array.from(text);
		const words = (start, end) => points.slice(Math.max(start, 0), end).join("");
		return {
			text, words,
			length: points.length,
			hash: (start, end) => locators.sha256(words(start, end)),
			offset: (place) => words(0, place).length,
			place: (offset) => Array.from(text.slice(0, offset)).length,
		};
	}

	function located(passage, form) {
		const [start, end, exact, prefix, suffix] = ["start_char", "end_char", "exact_sha256",
			"prefix_sha256", "suffix_sha256"].map((name) => passage[form + name]);
		const reach = Math.min(CONTEXT, start);
		return start === null ? null : { start, exact, prefix, suffix, reach, size: end - start };
	}

	// A search for spans: ``found`` are their best places, which have the most context and of these
	// are the nearest; null if a span was not looked for everywhere.
	function searchIn(text) {
		const found = new Map();
		let paused = Date.now();
		function keep(span, start) {
			const end = start + span.size, from = start - span.reach, moved = start - span.start;
			if (start < 0 || end > text.length || text.hash(start, end) !== span.exact) return;
			const before = from >= 0 && (from < start || !start) && text.hash(from, start) === span.prefix;
			const after = text.hash(end, end + CONTEXT) === span.suffix;
			const rank = (before + after) * 2 ** 40 - 2 * Math.abs(moved) - (moved > 0);
			if (found.get(span)?.rank >= rank) return;
			found.set(span, { start, end, before, after, rank, isFinal: before + after >= (moved ? 2 : 1) });
		}
		const isOpen = (span) => !found.get(span)?.isFinal;
		// Looks at the places of the windows with one of the hashes.
		async function windows(size, wanted, last, look) {
			for (let start = 0; start <= last; start++) {
				const hash = text.hash(start, start + size);
				if (wanted.has(hash)) look(hash, start);
				if (Date.now() - paused > PAUSE_MS) {
					await new Promise((done) => { setTimeout(done); });
					paused = Date.now();
				}
			}
		}
		async function beside(spans) {
			spans.forEach((span) => keep(span, span.start));
			const left = spans.filter(isOpen), wanted = new Set(left.flatMap((each) => [each.prefix, each.suffix]));
			// At the end of the text, what stands after a passage is shorter.
			if (left.length) await windows(CONTEXT, wanted, text.length, (hash, start) => {
				for (const span of left) {
					if (span.suffix === hash) keep(span, start - span.size);
					if (span.prefix === hash && span.reach === CONTEXT) keep(span, start + CONTEXT);
				}
			});
		}
		async function everywhere(spans) {
			// Beside their context, only prefixes that are shorter were not looked for.
			const left = spans.filter((span) => isOpen(span) && (!found.has(span) || span.reach % CONTEXT));
			let work = MOST_WORK;
			for (const size of [...new Set(left.map((each) => each.size))].sort((a, b) => a - b)) {
				const alike = left.filter((span) => span.size === size), last = text.length - size;
				const cost = Math.max(0, last + 1) * (2 + size / 32);
				if (cost > work) {
					for (const span of alike) found.set(span, found.get(span) ?? null);
					continue;
				}
				work -= cost;
				await windows(size, new Set(alike.map((span) => span.exact)), last, (hash, start) => {
					for (const span of alike) if (span.exact === hash) keep(span, start);
				});
			}
		}
		// Whether enough of the context is the same.
		function isSame(span, { start, end, before, after }, isStated) {
			if (before === after || isStated) return before || after;
			const beside = before ? text.words(start - span.reach, start) : text.words(end, end + CONTEXT);
			return Array.from(beside).length >= LEAST_CONTEXT
				&& text.text.indexOf(beside) === text.text.lastIndexOf(beside);
		}
		return { found, isOpen, beside, everywhere, isSame };
	}

	// Whether a number at an edge of text[start:end] continues beyond it, where the text differs.
	function isPartOfNumber(edges, text, start, end, { before, after }) {
		const seen = (...span) => text.words(...span).replace(/\p{Cf}/gu, "").normalize("NFKC");
		const has = (words, name) => new RegExp(edges[name], "iu").test(words);
		const first = seen(start, Math.min(end, start + CONTEXT)), left = seen(start - CONTEXT, start);
		return (!before && has(first, "starts") && (has(left, "before")
			|| (/^\p{L}/u.test(first) && has(left, "before_word"))
			|| (has(first, "thousands") && has(left, "before_thousands"))))
			|| (!after && has(seen(Math.max(start, end - CONTEXT), end), "ends")
				&& has(seen(end, end + CONTEXT), "after"));
	}

	// The span of a text that became a span of its loose form.
	const undone = (form, span) => [...form.steps].reverse().reduce((places, edits) => locators.redo(
		edits.map((each) => ({ start: each.newStart, end: each.newEnd, newStart: each.start, newEnd: each.end })),
		...places), span);

	// The result for each passage in a text in the form nfc-ws1, and its place. ``edges`` are the
	// patterns of figure_edges.py.
	async function compare(normal, passages, edges) {
		const text = spelt(normal), exactly = searchIn(text);
		const form = locators.looseForm(normal), other = spelt(form.text), loosely = searchIn(other);
		const exact = passages.map((each) => located(each, ""));
		await exactly.beside(exact);
		const loose = passages.map((each, n) => exactly.isOpen(exact[n]) && located(each, "loose_"));
		await exactly.everywhere(exact.filter((_, n) => !loose[n]));
		const wanted = loose.filter(Boolean);
		await loosely.beside(wanted);
		await loosely.everywhere(wanted);

		return exact.map((span, n) => {
			const seenLoosely = loosely.found.get(loose[n]), seen = seenLoosely ?? exactly.found.get(span);
			if (!seen) {
				const isOpen = exactly.found.has(span) || loosely.found.has(loose[n]);
				return { result: isOpen ? "unsearched" : "missing", start: null, end: null };
			}
			let { start, end } = seen;
			if (seenLoosely) [start, end] = undone(form, [start, end].map(other.offset)).map(text.place);
			const isExact = text.hash(start, end) === span.exact, isAtPlace = isExact && start === span.start;
			const [search, used] = seenLoosely ? [loosely, loose[n]] : [exactly, span];
			const isSame = search.isSame(used, seen, isAtPlace || seen.start === used.start);
			let result = isAtPlace ? "exact" : isExact ? "moved" : "same_but_typography";
			if (!isSame || isPartOfNumber(edges, text, start, end, seen)) result = "elsewhere";
			return { result, start, end };
		});
	}

	return { compare };
})();
