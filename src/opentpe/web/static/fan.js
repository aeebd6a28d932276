// A forecast as a fan: median, 50 % and 90 % band, limits as labelled dashes, sessions as numbered marks, measured dots.
window.fan = (() => {
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const veil = (colour, alpha) => {
    const n = parseInt(colour.slice(1), 16);
    return `rgba(${n >> 16}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`;
  };
  const DASHES = [[], [8, 5], [2, 4]];
  const FONT = '12px system-ui, "Liberation Sans", Arial, sans-serif';

  function overlay(panel, marks, measured) {
    return (u) => {
      const { ctx, bbox } = u;
      const k = devicePixelRatio;
      ctx.save();
      ctx.font = FONT.replace("12px", `${12 * k}px`);
      ctx.lineWidth = k;
      ctx.textAlign = "center";
      for (const [day, n] of marks) {
        const x = u.valToPos(day, "x", true);
        if (x < bbox.left - 1 || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = ink("rule"); ctx.setLineDash([]);
        ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
        ctx.fillStyle = ink("quiet");
        ctx.fillText(n, x, bbox.top - 4 * k);
      }
      ctx.textAlign = "right";
      let above = -1e9;
      for (const limit of [...panel.limits].sort((a, b) => b.value - a.value)) {
        const y = u.valToPos(limit.value, "y", true);
        const at = y - 5 * k > above + 13 * k ? y - 5 * k : y + 13 * k;
        above = at;
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.strokeStyle = ink("caution-mark"); ctx.setLineDash([5 * k, 3 * k]);
        ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
        ctx.fillStyle = ink("caution");
        ctx.fillText(limit.label, bbox.left + bbox.width - 4 * k, at);
      }
      ctx.setLineDash([]);
      for (const [day, value] of measured) {
        const x = u.valToPos(day, "x", true), y = u.valToPos(value, "y", true);
        ctx.beginPath(); ctx.arc(x, y, 5 * k, 0, 7);
        ctx.fillStyle = ink("panel"); ctx.fill();
        ctx.strokeStyle = ink(panel.name) || ink("ink"); ctx.lineWidth = 2 * k; ctx.stroke();
      }
      ctx.restore();
    };
  }

  // `shown` is the course being planned; `held` are courses kept to compare, drawn as medians only.
  function draw(box, panel, marks, held = [], measured = [], height = 230) {
    const colour = ink(panel.name) || ink("ink");
    const xs = [...new Set([panel.days, ...held.map((h) => h.days)].flat())].sort((a, b) => a - b);
    const on = (days, values) => {
      const out = new Array(xs.length).fill(null);
      let i = 0;
      for (let j = 0; j < xs.length; j++) {
        while (i < days.length - 1 && days[i + 1] <= xs[j]) i++;
        if (xs[j] < days[0] || xs[j] > days[days.length - 1]) continue;
        const next = Math.min(i + 1, days.length - 1), span = days[next] - days[i];
        out[j] = span > 0 ? values[i] + (values[next] - values[i]) * (xs[j] - days[i]) / span : values[i];
      }
      return out;
    };
    const data = [xs, ...["p95", "p05", "p75", "p25", "median"].map((p) => on(panel.days, panel[p])), ...held.map((h) => on(h.days, h.median))];
    const clear = { stroke: "transparent", width: 0, points: { show: false } };
    const line = (dash) => ({ stroke: colour, width: 2, dash, points: { show: false } });
    const top = Math.max(...panel.p95, ...held.flatMap((h) => h.median), ...measured.map((m) => m[1]), ...panel.limits.map((l) => l.value)) * 1.06;
    const axis = { stroke: ink("quiet"), font: FONT, ticks: { stroke: ink("rule"), width: 1 }, grid: { stroke: ink("rule"), width: 1 } };
    box.replaceChildren();
    const head = document.createElement("h3");
    head.textContent = panel.title;
    box.append(head);
    const plot = document.createElement("div");
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `${panel.title}: median ${panel.median[0].toPrecision(2)} at first, lowest ${Math.min(...panel.median).toPrecision(2)}, ${panel.median.at(-1).toPrecision(2)} on day ${Math.round(panel.days.at(-1))}.`);
    box.append(plot);
    return new uPlot({
      width: Math.max(280, box.clientWidth), height, padding: [18, 12, 0, 0], cursor: { show: false }, legend: { show: false },
      scales: { x: { time: false, range: [Math.min(0, xs[0]), xs.at(-1)] }, y: { range: [0, top] } },
      axes: [{ ...axis, grid: { show: false }, values: (_, v) => v, incrs: [1, 2, 7, 14, 28], label: "Days from session 1", labelFont: FONT, labelSize: 22, size: 32 }, { ...axis, size: 52 }],
      series: [{}, clear, clear, clear, clear, line([]), ...held.map((_, i) => line(DASHES[i + 1]))],
      bands: [{ series: [1, 2], fill: veil(colour, 0.16) }, { series: [3, 4], fill: veil(colour, 0.28) }],
      hooks: { draw: [overlay(panel, marks, measured)] },
    }, data, plot);
  }
  return { draw };
})();
