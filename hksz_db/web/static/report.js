// The text goes over to the page for adding within this browser.
"use strict";

for (const form of document.querySelectorAll("form.adding")) {
	form.addEventListener("submit", () => {
		try {
			sessionStorage["text " + form.elements.source.value] = document.getElementById("text").value;
		} catch {
			// It can be pasted again.
		}
	});
}
