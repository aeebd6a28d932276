// Small manners of every page: the CSRF value with each change, theme and units, and undo-safe forms. No framework.
const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrf(); });
document.addEventListener("htmx:beforeSwap", (event) => {
  // A refusal is shown where the answer would have stood.
  const status = event.detail.xhr.status;
  if (status >= 400 && event.detail.target) {
    let said = event.detail.xhr.responseText;
    try { const p = JSON.parse(said); said = p.detail ?? said; } catch { /* not JSON: shown as it is */ }
    const box = document.createElement("p");
    box.className = "wrong"; box.setAttribute("role", "alert"); box.textContent = said;
    event.detail.serverResponse = box.outerHTML;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("click", (event) => {
  const set = event.target.closest("[data-set-cookie]");
  if (set) {
    const [name, value] = set.dataset.setCookie.split("=");
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  }
  if (event.target.closest("[data-print]")) window.print();
  if (event.target.closest("[data-sign-out]")) {
    fetch("/sign-out", { method: "POST", headers: { "X-CSRF-Token": csrf() } }).then(() => location.assign("/sign-in"));
  }
});
document.addEventListener("input", (event) => {
  const output = event.target.closest("label")?.querySelector("output");
  if (!output || event.target.type !== "range") return;
  const { words, digits } = event.target.dataset;
  output.textContent = words ? JSON.parse(words)[event.target.value] : (+event.target.value).toFixed(digits ?? 0);
});

// Forms marked `data-beside` are sent here, so that a refusal stands beside its field and nothing typed is lost.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-beside]")) return;
  event.preventDefault();
  for (const old of form.querySelectorAll(".wrong")) old.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const button = event.submitter;
  if (button) button.disabled = true;
  try {
    const plain = form.enctype === "multipart/form-data" ? new FormData(form) : new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body: plain, headers: { Accept: "application/problem+json" } });
    if (answer.ok) {
      const goal = new URL(answer.url);
      if (form.dataset.part) goal.hash = form.dataset.part;
      if (goal.pathname + goal.search === location.pathname + location.search) { history.replaceState(null, "", goal); location.reload(); } else location.assign(goal);
      return;
    }
    if (answer.status === 409) { form.submit(); return; } // the server's own page shows both sides
    const said = await answer.json();
    const name = (said.errors?.[0]?.where ?? said.where ?? "").replace(/^body\./, "");
    const field = form.elements[name] ?? form.elements[`before.${name}`] ?? [...form.elements].find((e) => e.name && name.endsWith(e.name)) ?? form.querySelector("input:not([type=hidden])");
    const box = document.createElement("p");
    box.className = "wrong"; box.setAttribute("role", "alert"); box.textContent = said.detail;
    field.closest("details")?.setAttribute("open", "");
    field.setAttribute("aria-invalid", "true");
    (field.closest("label") ?? field).after(box);
    field.focus();
  } finally {
    if (button) button.disabled = false;
  }
});
