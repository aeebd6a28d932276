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
  if (output && event.target.type === "range") output.textContent = event.target.dataset.as ? event.target.dataset.as.replace("#", event.target.value) : event.target.value;
});
