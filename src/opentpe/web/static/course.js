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
if (location.hash === "#sessions") document.querySelector("#enter-sheet")?.setAttribute("open", "");
