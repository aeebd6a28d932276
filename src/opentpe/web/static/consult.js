// Dropping a bundle: the file is read here and sent in the body, so that no name of a file or patient stands in an address.
const drop = document.querySelector("[data-drop]");
const file = document.querySelector("#bundle-file");
const text = document.querySelector("#bundle");
const form = document.querySelector("#bundle-form");

async function take(given) {
  if (!given) return;
  text.value = await given.text();
  document.querySelector("#bundle-name").textContent = `${given.name} is read. Press Consult, or change the day first.`;
}
file?.addEventListener("change", () => take(file.files[0]));
for (const kind of ["dragenter", "dragover"]) drop?.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add("over"); });
drop?.addEventListener("dragleave", () => drop.classList.remove("over"));
drop?.addEventListener("drop", async (e) => {
  e.preventDefault();
  drop.classList.remove("over");
  await take(e.dataTransfer.files[0]);
  form.requestSubmit();
});
document.body.addEventListener("htmx:afterSwap", (e) => {
  if (e.detail.target.id !== "answer") return;
  e.detail.target.scrollIntoView({ block: "start" });
  e.detail.target.focus({ preventScroll: true });
});
