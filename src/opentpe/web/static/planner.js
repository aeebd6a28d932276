// The planner: sliders become course words, the words go to the server, the answer is drawn. Held courses stay as lines.
const plan = document.querySelector("#plan");
const held = [];
let latest = null, waiting = false, again = false, idle = 0;

const value = (name) => plan.elements[name].value;
const number = (name) => { const n = parseFloat(value(name).replace(",", ".")); return Number.isFinite(n) ? n : null; };

function words() {
  const when = value("calendar") || JSON.parse(plan.elements.interval.dataset.words)[value("interval")];
  const parts = [`${value("count")} x ${value("dose")} PV ${when}`, fluids(), `inlet:AC ${value("ratio")}:1`, `calcium gluconate ${value("calcium")} mL/L`];
  if (plan.elements.single.checked) parts.push("single needle");
  return parts.join(", ");
}
// Saline first, albumin between, plasma last: shares of the replaced volume.
function fluids() {
  const saline = +value("saline"), donor = Math.min(+value("donor"), 100 - saline), albumin = 100 - saline - donor;
  const parts = [[saline, "saline"], [albumin, value("albumin")], [donor, "plasma"]].filter(([share]) => share > 0);
  return parts.length === 1 ? parts[0][1] : parts.map(([share, name]) => `${share} % ${name}`).join(" then ");
}
function about() {
  return { female: value("sex") === "f", age_years: number("age"), height_cm: number("height"), weight_kg: number("weight"), haematocrit_pct: number("hct"), measured: JSON.parse(plan.dataset.measured) };
}
// Quick while a slider moves; once it rests, the sessions themselves are computed for the lowest calcium and pressure.
async function ask(whole = false) {
  if (waiting) { again = true; return; }
  waiting = true;
  const began = performance.now();
  const said = words();
  document.querySelector("#said").textContent = said;
  try {
    const answer = await fetch("/planner/forecast", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() }, body: JSON.stringify({ about: about(), words: said, whole }) });
    const told = await answer.json();
    const wrong = document.querySelector("#wrong");
    wrong.hidden = answer.ok;
    if (!answer.ok) { wrong.textContent = told.detail; return; }
    latest = told;
    show();
    const input = document.querySelector("#plan-words");
    if (input && document.body.dataset.moved) input.value = told.words;
    if (whole) return;
    clearTimeout(idle);
    idle = setTimeout(() => ask(true), 600);
    const ms = performance.now() - began;
    document.body.dataset.redrawMs = ms.toFixed(0);
    document.body.dataset.serverMs = answer.headers.get("Server-Timing")?.split("dur=")[1] ?? "";
    document.querySelector("#speed").textContent = `Redrawn in ${ms.toFixed(0)} ms.`;
  } finally {
    waiting = false;
    if (again) { again = false; ask(); }
  }
}
function show() {
  const others = held.slice(0, 2);
  for (const panel of latest.panels) {
    fan.draw(document.querySelector(`#chart-${panel.name}`), panel, latest.marks, others.map((h) => h.panels.find((p) => p.name === panel.name)));
  }
  const box = document.querySelector("#warnings");
  box.replaceChildren(...latest.warnings.map((text) => { const p = document.createElement("p"); p.className = "note"; p.textContent = text; return p; }));
  table([latest, ...others]);
}
function table(courses) {
  const head = document.createElement("tr");
  const cell = (kind, text, cls = "") => { const c = document.createElement(kind); c.textContent = text; c.className = cls; return c; };
  head.append(cell("td", ""), ...courses.map((_, i) => {
    const th = cell("th", ["Now", "Held A", "Held B"][i], "num");
    th.scope = "col";
    const key = document.createElement("span");
    key.className = `key-line ${["a", "b", "c"][i]}`; key.setAttribute("aria-hidden", "true");
    th.prepend(key);
    return th;
  }));
  document.querySelector(".compare thead").replaceChildren(head);
  const rows = latest.numbers.map(([name], i) => {
    const row = document.createElement("tr");
    const th = cell("th", name); th.scope = "row";
    row.append(th, ...courses.map((c) => cell("td", c.numbers[i]?.[1] ?? "–", "num")));
    return row;
  });
  const said = document.createElement("tr");
  const th = cell("th", "Course"); th.scope = "row";
  said.append(th, ...courses.map((c) => cell("td", c.words)));
  document.querySelector(".compare tbody").replaceChildren(...rows, said);
}
plan.addEventListener("input", () => { document.body.dataset.moved = "1"; ask(); });
plan.addEventListener("submit", (e) => e.preventDefault());
document.querySelector("#hold").addEventListener("click", () => {
  if (!latest) return;
  held.unshift(latest); held.splice(2);
  document.querySelector("#announce").textContent = "Held. Move a slider: the held course stays as a dashed line.";
  show();
});
document.querySelector("#clear").addEventListener("click", () => { held.length = 0; document.querySelector("#announce").textContent = ""; if (latest) show(); });
addEventListener("resize", () => latest && show());
ask();
