// The text of a source: it is pasted, marked, and never sent. Its locators go into the form.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const pane = byId("copying"), form = byId("add"), box = byId("sentences"), words = pane.dataset;
  const kept = `text ${words.source}`;
  let text = "", nodes = [], spans = [], sentences = [], marked = null;

  pane.hidden = false;
  const remembered = sessionStorage.getItem(kept);
  if (remembered) show(remembered);
  byId("use").addEventListener("click", () => show(byId("text").value) && sentences[0].focus());
  byId("again").addEventListener("click", () => {
    byId("paste").hidden = false;
    byId("marking").hidden = true;
    byId("text").focus();
  });

  // The sentences of the text in the normal form, each with its offsets.
  function show(pasted) {
    const normal = locators.normal(pasted);
    byId("stays").classList.toggle("bad", !normal);
    if (!normal) {
      byId("text").setCustomValidity(words.refused);
      return byId("text").reportValidity();
    }
    text = normal;
    sessionStorage.setItem(kept, pasted);
    byId("text").value = pasted;
    spans = [];
    for (const each of new Intl.Segmenter(words.lang, { granularity: "sentence" }).segment(text)) {
      spans.push([each.index, each.index + each.segment.trimEnd().length, each.segment]);
    }
    sentences = spans.map(([, , segment], i) => {
      const span = document.createElement("span");
      span.textContent = segment;
      span.tabIndex = i ? -1 : 0;
      span.setAttribute("role", "option");
      span.setAttribute("aria-selected", "false");
      return span;
    });
    box.replaceChildren(...sentences);
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-multiselectable", "true");
    box.setAttribute("aria-label", words.label);
    nodes = sentences.map((span) => span.firstChild);
    byId("paste").hidden = true;
    byId("marking").hidden = false;
    paintEarlier();
    if (form.elements.text_sha256.value === locators.sha256(text)) {
      const points = Array.from(text), at = (name) =>
        points.slice(0, Number(form.elements[name].value)).join("").length;
      if (form.elements.exact_sha256.value) mark(at("start_char"), at("end_char"));
    }
    return true;
  }

  function rangeOf(start, end) {
    const place = (at) => {
      const i = spans.findLastIndex(([from]) => from <= at);
      return [nodes[i], Math.min(at - spans[i][0], nodes[i].length)];
    };
    const range = new Range();
    range.setStart(...place(start));
    const [node, offset] = place(end - 1);
    range.setEnd(node, offset + 1);
    return range;
  }

  // Only passages with the same words at the same place can be shown.
  function paintEarlier() {
    const points = Array.from(text), ranges = [];
    for (const each of words.before.split(" ").filter(Boolean)) {
      const [start, end, hash] = each.split("-");
      const found = points.slice(start, end).join("");
      const at = points.slice(0, start).join("").length;
      if (found && locators.sha256(found).startsWith(hash)) ranges.push(rangeOf(at, at + found.length));
    }
    if (window.Highlight) CSS.highlights.set("before", new Highlight(...ranges));
  }

  function mark(start, end) {
    const { exact, loose } = locators.passage(text, start, end), fields = form.elements;
    for (const name of Object.keys(exact)) {
      fields[name].value = exact[name];
      fields[`loose_${name}`].value = loose ? loose[name] : "";
    }
    fields.text_sha256.value = locators.sha256(text);
    fields.char_length.value = locators.length(text);
    marked = [start, end];
    sentences.forEach((span, i) =>
      span.setAttribute("aria-selected", String(spans[i][0] < end && spans[i][1] > start)));
    if (window.Highlight) CSS.highlights.set("passage", new Highlight(rangeOf(start, end)));
    const again = text.indexOf(text.slice(start, end), start + 1) >= 0 ? `; ${words.again}` : "";
    byId("fault").textContent = "";
    byId("where").textContent = `${words.characters} ${exact.start_char}–${exact.end_char} ${words.of} `
      + `${fields.char_length.value} · ${exact.exact_sha256.slice(0, 12)}…${again}`;
    form.dispatchEvent(new Event("change"));
  }

  function markWords(typed) {
    const wanted = locators.normal(typed), start = wanted ? text.indexOf(wanted) : -1;
    if (start >= 0) mark(start, start + wanted.length);
    else byId("fault").textContent = words.missing;
  }

  // The offsets of what is selected with the mouse, without spaces at its ends.
  function selected() {
    const selection = getSelection();
    if (selection.isCollapsed || !box.contains(selection.anchorNode)) return null;
    const range = selection.getRangeAt(0);
    if (!box.contains(range.endContainer)) return null;
    const before = new Range();
    before.setStart(box, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const found = range.toString(), start = before.toString().length;
    const trimmed = found.trim();
    return trimmed ? [start + found.indexOf(trimmed), start + found.indexOf(trimmed) + trimmed.length] : null;
  }

  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    markWords(byId("words").value);
  });
  let isFigure = null;
  document.addEventListener("selectionchange", () => { isFigure = selected() ?? isFigure; });
  box.addEventListener("mouseup", () => {
    const span = selected();
    // A selection within the passage may be its figure.
    if (span && !(marked && span[0] >= marked[0] && span[1] <= marked[1])) mark(...span);
  });
  byId("figure").addEventListener("click", () => {
    const typed = byId("words").value;
    const stated = isFigure ? text.slice(...isFigure) : typed;
    form.elements.as_stated.value = stated;
    form.elements.as_stated.focus();
    form.dispatchEvent(new Event("change"));
  });
  box.addEventListener("keydown", (event) => {
    const i = sentences.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (i < 0 || !(step || event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    if (!step) return mark(spans[i][0], spans[i][1]);
    const j = Math.min(Math.max(i + step, 0), sentences.length - 1);
    sentences[i].tabIndex = -1;
    sentences[j].tabIndex = 0;
    sentences[j].focus();
    if (event.shiftKey) {
      const [start, end] = marked ?? spans[i];
      mark(Math.min(start, spans[i][0], spans[j][0]), Math.max(end, spans[i][1], spans[j][1]));
    }
  });

  // The longest run of words that the claim shares with the text; of characters in Chinese.
  const cut = (each) => (locators.normal(each) ?? "").toLowerCase()
    .match(/\p{Script=Han}|[\p{L}\p{N}][\p{L}\p{N},.'’]*/gu) ?? [];
  const statement = byId("statement"), run = byId("run");
  statement.addEventListener("input", () => {
    if (!text) return;
    const said = cut(statement.value), known = ` ${cut(text).join(" ")} `;
    let longest = 0;
    for (let i = 0; i < said.length; i++) {
      while (i + longest < said.length
        && known.includes(` ${said.slice(i, i + longest + 1).join(" ")} `)) longest++;
    }
    run.textContent = `${words.run} ${longest}. ${longest >= 8 ? words.own : ""}`;
  });
})();
