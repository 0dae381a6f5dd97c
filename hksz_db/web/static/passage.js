// The text of a source: it is pasted, marked, and never sent. Its locators go into the form.
"use strict";

(() => {
	const byId = (id) => document.getElementById(id);
	const pane = byId("copying"), form = byId("add"), box = byId("sentences"), words = pane.dataset;
	const fields = form.elements;
	const kept = "text " + words.source, tell = () => form.dispatchEvent(new Event("input"));
	let text = "", points = [], spans = [], sentences = [], marked = null;
	let current = 0, isPressed;

	pane.hidden = false;
	if (sessionStorage[kept]) show(sessionStorage[kept]);
	on(byId("use"), "click", () => show(byId("text").value)?.focus());
	on(byId("again"), "click", () => {
		byId("paste").hidden = false;
		byId("marking").hidden = true;
		byId("text").focus();
	});

	// The sentences of the text in the normal form, each with its offsets.
	function show(pasted) {
		const normal = locators.normal(pasted);
		byId("refused").textContent = normal ? "" : words.refused;
		if (!normal) return;
		text = normal;
		points = [...text];
		store(kept, pasted);
		byId("text").value = pasted;
		const segmenter = new Intl.Segmenter(words.lang, { granularity: "sentence" });
		let at = 0, parts = pasted.split(/\n\s*\n/u).map(locators.normal).filter(Boolean);
		if (parts.join(" ") !== text) parts = [text];
		spans = [];
		sentences = [];
		box.textContent = "";
		for (const part of parts) {
			const paragraph = box.appendChild(document.createElement("div"));
			for (const { segment } of segmenter.segment(part + " ")) {
				sentences.push(Object.assign(paragraph.appendChild(document.createElement("span")),
					{ textContent: segment, id: "s" + spans.length, role: "option", ariaSelected: "false" }));
				spans.push([at, at + segment.trimEnd().length]);
				at += segment.length;
			}
		}
		go(0);
		byId("paste").hidden = true;
		byId("marking").hidden = false;
		paintEarlier();
		if (fields.exact_sha256.value && fields.text_sha256.value === locators.sha256(text)) {
			mark(offset(fields.start_char.value), offset(fields.end_char.value), true);
		}
		return box;
	}

	// The sentences cannot be focused: a drag that begins at the edge of a focused element selects nothing.
	function go(i) {
		sentences[current]?.classList.remove("here");
		current = Math.min(Math.max(i, 0), sentences.length - 1);
		sentences[current].classList.add("here");
		box.setAttribute("aria-activedescendant", sentences[current].id);
	}

	// Positions count code points, and offsets the units of strings.
	function offset(place) {
		return points.slice(0, place).join("").length;
	}

	function rangeOf(start, end) {
		const place = (at) => {
			const i = spans.findLastIndex(([from]) => from <= at);
			return [sentences[i].firstChild, at - spans[i][0]];
		};
		const range = new Range();
		range.setStart(...place(start));
		const [node, offset] = place(end - 1);
		range.setEnd(node, offset + 1);
		return range;
	}

	function paint(name, ...ranges) {
		if (window.Highlight) CSS.highlights.set(name, new Highlight(...ranges));
	}

	// Only passages with the same words at the same place can be shown.
	function paintEarlier() {
		const ranges = [];
		for (const each of words.before.split(" ").filter(Boolean)) {
			const [start, end, hash] = each.split("-"), from = offset(start), to = offset(end);
			const found = text.slice(from, to);
			if (found && locators.sha256(found).startsWith(hash)) ranges.push(rangeOf(from, to));
		}
		paint("before", ...ranges);
	}

	// A passage that the form already has is not announced.
	function mark(start, end, old) {
		const { exact, loose } = locators.passage(text, start, end);
		for (const name of Object.keys(exact)) {
			fields[name].value = exact[name];
			fields["loose_" + name].value = loose?.[name] ?? "";
		}
		fields.text_sha256.value = locators.sha256(text);
		fields.char_length.value = points.length;
		marked = [start, end];
		sentences.forEach((span, i) => {
			span.ariaSelected = spans[i][0] < end && spans[i][1] > start;
		});
		paint("passage", rangeOf(start, end));
		byId("fault").textContent = "";
		byId("where").textContent = words.where.replace(/\d/g, (n) => [exact.start_char, exact.end_char, points.length][n])
			+ ` · ${exact.exact_sha256.slice(0, 12)}…`
			+ (text.includes(text.slice(start, end), start + 1) ? "; " + words.again : "");
		old || tell();
	}

	// The offsets of what is selected in the text, without spaces at its ends.
	function selected() {
		const selection = getSelection();
		if (selection.isCollapsed || !selection.containsNode(box, true)) return;
		const range = selection.getRangeAt(0).cloneRange(), before = new Range();
		if (!box.contains(range.startContainer)) range.setStart(box, 0);
		if (!box.contains(range.endContainer)) range.setEndAfter(box.lastChild);
		before.setStart(box, 0);
		before.setEnd(range.startContainer, range.startOffset);
		const found = range.toString(), words = found.trim();
		const start = before.toString().length + found.indexOf(words);
		return words && [start, start + words.length];
	}

	on(byId("find"), "submit", (event) => {
		event.preventDefault();
		const wanted = locators.normal(byId("words").value), start = wanted ? text.indexOf(wanted) : -1;
		if (start >= 0) mark(start, start + wanted.length);
		else byId("fault").textContent = words.missing;
	});
	let isFigure;
	on(byId("words"), "input", () => { isFigure = null; });
	on(document, "selectionchange", () => { isFigure = selected() ?? isFigure; });
	on(box, "mousedown", (event) => {
		isPressed = true;
		if (sentences.includes(event.target)) go(sentences.indexOf(event.target));
	});
	// A drag may end outside the text.
	on(document, "mouseup", () => {
		const span = isPressed && selected();
		isPressed = false;
		// A selection within the passage may be its figure.
		if (!span || (marked && span[0] >= marked[0] && span[1] <= marked[1])) return;
		mark(...span);
		// What is selected would be dragged, and nothing within it could be selected.
		getSelection().empty();
	});
	// A finger cannot drag over words without scrolling: it marks a sentence.
	on(box, "click", ({ pointerType }) => pointerType === "touch" && mark(...spans[current]));
	on(byId("figure"), "click", () => {
		const stated = fields.as_stated;
		stated.value = isFigure ? text.slice(...isFigure) : byId("words").value;
		stated.focus();
		tell();
	});
	// The words before the figure may say that it is exact.
	let stated = fields.as_stated.value;
	on(form, "input", () => {
		const { value } = fields.as_stated;
		if (!marked || stated === value) return;
		fields.exact.checked = RegExp(words.exactly, "i").test(text.slice(...marked).split(stated = value)[0]);
	});
	on(box, "keydown", (event) => {
		const i = current;
		const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
		if (!(step || event.key === "Enter" || event.key === " ")) return;
		event.preventDefault();
		if (!step) return mark(...spans[i]);
		go(i + step);
		sentences[current].scrollIntoView({ block: "nearest" });
		if (event.shiftKey) {
			const [start, end] = marked ?? spans[i], [from, to] = spans[current];
			mark(Math.min(start, spans[i][0], from), Math.max(end, spans[i][1], to));
		}
	});

	// The longest run of words that the claim shares with the text; of characters in Chinese.
	const cut = (each) => (locators.normal(each) ?? "").toLowerCase()
		.match(/\p{Script=Han}|[\p{L}\p{N}][\p{L}\p{N},.'’]*/gu) ?? [];
	on(fields.statement, "input", ({ target }) => {
		if (!text) return;
		const said = cut(target.value), known = ` ${cut(text).join(" ")} `;
		let longest = 0;
		for (let i = 0; i < said.length; i++) {
			while (i + longest < said.length
				&& known.includes(` ${said.slice(i, i + longest + 1).join(" ")} `)) longest++;
		}
		byId("run").textContent = words.run.replace(0, longest) + (longest >= 8 ? words.own : "");
	});
})();
