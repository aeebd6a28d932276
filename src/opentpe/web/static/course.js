// The forecast of a course: with what was done, the plan behind it dashed, measured values as ringed dots.
const first = document.querySelector("#chart-igg");
const state = document.querySelector("#forecast-state");
let told = null;

function show() {
  for (const panel of told.now.panels) {
    const plan = told.plan?.panels.find((p) => p.name === panel.name);
    fan.draw(document.querySelector(`#chart-${panel.name}`), panel, told.now.marks, plan ? [plan] : [], told.measured[panel.name] ?? [], 200);
  }
}
fetch(`/courses/${first.dataset.course}/forecast.json`).then(async (answer) => {
  const said = await answer.json();
  if (!answer.ok) { state.textContent = said.detail; return; }
  told = said;
  state.textContent = said.learned.join(" ");
  show();
}).catch(() => { state.textContent = "The forecast could not be computed. Reload the page."; });
addEventListener("resize", () => told && show());

const kind = document.querySelector("#lab-kind");
kind?.addEventListener("change", () => { document.querySelector("#lab-unit").value = kind.selectedOptions[0].dataset.unit; });
// The version of a session travels with the form: who was slower meets a conflict, not a lost change.
const sheet = document.querySelector("#sheet-form");
const versions = sheet ? JSON.parse(sheet.dataset.versions) : {};
sheet?.elements.session.addEventListener("input", (e) => { sheet.elements.version.value = versions[e.target.value] ?? 0; });
const rehearsed = sessionStorage.getItem("opentpe-sheet");
if (sheet && rehearsed && location.hash === "#enter-sheet") {
  const said = JSON.parse(rehearsed), began = sheet.elements.started_at;
  for (const [name, value] of Object.entries(said)) if (sheet.elements[name]) sheet.elements[name].value = value;
  // It is over now, and an hour has passed: a value drawn next is one after the session.
  began.value = new Date(Date.parse(`${began.value}Z`) - (said.run_min + 60) * 60000).toISOString().slice(0, 16);
  sessionStorage.removeItem("opentpe-sheet");
  document.querySelector("#sheet-from").hidden = false;
}
if (location.hash === "#enter-sheet") { document.querySelector("#enter-sheet")?.setAttribute("open", ""); document.querySelector("#enter-sheet")?.scrollIntoView(); }
if (location.hash === "#sessions") document.querySelector("#enter-sheet")?.setAttribute("open", "");
