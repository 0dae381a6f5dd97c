// What follows from a form that is being filled in: names, look-alikes, and consequences. What has
// been typed is kept in the tab until it is saved.
"use strict";

const on = (target, name, react) => target.addEventListener(name, react);

// What does not fit displaces texts, which can be pasted again, and is not kept if that is not enough.
const store = (name, value) => {
	try {
		sessionStorage[name] = value;
	} catch {
		const text = Object.keys(sessionStorage).find((each) => each.startsWith("text "));
		if (!text) return;
		sessionStorage.removeItem(text);
		store(name, value);
	}
};

(() => {
	const PAUSE_MS = 500;
	const later = (work) => {
		let timer;
		return () => { clearTimeout(timer); timer = setTimeout(work, PAUSE_MS); };
	};
	for (const field of document.querySelectorAll("[data-kinds]")) {
		on(field, "input", later(async () => {
			const query = new URLSearchParams({ q: field.value, kinds: field.dataset.kinds });
			const answer = field.value.trim() && await fetch(`/add/suggest?${query}`);
			if (!answer?.ok || answer.redirected) return;
			field.list.innerHTML = await answer.text();
			const offer = field.parentElement.querySelector(".new"), typed = field.value.trim().toLowerCase();
			if (!offer) return;
			offer.open = ![...field.list.options].some((each) => each.value.toLowerCase() === typed);
			if (!offer.open) offer.querySelector("[name^=new]:checked")?.click();
		}));
	}

	const form = document.querySelector("[data-page]");
	if (!form) return;
	const { page, sent } = form.dataset;
	let edits = 0;
	const keep = () => {
		edits++;
		const typed = new URLSearchParams(new FormData(form));
		typed.delete("key");
		typed.delete("csrf");
		store(page, typed);
	};
	let kept = new URLSearchParams(sessionStorage[page]);
	if (sent) {
		// Loaded again, the page does not send the form again.
		history.replaceState(null, "", page);
		keep();
		kept = [];
	}
	for (const field of kept.size ? form.elements : []) {
		const values = kept.getAll(field.name);
		if (/radio|checkbox/.test(field.type)) field.checked = values.includes(field.value);
		else if (values.length) field.value = values[0];
		// A select has no default, but an option that was selected or comes first.
		const { defaultValue, value } = field.querySelector("option[selected]") ?? field[0] ?? field;
		if (field.value !== (defaultValue ?? value) || field.checked !== field.defaultChecked) {
			field.closest("details")?.setAttribute("open", "");
		}
	}
	on(form, "input", keep);
	on(form, "submit", ({ submitter }) => {
		keep();
		const texts = submitter?.value === "save" ? ["text " + form.elements.source.value] : [];
		store("sent", JSON.stringify([page, ...texts]));
	});

	const hints = document.getElementById("hints");
	if (!hints) return;
	const ask = later(async () => {
		// A key that is being typed is not sent.
		if (form.elements.key) return;
		const at = edits, body = new FormData(form);
		for (const [name, value] of kept) if (!form.elements[name]) body.append(name, value);
		const answer = await fetch("/add/hints", { method: "POST", body }).catch(() => null);
		// What has been typed since would be undone.
		if (!answer?.ok || at !== edits) return;
		const { id } = document.activeElement;
		hints.innerHTML = await answer.text();
		document.querySelector(".steps").replaceWith(hints.querySelector(".steps"));
		kept = [];
		keep();
		document.getElementById(id)?.focus();
	});
	on(form, "input", ask);
	if (kept.size) ask();
})();
