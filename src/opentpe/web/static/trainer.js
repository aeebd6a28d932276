// The trainer: one run at a time, stepped on the server; here it is drawn, heard and operated. Nothing moves unless time moves.
const $ = (id) => document.getElementById(id);
const STRIPS = [
  ["Ionised calcium", "ionised_calcium_mmol_l", "mmol/L", 2, 0.7, 1.4, 0.9, 9],
  ["Relative blood volume", "relative_blood_volume_percent", "%", 0, -20, 10, -15, 99],
  ["Mean pressure", "mean_pressure_mm_hg", "mmHg", 0, 40, 130, 70, 999],
  ["Heart rate", "heart_rate_per_min", "/min", 0, 40, 150, 0, 999],
  ["Access pressure", "access_mm_hg", "mmHg", 0, -300, 20, -250, 999],
  ["Return pressure", "return_mm_hg", "mmHg", 0, 0, 400, -999, 300],
];
const WINDOW_MIN = 20;
let line = null, lines = [], now = null, held = true, busy = false, queue = [], history = [], sound = false, audio = null, beat = 0, offset = {}, turn = 0, last = 0;
const desk = $("desk");

const send = async (path, body) => {
  const answer = await fetch(`/trainer/${path}`, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() }, body: JSON.stringify(body ?? {}) });
  const said = await answer.json();
  if (!answer.ok) { $("word").textContent = said.detail; throw new Error(said.detail); }
  return said;
};
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const choice = $("begin").elements.scenario;
const tell = () => { $("story").textContent = choice.selectedOptions[0].dataset.story; };
choice.addEventListener("change", tell);
tell();
$("begin").addEventListener("submit", async (e) => {
  e.preventDefault();
  $("word").textContent = "Preparing the machine. The first start compiles the model and takes a minute.";
  history = []; now = null; line = { name: "main run" }; lines = [line]; $("result").hidden = true;
  const said = await send("start", { scenario: choice.value, course: desk.dataset.course });
  $("word").textContent = "The patient is connected. Time runs.";
  desk.hidden = false;
  makeStrips();
  take(said);
  hold(false);
});
function hold(on) {
  held = on;
  $("hold").textContent = held ? "Let time run" : "Hold time";
}
$("hold").addEventListener("click", () => hold(!held));
$("sound").addEventListener("click", () => {
  sound = !sound;
  audio ??= new AudioContext();
  $("sound").textContent = sound ? "Sound on" : "Sound off";
  $("sound").setAttribute("aria-pressed", sound);
});
$("desk").addEventListener("click", (e) => {
  const button = e.target.closest("[data-do]");
  if (!button) return;
  const words = button.dataset.with ? button.dataset.do.replace("#", $(button.dataset.with).value.trim()) : button.dataset.do;
  queue.push(words);
  $("word").textContent = `You: ${words}.`;
  if (held) step(0);
});
$("branch").addEventListener("click", async () => {
  const said = await send("branch", { run: line.run });
  line.history = [...history];
  line = { name: said.name };
  lines.push(line);
  take(said);
  hold(true);
  $("word").textContent = "A branch begins here. The run before it is kept: go back to it below.";
  listBranches();
});
function listBranches() {
  $("branches").replaceChildren(...lines.filter((other) => other !== line).map((other) => {
    const b = document.createElement("button");
    b.type = "button"; b.textContent = `Go back to ${other.name}`;
    b.addEventListener("click", async () => {
      line.history = [...history];
      line = other; history = [...other.history];
      hold(true);
      take(await send("step", { run: line.run, seconds: 0 }));
      $("word").textContent = `Back in ${line.name}.`;
      listBranches();
    });
    return b;
  }));
  $("runs").hidden = lines.length < 2;
}
$("debrief").addEventListener("click", async () => {
  hold(true);
  const d = await send("debrief", { run: line.run });
  $("points").textContent = d.points === null ? "Nothing to score yet" : `${d.points} of 100 points`;
  $("judged").replaceChildren(...d.rows.map((r) => {
    const row = document.createElement("tr");
    for (const text of [r.what, r.met === null ? "open" : r.met ? "yes" : "no", r.took]) { const c = document.createElement("td"); c.textContent = text; row.append(c); }
    return row;
  }));
  $("happened").textContent = d.hidden.length ? `What happened: ${d.hidden.join("; ")}.` : "Nothing was hidden in this scenario.";
  $("delivered").textContent = `Removed ${d.plasma_removed_ml} of ${d.target_ml} mL in ${d.run_min} min; ${d.in_alarm_min} min stood in alarm. Lowest mean pressure ${d.lowest_pressure_mm_hg ?? "–"} mmHg. Alarms: ${d.alarms.join(", ") || "none"}. The session: ${d.next_step}.`;
  $("result").hidden = false;
  const record = $("record");
  if (record) {
    record.hidden = !(now.ended || now.run_min > 5);
    record.dataset.sheet = JSON.stringify({ status: d.counts ? "performed" : "partial", plasma_removed_ml: d.plasma_removed_ml, run_min: d.run_min, ac_used_ml: d.ac_used_ml, reason: d.counts ? "" : "ended early", note: "From a rehearsal in the trainer." });
  }
  $("result").scrollIntoView({ block: "start" });
  $("result").focus({ preventScroll: true });
});
// In the demo a rehearsal may be written into the run sheet: the values wait in this tab, a person keeps them.
$("record")?.addEventListener("click", (e) => {
  sessionStorage.setItem("opentpe-sheet", e.target.dataset.sheet);
  location.assign(`/courses/${desk.dataset.course}#enter-sheet`);
});
async function step(seconds) {
  if (busy || !line?.run) return;
  busy = true;
  const actions = queue.splice(0, 5);
  try { take(await send("step", { run: line.run, seconds, actions })); } catch { hold(true); } finally { busy = false; }
}
setInterval(() => { if (line?.run && !held && !now?.ended) step(Math.max(1, Math.round($("speed").value * 0.5))); }, 500);

function take(said) {
  line.run = said.run;
  $("circuit").classList.toggle("single", said.single);
  const before = now?.priority;
  now = said.now; now.ended = said.ended;
  history.push(now);
  history = history.filter((h) => h.run_min >= now.run_min - WINDOW_MIN && h.run_min <= now.run_min);
  document.body.dataset.runMin = now.run_min.toFixed(1);
  show(said);
  now.priority = said.alarms[0]?.priority;
  if (now.priority && now.priority !== before) beat = 0;
  if (said.ended) { hold(true); $("word").textContent = "The run is over. Open the debrief."; }
}
const n = (v, d = 0) => (v === null || v === undefined ? "–" : v.toFixed(d).replace("-", "\u2212"));
function level(id, share, top, height) {
  const h = Math.max(0, Math.min(1, share)) * height;
  $(id).setAttribute("y", top + height - h); $(id).setAttribute("height", h);
}
function show(said) {
  const s = now;
  $("phase").textContent = said.phase;
  $("clock").textContent = `${n(s.run_min, 1)} min, ${n(s.plasma_counted_ml)} of ${n(s.target_ml)} mL plasma, ${s.to_go_min === null ? "–" : n(s.to_go_min)} min to go`;
  $("v-pressure").textContent = `${n(s.systolic_pressure_mm_hg)}/${n(s.diastolic_pressure_mm_hg)} mmHg`;
  $("v-heart").textContent = `${n(s.heart_rate_per_min)} /min`;
  $("v-ac").textContent = `${n(s.ac_ml_min, 1)} mL/min, ${n(s.ac_used_ml)} mL`;
  $("v-plasma").textContent = `${n(s.bag_ml)} mL`;
  $("v-replacement").textContent = `${n(s.replaced_ml)} mL given`;
  $("v-speed").textContent = `${n(s.speed_rpm)} rpm`;
  $("v-interface").textContent = `interface ${n(100 * s.interface_fraction)} %`;
  $("v-inlet").textContent = `${n(s.inlet_ml_min)} mL/min`;
  $("v-plasma-flow").textContent = `${n(s.plasma_ml_min)} mL/min`;
  $("v-replacement-flow").textContent = `${n(s.replacement_ml_min)} mL/min`;
  $("v-return-flow").textContent = `${n(s.return_ml_min)} mL/min`;
  $("v-access").textContent = `${n(s.access_mm_hg)} mmHg`;
  $("v-return").textContent = `${n(s.return_mm_hg)} mmHg`;
  level("f-plasma", s.bag_ml / (s.bag_ml + s.plasma_bag_room_ml), 42, 156);
  level("f-replacement", 1 - s.replaced_ml / (1.1 * s.target_ml), 292, 146);
  level("f-ac", 1 - s.ac_used_ml / 750, 22, 68);
  // The ring in section: cells outside, plasma inside, the interface between; areas as the layers share the channel.
  const outer = 82, inner = 34, cells = Math.min(0.95, Math.max(0.02, s.packed_hct_fraction > 0 ? s.channel_hct_fraction / s.packed_hct_fraction : 0.02));
  const between = Math.sqrt(outer ** 2 - cells * (outer ** 2 - inner ** 2));
  const ring = (id, a, b) => { $(id).setAttribute("r", (a + b) / 2); $(id).setAttribute("stroke-width", Math.max(0.5, b - a)); };
  ring("l-cells", between, outer); ring("l-plasma", inner, between);
  $("l-buffy").setAttribute("r", between);
  for (const path of document.querySelectorAll(".flow")) path.classList.toggle("still", !(s[path.dataset.flow] > 0.5));
  $("alarms").replaceChildren(...said.alarms.map((a) => {
    const line = document.createElement("p");
    line.className = `alarm-line ${a.priority}`;
    const b = document.createElement("b"); b.textContent = `${{ high: "▲ High", medium: "◆ Medium", low: "■ Low" }[a.priority]}: ${a.name}`;
    const t = document.createElement("span"); t.className = "small"; t.textContent = a.do;
    line.append(b, t);
    return line;
  }));
  $("journal").replaceChildren(...said.journal.slice().reverse().map((j) => {
    const li = document.createElement("li");
    for (const text of [`${n(j.at_min, 1)} min`, j.text]) { const c = document.createElement("span"); c.textContent = text; li.append(c); }
    return li;
  }));
  drawStrips();
}
function makeStrips() {
  $("strips").replaceChildren(...STRIPS.map(([name, key, unit]) => {
    const box = document.createElement("div"); box.className = "strip";
    const label = document.createElement("span"); label.className = "name"; label.textContent = name;
    const canvas = document.createElement("canvas"); canvas.dataset.key = key; canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", `${name} over the last ${WINDOW_MIN} minutes`);
    const value = document.createElement("b"); value.dataset.value = key; value.dataset.unit = unit;
    box.append(label, canvas, value);
    return box;
  }));
}
function drawStrips() {
  for (const [, key, unit, digits, low, high, least, most] of STRIPS) {
    const canvas = document.querySelector(`canvas[data-key="${key}"]`), k = devicePixelRatio;
    const w = canvas.clientWidth * k, h = canvas.clientHeight * k;
    if (canvas.width !== w) { canvas.width = w; canvas.height = h; }
    const c = canvas.getContext("2d"), y = (v) => h - (Math.min(high, Math.max(low, v)) - low) / (high - low) * h;
    c.clearRect(0, 0, w, h);
    c.fillStyle = ink("alarm"); c.globalAlpha = 0.12;
    if (least > low) c.fillRect(0, y(least), w, h - y(least));
    if (most < high) c.fillRect(0, 0, w, y(most));
    c.globalAlpha = 1; c.strokeStyle = ink("ink"); c.lineWidth = 1.5 * k; c.beginPath();
    history.forEach((p, i) => { const x = w - (now.run_min - p.run_min) / WINDOW_MIN * w; if (i) c.lineTo(x, y(p[key])); else c.moveTo(x, y(p[key])); });
    c.stroke();
    const value = document.querySelector(`b[data-value="${key}"]`);
    value.textContent = n(now[key], digits);
    const u = document.createElement("small"); u.textContent = unit; value.append(u);
  }
}
// Dashes run with the flow, the ring with its speed, both faster when time does; at rest they stand.
function frame(t) {
  const dt = Math.min(0.1, (t - last) / 1000); last = t;
  if (now && !held && !now.ended && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    const quick = Math.min(6, 1 + Math.log2($("speed").value));
    for (const path of document.querySelectorAll(".flow")) {
      const flow = now[path.dataset.flow] ?? 0;
      offset[path.dataset.flow] = (offset[path.dataset.flow] ?? 0) - flow * dt * 0.6 * quick;
      path.setAttribute("stroke-dashoffset", offset[path.dataset.flow] % 20);
    }
    turn -= now.speed_rpm * dt * 0.05;
    $("spin").setAttribute("stroke-dashoffset", turn % 66);
  }
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);

// Pulses by priority, as alarm signals of medical equipment are patterned: ten, three or two tones.
function beep(count, pitch) {
  for (let i = 0; i < count; i++) {
    const o = audio.createOscillator(), g = audio.createGain(), at = audio.currentTime + i * 0.22 + (i > 4 ? 0.4 : 0);
    o.frequency.value = pitch; g.gain.setValueAtTime(0.0001, at); g.gain.linearRampToValueAtTime(0.12, at + 0.02); g.gain.linearRampToValueAtTime(0.0001, at + 0.16);
    o.connect(g).connect(audio.destination); o.start(at); o.stop(at + 0.18);
  }
}
setInterval(() => {
  if (!sound || held || !now?.priority) return;
  const every = { high: 5, medium: 12, low: 30 }[now.priority];
  if (beat % every === 0) beep({ high: 10, medium: 3, low: 2 }[now.priority], { high: 880, medium: 660, low: 520 }[now.priority]);
  beat += 1;
}, 1000);
