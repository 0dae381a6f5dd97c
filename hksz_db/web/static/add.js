// What follows from a form that is being filled in: names, look-alikes, and consequences.
"use strict";

(() => {
  const PAUSE_MS = 500;
  const later = (work) => {
    let timer;
    return (...given) => { clearTimeout(timer); timer = setTimeout(work, PAUSE_MS, ...given); };
  };
  const suggest = later(async (field) => {
    const query = new URLSearchParams({ q: field.value, kinds: field.dataset.kinds });
    const answer = field.value.trim() && await fetch(`/add/suggest?${query}`);
    if (answer && answer.ok) field.list.innerHTML = await answer.text();
  });
  for (const field of document.querySelectorAll("[data-kinds]")) {
    field.addEventListener("input", () => suggest(field));
  }
  document.getElementById("problems")?.focus();

  const form = document.getElementById("add");
  if (!form) return;
  const hints = document.getElementById("hints");
  let asked = 0;
  const ask = later(async () => {
    const mine = ++asked;
    const answer = await fetch("/add/hints", { method: "POST", body: new FormData(form) }).catch(() => null);
    if (!answer?.ok || mine !== asked) return;
    const focused = hints.contains(document.activeElement) ? document.activeElement : null;
    hints.innerHTML = await answer.text();
    if (focused) {
      (document.getElementById(focused.id) ?? hints.querySelector(`[value="${focused.value}"]`))?.focus();
    }
  });
  form.addEventListener("input", ask);
  form.addEventListener("change", ask);
})();
