// Locators of passages: docs/explanation/locators.md, hksz_db/domain/locators.py and loose_form.py.
"use strict";

const locators = (() => {
	const CONTEXT = 32;
	// What str.isspace() of Python takes for white space, which is not what \s matches here.
	const SPACES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
	const IN_HAN = "\\u2e80-\\u2fdf\\u3001-\\u303f\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
	const BY_HAN = "\\p{Nd}!-\\/:-@\\[-`{-~";
	const SPACE_BY_HAN = new RegExp(
		` (?:(?<=[${IN_HAN}] )(?=[${IN_HAN}${BY_HAN}])|(?<=[${BY_HAN}] )(?=[${IN_HAN}]))`, "gu");
	const FOLDED = new Map();
	for (const [to, from] of [["'", "‘’‚‛‹›′‵`´ʼʻ『』"], ['"', "“”„‟«»〝〞〟「」"],
		["-", "‐‑‒–—―−⁃─⸺⸻"], ["…", "⋯"]]) for (const each of from) FOLDED.set(each, to);
	const FOLDS = new RegExp(`[${[...FOLDED.keys()].join("")}]`, "gu");

	const listed = (letters) =>
		letters.map((each) => `\\u{${each.codePointAt(0).toString(16)}}`).join("");
	const before = (text, at) => [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "";
	const after = (text, at) => (at < text.length ? String.fromCodePoint(text.codePointAt(at)) : "");
	const isDecimal = (each) => /^\p{Nd}/u.test(each);
	const isAlnum = (each) => /^[\p{L}\p{N}]/u.test(each);
	const hasCase = (each) =>
		/^\p{L}/u.test(each) && each.toLowerCase() !== each.toUpperCase();

	// crypto.subtle exists in secure contexts only, and the service may be reached by plain HTTP.
	const [K, H] = (() => {
		const primes = [];
		for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
		const bits = (number) => ((number - Math.floor(number)) * 2 ** 32) | 0;
		return [primes.map((prime) => bits(Math.cbrt(prime))),
			primes.slice(0, 8).map((prime) => bits(Math.sqrt(prime)))];
	})();

	function sha256(text) {
		const bytes = new TextEncoder().encode(text);
		const padded = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
		new Uint8Array(padded.buffer).set(bytes);
		padded.setUint8(bytes.length, 0x80);
		padded.setBigUint64(padded.byteLength - 8, BigInt(bytes.length) * 8n);
		const hash = Int32Array.from(H), w = new Int32Array(64);
		const turn = (word, by) => (word >>> by) | (word << (32 - by));
		for (let block = 0; block < padded.byteLength; block += 64) {
			for (let i = 0; i < 16; i++) w[i] = padded.getInt32(block + 4 * i);
			for (let i = 16; i < 64; i++) {
				const a = w[i - 15], b = w[i - 2];
				w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3))
					+ (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
			}
			let [a, b, c, d, e, f, g, h] = hash;
			for (let i = 0; i < 64; i++) {
				const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g))
					+ K[i] + w[i]) | 0;
				const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
				[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
			}
			[a, b, c, d, e, f, g, h].forEach((word, i) => { hash[i] += word; });
		}
		return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
	}

	// The form nfc-ws1 of a text, or null if it is not a text.
	function normal(text) {
		if (/[\0\ud800-\udfff]/u.test(text)) return null;
		const marked = text.replace(/^\ufeff/u, "").normalize("NFC").replace(SPACES, " ");
		return marked.replace(/^ | $/gu, "") || null;
	}

	// The form loose1 of a text that is in the form nfc-ws1, and the edits that lead to it.
	function looseForm(text) {
		const steps = [];
		const rewrite = (pattern, written) => {
			const edits = [];
			let shift = 0;
			text = text.replace(pattern, (found, ...rest) => {
				const whole = rest.at(-1), start = rest.at(-2);
				const end = start + found.length, put = written(found, before(whole, start), after(whole, end));
				if (put === found) return found;
				edits.push({ start, end, newStart: start + shift, newEnd: start + shift + put.length });
				shift += put.length - found.length;
				return put;
			});
			if (edits.length) steps.push(edits);
		};
		const fold = () => { text = text.replace(FOLDS, (each) => FOLDED.get(each)); };
		if (/[^\0-\x7f]/u.test(text)) {
			const hasInvisible = /\p{Cf}/u.test(text);
			rewrite(/\p{Cf}+/gu, (run, left, right) =>
				(run.includes("\u00ad") && isAlnum(left) && right === " " ? "-" : ""));
			fold();
			const letters = [...new Set(text)], taken = (each) => each.normalize("NFKD");
			const changing = letters.filter((each) => taken(each).normalize("NFC") !== each);
			const marks = letters.filter((each) => /^[\p{M}\u1160-\u11ff\ud7b0-\ud7ff]/u.test(taken(each)));
			const clusters = [];
			if (marks.length && (changing.length || hasInvisible)) {
				clusters.push(`[^${listed(marks)}]?[${listed(marks)}]+`);
			}
			if (changing.length) clusters.push(`[${listed(changing)}]`);
			if (clusters.length) rewrite(new RegExp(clusters.join("|"), "gu"), compatible);
		}
		fold();
		rewrite(/^ +| +$| {2,}/gu, (_, left, right) => (left && right ? " " : ""));
		rewrite(/''/gu, () => '"');
		rewrite(/\.(?: ?\.){2,}/gu, () => "...");
		rewrite(/ ?-[ -]*/gu, oneHyphen);
		rewrite(SPACE_BY_HAN, () => "");
		return { text, steps };
	}

	function compatible(cluster, left, right) {
		const folded = Array.from(cluster, (each) => each.normalize("NFKD")).join("").normalize("NFC");
		if (isDecimal(cluster)) return folded;
		const apartBefore = isDecimal(left) && isDecimal(folded) ? " " : "";
		const apartAfter = isDecimal(right) && isDecimal(before(folded, folded.length)) ? " " : "";
		return apartBefore + folded + apartAfter;
	}

	function oneHyphen(run, left, right) {
		const opens = run.startsWith(" "), closes = run.endsWith(" ");
		if (opens && !closes) return " -";
		if (closes && !opens && !(isAlnum(left) && isAlnum(right))) return "- ";
		return hasCase(left) && hasCase(right) ? "" : "-";
	}

	// Where a span lies after edits: a span that cuts one takes in all of it.
	function redo(edits, start, end) {
		const last = edits.findLast((each) => each.start <= start);
		const first = edits.find((each) => each.end >= end);
		const passed = edits.findLast((each) => each.end < end);
		const from = !last ? start
			: start < last.end ? last.newStart : last.newEnd + start - last.end;
		const to = first && end > first.start ? first.newEnd
			: !passed ? end : passed.newEnd + end - passed.end;
		return [from, to];
	}

	function locator(text, start, end) {
		const left = [...text.slice(0, start)], right = [...text.slice(end, end + 2 * CONTEXT)];
		const words = text.slice(start, end);
		return {
			start_char: left.length,
			end_char: left.length + [...words].length,
			exact_sha256: sha256(words),
			prefix_sha256: sha256(left.slice(-CONTEXT).join("")),
			suffix_sha256: sha256(right.slice(0, CONTEXT).join("")),
		};
	}

	// The locators of text[start:end]: offsets in the string, of a text in the form nfc-ws1. Loose is
	// null if the words would have another form beside other words.
	function passage(text, start, end) {
		const whole = looseForm(text), words = looseForm(text.slice(start, end)).text;
		const [from, to] = whole.steps.reduce(([a, b], edits) => redo(edits, a, b), [start, end]);
		const hasLoose = words !== "" && whole.text.slice(from, to) === words;
		return {
			exact: locator(text, start, end),
			loose: hasLoose ? locator(whole.text, from, to) : null,
		};
	}

	return { looseForm, normal, passage, redo, sha256 };
})();
