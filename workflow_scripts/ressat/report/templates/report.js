// What moves on the report: the table of genes, the maps of a chosen gene, charts drawn when they come into view.
"use strict";

const page = JSON.parse(document.getElementById("page-data").textContent);
const SHARPER = 1.5; // pixels of a map per pixel of the tissue image below its spots
const MOST_POINTS = 4000; // spots that a scatter plot draws
const NO_VALUE = 255;
const PRINTED_WIDTH = 640; // px, of a chart on a page of A4 or Letter
const COLOUR_STEPS = page.colours.value.length;
const PLOT = { responsive: true, displayModeBar: false };

// Charts

// plotly.js takes longest to start: what does not need it comes first.
let starting = null;
const plotly = () => {
  starting ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = URL.createObjectURL(new Blob([document.getElementById("plotly-code").textContent], { type: "text/javascript" }));
    script.addEventListener("load", resolve);
    document.head.append(script);
  });
  return starting;
};

const drawChart = async (box) => {
  await plotly();
  if (box.dataset.drawn) return;
  box.dataset.drawn = "yes";
  const figure = JSON.parse(document.getElementById(`${box.id}-data`).textContent);
  box.textContent = "";
  Plotly.newPlot(box, figure.data, figure.layout, PLOT);
  box.on("plotly_click", (event) => {
    const gene = event.points[0].customdata;
    if (typeof gene === "string") location.hash = address(gene);
  });
};

// Maps

const unpacked = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const inflated = async (base64) => {
  const stream = new Blob([unpacked(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

const sections = page.sections.map((section) => {
  const image = new Image();
  image.src = section.image;
  return { ...section, places: new Float32Array(unpacked(section.places).buffer), picture: image };
});
const pictures = Promise.all(sections.map((section) => section.picture.decode()));

// Spots of one colour are filled at once: changing colours is what takes time.
const drawSpots = (canvas, section, levels, colours) => {
  const context = canvas.getContext("2d");
  const radius = (section.diameter * SHARPER) / 2;
  canvas.width = Math.round(section.width * SHARPER);
  canvas.height = Math.round(section.height * SHARPER);
  context.drawImage(section.picture, 0, 0, canvas.width, canvas.height);
  const byColour = colours.map(() => []);
  levels.forEach((level, spot) => level >= 0 && byColour[level].push(spot));
  byColour.forEach((spots, level) => {
    if (!spots.length) return;
    context.fillStyle = colours[level];
    context.beginPath();
    for (const spot of spots) {
      const x = section.places[2 * spot] * SHARPER, y = section.places[2 * spot + 1] * SHARPER;
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
  });
};

// Values as places on a colour scale, -1 where there is none.
const onScale = (values, low, high) =>
  Array.from(values, (value) =>
    Number.isNaN(value)
      ? -1
      : Math.min(COLOUR_STEPS - 1, Math.max(0, Math.round(((value - low) / (high - low)) * (COLOUR_STEPS - 1))))
  );

const watermarked = (canvas) => {
  if (!page.watermark) return;
  const context = canvas.getContext("2d");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate(-0.3);
  context.font = `bold ${Math.round(canvas.width / 13)}px sans-serif`;
  context.textAlign = "center";
  context.fillStyle = "rgba(179, 38, 30, 0.35)";
  context.fillText(page.watermark, 0, 0);
};

// A gene

const address = (gene) => `gene=${encodeURIComponent(gene)}`;
// Of all genes, also of those on other pages of the table.
const tableRows = [...document.querySelectorAll("#genes-table tr[data-gene]")];
const byName = new Map(page.genes.map((gene, index) => [gene.name, { ...gene, index }]));
const card = document.getElementById("gene");
const part = (name) => card?.querySelector(`[data-part=${name}]`);
const figure = (value) => (value === null ? "undefined" : value.toFixed(2));
let chosen = null;

// Observed and predicted of every section, from the bytes of a gene.
const valuesOf = (map, bytes) => {
  let start = 0;
  const next = (spots, [lowest, step]) =>
    Float32Array.from(bytes.subarray(start, (start += spots)), (byte) => (byte === NO_VALUE ? NaN : lowest + step * byte));
  return sections.map((section) => {
    const observed = section.tested ? next(section.spots, map.observed) : null;
    return { observed, predicted: next(section.spots, map.predicted) };
  });
};

const ownRange = () => part("own").checked;
const scaleOf = (gene, kind) => (ownRange() && kind === "predicted" ? gene.map.own : gene.map.scale);

const drawMaps = (gene, values) => {
  sections.forEach((section, index) => {
    const { observed, predicted } = values[index];
    const row = document.getElementById(`maps-${index}`);
    const r = gene.r[index];
    row.querySelector("[data-part=r]").textContent = section.tested ? `r = ${figure(r)}` : "H&E only";
    const shown = { observed, predicted, difference: observed && predicted.map((value, spot) => value - observed[spot]) };
    for (const [kind, numbers] of Object.entries(shown)) {
      if (!numbers) continue;
      const box = row.querySelector(`[data-map=${kind}]`);
      const canvas = box.querySelector("canvas");
      const there = numbers.some((value) => !Number.isNaN(value));
      box.querySelector("[data-part=absent]").hidden = there;
      const difference = kind === "difference";
      const ends = difference ? [-gene.map.difference, gene.map.difference] : scaleOf(gene, kind);
      const levels = onScale(numbers, ...ends);
      drawSpots(canvas, section, levels, page.colours[difference ? "difference" : "value"]);
      if (kind !== "observed") watermarked(canvas);
      canvas.setAttribute("aria-label", `${gene.name}, ${kind}, on section ${section.section}`);
    }
  });
};

const drawScatter = async (gene, values) => {
  await plotly();
  if (gene !== chosen) return;
  const tested = sections.map((section, index) => ({ section, ...values[index] })).filter(({ section }) => section.tested);
  const spots = tested.reduce((total, { section }) => total + section.spots, 0);
  const every = Math.max(1, Math.ceil(spots / MOST_POINTS));
  const traces = tested.map(({ section, observed, predicted }, index) => ({
    type: "scatter",
    mode: "markers",
    name: escaped(section.section),
    x: Array.from(observed.filter((_, spot) => spot % every === 0)),
    y: Array.from(predicted.filter((_, spot) => spot % every === 0)),
    marker: { size: 4, opacity: 0.6, color: page.colours.category[index % page.colours.category.length] },
    hovertemplate: "observed %{x:.2f}, predicted %{y:.2f}<extra></extra>",
  }));
  const axis = (text) => ({ title: { text: `${text} (${page.unit})`, font: { size: 13 } }, gridcolor: "#e3e8ec", zeroline: false, automargin: true });
  Plotly.react(part("scatter"), traces, {
    height: 380, margin: { l: 60, r: 10, t: 30, b: 50 }, font: { size: 13, color: "#1b2733" }, dragmode: false,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest", showlegend: tested.length > 1,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, xaxis: axis("observed"), yaxis: axis("predicted"),
  }, PLOT);
  part("thinned").textContent = every > 1 ? `One spot in ${every} is drawn.` : "";
};

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const showFacts = (gene) => {
  part("name").textContent = gene.name;
  part("facts").replaceChildren(
    ...gene.facts.flatMap(([term, text]) => {
      const pair = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = text;
      pair.append(dt, dd);
      return pair;
    })
  );
  if (gene.map) {
    const ends = (side) => [...new Set(["observed", "predicted"].map((kind) => scaleOf(gene, kind)[side].toFixed(2)))];
    part("low").textContent = ends(0).join(" | ");
    part("high").textContent = ends(1).join(" | ");
  }
  part("below").textContent = gene.map ? `-${gene.map.difference.toFixed(2)}` : "";
  part("above").textContent = gene.map ? `+${gene.map.difference.toFixed(2)}` : "";
};

// A gene by its name, or by one that differs in its case alone.
const found = (name) => {
  const alike = [...byName.keys()].filter((other) => other.toLowerCase() === name.toLowerCase());
  return byName.get(name) ?? (alike.length === 1 ? byName.get(alike[0]) : undefined);
};

const choose = async (name, again = false) => {
  const gene = found(name);
  part("unknown").hidden = Boolean(gene);
  part("unknown").textContent = gene ? "" : `No gene is called ${name} in this study.`;
  if (!gene || (gene === chosen && !again)) return;
  chosen = gene;
  showFacts(gene);
  part("unmapped").hidden = Boolean(gene.map);
  part("drawn").hidden = !gene.map;
  tableRows.forEach((row) => row.classList.toggle("chosen", row.dataset.gene === gene.name));
  if (gene.map) {
    const [bytes] = await Promise.all([inflated(document.getElementById(`map-${gene.index}`).textContent), pictures]);
    if (gene !== chosen) return; // another was chosen meanwhile
    const values = valuesOf(gene.map, bytes);
    drawMaps(gene, values);
    if (sections.some((section) => section.tested)) setTimeout(() => drawScatter(gene, values));
  }
  card.dataset.gene = gene.name;
};

const fromAddress = () => {
  const asked = location.hash.match(/^#gene=(.*)$/);
  if (!asked) return false;
  let name = asked[1];
  try {
    name = decodeURIComponent(name);
  } catch {
    // An address cut short is a name that no gene has.
  }
  choose(name);
  return true;
};

const step = (by) => {
  const index = (chosen.index + by + page.genes.length) % page.genes.length;
  location.hash = address(page.genes[index].name);
};

if (card && page.genes.length) {
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("find").addEventListener("change", (event) => {
    location.hash = address(event.target.value.trim());
    event.target.value = "";
  });
  const follow = () => {
    if (fromAddress()) card.scrollIntoView({ block: "start" });
    else if (!location.hash) choose(page.genes[0].name);
  };
  part("own").addEventListener("change", () => choose(chosen.name, true));
  addEventListener("hashchange", follow);
  // Behind an address of no gene, and one of a chapter, stands the first one.
  if (!fromAddress() || !part("unknown").hidden) {
    const unknown = part("unknown").textContent;
    choose(page.genes[0].name);
    part("unknown").textContent = unknown;
    part("unknown").hidden = !unknown;
  }
  if (location.hash.startsWith("#gene=")) card.scrollIntoView({ block: "start" });
}

// Clusters of spots

const drawClusters = async () => {
  await pictures;
  for (const canvas of document.querySelectorAll("canvas[data-clusters]")) {
    const levels = JSON.parse(document.getElementById(canvas.dataset.clusters).textContent);
    const section = sections[Number(canvas.dataset.section)];
    drawSpots(canvas, section, levels.map((level) => (level > 0 ? (level - 1) % page.colours.category.length : -1)), page.colours.category);
    if (canvas.dataset.mark) watermarked(canvas);
  }
};
drawClusters();

// Novelty of tiles

const NOVELTY = [0, 2]; // ends of its colour scale
const drawNovelty = async () => {
  await pictures;
  for (const canvas of document.querySelectorAll("canvas[data-novelty]")) {
    const values = JSON.parse(document.getElementById(canvas.dataset.novelty).textContent);
    drawSpots(canvas, sections[Number(canvas.dataset.section)], onScale(values, ...NOVELTY), page.colours.value);
  }
};
drawNovelty();

// Charts are drawn when they come near, and all of them before the page is printed.

const charts = document.querySelectorAll(".chart");
const watch = new IntersectionObserver(
  (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => drawChart(entry.target)),
  { rootMargin: "300px" }
);
// On paper as wide as a page, on the screen as wide as its box.
const fit = (width) => {
  for (const box of [...charts, part("scatter")]) {
    if (box?.data) Plotly.relayout(box, width ? { width, autosize: false } : { width: null, autosize: true });
  }
};
addEventListener("beforeprint", async () => {
  await Promise.all([...charts].map(drawChart));
  fit(PRINTED_WIDTH);
});
addEventListener("afterprint", () => fit(null));

// The table sorts, searches and turns pages; without it, or before, it is a plain one.

const asTable = async () => {
  const table = document.getElementById("genes-table");
  if (!table) return;
  const code = URL.createObjectURL(new Blob([unpacked(document.getElementById("table-code").textContent)], { type: "text/javascript" }));
  const { default: DataTable } = await import(code);
  URL.revokeObjectURL(code);
  new DataTable(table, {
    order: [], // as the file has them: usable ones first, then the better predicted
    pageLength: 10,
    autoWidth: false,
    columnDefs: [{ targets: "number", searchable: false }],
    layout: { topStart: "pageLength", topEnd: "search", bottomStart: "info", bottomEnd: "paging" },
    language: { search: "Search genes:", lengthMenu: "Show _MENU_ genes", info: "_START_ to _END_ of _TOTAL_ genes", infoFiltered: "(of _MAX_)" },
  });
  table.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-gene]");
    if (!row) return;
    if (!event.target.closest("a")) location.hash = address(row.dataset.gene);
    if (row.dataset.gene === chosen.name) card.scrollIntoView({ block: "start" });
  });
};
asTable().finally(() => charts.forEach((box) => watch.observe(box)));
