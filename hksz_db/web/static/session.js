// What a tab keeps of forms and texts: it goes once it is saved, and when somebody signs out.
"use strict";

(() => {
	const form = document.querySelector("form.session"), label = form.querySelector("span").textContent;
	const ended = new BroadcastChannel("ended"), forget = () => sessionStorage.clear();
	if (sessionStorage.label !== label) forget();
	sessionStorage.label = label;
	ended.onmessage = forget;
	form.addEventListener("submit", () => { forget(); ended.postMessage(0); });
	if (location.hash === "#saved") {
		for (const name of JSON.parse(sessionStorage.sent ?? "[]")) sessionStorage.removeItem(name);
		// Before the page has been loaded, the browser may not have looked for what the address names.
		onload = () => history.replaceState(null, "", location.href.split("#")[0]);
	}
})();
