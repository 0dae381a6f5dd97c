// What follows from a form that is being filled in: names, look-alikes, and consequences.
"use strict";

(() => {
	const PAUSE_MS = 500;
	const later = (work) => {
		let timer;
		return () => { clearTimeout(timer); timer = setTimeout(work, PAUSE_MS); };
	};
	for (const field of document.querySelectorAll("[data-kinds]")) {
		field.addEventListener("input", later(async () => {
			const query = new URLSearchParams({ q: field.value, kinds: field.dataset.kinds });
			const answer = field.value.trim() && await fetch(`/add/suggest?${query}`);
			if (answer?.ok && !answer.redirected) field.list.innerHTML = await answer.text();
		}));
	}
	document.getElementById("problems")?.focus();

	const form = document.getElementById("add");
	if (!form) return;
	const hints = document.getElementById("hints");
	let asked = 0;
	const ask = later(async () => {
		// A key that is being typed is not sent.
		if (form.elements.key) return;
		const mine = ++asked;
		const answer = await fetch("/add/hints", { method: "POST", body: new FormData(form) }).catch(() => null);
		if (!answer?.ok || mine !== asked) return;
		const focused = hints.contains(document.activeElement) ? document.activeElement : null;
		hints.innerHTML = await answer.text();
		if (focused) {
			(document.getElementById(focused.id) ?? hints.querySelector(`[value="${focused.value}"]`))?.focus();
		}
	});
	let isUnsaved = false;
	form.addEventListener("input", () => { isUnsaved = true; });
	form.addEventListener("submit", () => { isUnsaved = false; });
	addEventListener("beforeunload", (event) => { if (isUnsaved) event.preventDefault(); });
	form.addEventListener("input", ask);
	form.addEventListener("change", ask);
})();
