"""The page of a race: what surrounds the data. Plotly draws; a few lines of script choose what is drawn."""

STYLE = """
body { font-family: system-ui, sans-serif; color: #222; margin: 1.2rem auto; max-width: 84rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0 0 .3rem; }
p { margin: .2rem 0 .8rem; max-width: 70rem; line-height: 1.4; }
.controls { display: flex; flex-wrap: wrap; gap: .6rem 1.6rem; align-items: center; padding: .6rem .8rem;
  background: #f3f3f3; border-radius: .4rem; }
.controls label { font-weight: 600; }
.controls input[type=range] { width: 18rem; vertical-align: middle; }
.controls select, .controls button { font: inherit; padding: .15rem .4rem; }
.plots { display: flex; flex-wrap: wrap; }
#paths, #gaps { flex: 1 1 34rem; height: 36rem; min-width: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .8rem .15rem 0; text-align: right; border-bottom: 1px solid #ddd; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
"""

SCRIPT = r"""
const race = JSON.parse(document.getElementById("race").textContent);
const $ = id => document.getElementById(id);
const turn = Array.from({length: 73}, (_, i) => 2 * Math.PI * i / 72);
const last = run => run.gap.length - 1;
const at = run => Math.min(Number($("iteration").value), last(run));
const digits = x => x === null ? "-" : Number(x).toPrecision(4).replace(/\.?0+(?=e|$)/, "");

function shown() {
  const view = $("parametrization").value, optimizer = $("optimizer").value;
  return race.runs.filter(run => (view === "all" || run.parametrization === view)
    && (optimizer === "all" || run.optimizer === optimizer));
}

function ball(xy, B) {
  if (!B || B.includes(null) || xy.includes(null)) return {x: [], y: []};
  return {x: turn.map(t => xy[0] + B[0] * Math.cos(t) + B[1] * Math.sin(t)),
          y: turn.map(t => xy[1] + B[2] * Math.cos(t) + B[3] * Math.sin(t))};
}

function pathsOf(run, view) {
  const k = at(run), drawn = run.views[view], color = run.look.color;
  const x = drawn.xy.map(p => p[0]), y = drawn.xy.map(p => p[1]), name = `${run.optimizer}, in ${run.parametrization}`;
  const over = run.diverged && k === last(run);
  return [
    {x, y, mode: "lines", line: {color, width: 1, dash: run.look.dash}, opacity: .35, hoverinfo: "skip"},
    {x: x.slice(0, k + 1), y: y.slice(0, k + 1), mode: "lines", meta: "path",
     line: {color, width: 2.5, dash: run.look.dash}, hoverinfo: "skip"},
    {...ball(drawn.xy[k], drawn.balls[k]), mode: "lines", fill: "toself", fillcolor: color + "22", meta: "ball",
     line: {color, width: 1.2}, hoverinfo: "skip"},
    {x: [x[k]], y: [y[k]], mode: "markers", meta: "iterate",
     marker: {color: over ? "#B00000" : color, size: 11, symbol: over ? "x" : run.look.symbol, line: {width: 2, color}},
     hovertemplate: `${name}<br>iteration ${k}<br>gap ${digits(run.gap[k])} nats<extra></extra>`},
  ];
}

function gapsOf(run) {
  const k = at(run), color = run.look.color, x = run.gap.map((_, i) => i);
  const over = run.diverged && k === last(run);
  return [
    {x, y: run.drop, mode: "lines", line: {color, width: 1.8, dash: run.look.dash},
     hovertemplate: `${run.optimizer}, in ${run.parametrization}<br>iteration %{x}: %{y:.3g} nats<extra></extra>`},
    {x: [k], y: [run.drop[k]], mode: "markers", meta: "iterate", hoverinfo: "skip",
     marker: {color: over ? "#B00000" : color, size: 11, symbol: over ? "x" : run.look.symbol, line: {width: 2, color}}},
  ];
}

function row(run) {
  const k = at(run), cells = [run.optimizer, run.parametrization, k + (k === last(run) ? ` (${run.outcome})` : ""),
    ...run.home[k].map(digits), digits(run.gap[k]), digits(run.decrement[k]), digits(run.kl[k]), run.passes[k]];
  const line = document.createElement("tr"), key = line.appendChild(document.createElement("td"));
  const {color, pattern, glyph} = run.look;
  key.innerHTML = `<svg width="58" height="16" role="img" aria-label="its line and marker">
    <line x1="1" y1="8" x2="57" y2="8" stroke="${color}" stroke-width="2.5" stroke-dasharray="${pattern}"/>
    <text x="29" y="13.5" font-size="16" text-anchor="middle" fill="${color}" stroke="#fff" stroke-width="3"
    paint-order="stroke">${glyph}</text></svg>`;
  for (const cell of cells) line.appendChild(document.createElement("td")).textContent = cell;
  return line;
}

function draw() {
  const view = $("parametrization").value, seen = race.views[view], runs = shown();
  const ends = [
    {x: [seen.start[0]], y: [seen.start[1]], mode: "markers", meta: "start", hoverinfo: "skip",
     marker: {symbol: "circle-open", size: 16, color: "#000", line: {width: 2}}},
    {x: [seen.optimum[0]], y: [seen.optimum[1]], mode: "markers", meta: "optimum", hoverinfo: "skip",
     marker: {symbol: "star", size: 16, color: "#F0E442", line: {width: 1.2, color: "#000"}}},
  ];
  const config = {displaylogo: false, responsive: true};
  Plotly.react("paths", [seen.contour, ...runs.flatMap(run => pathsOf(run, view)), ...ends], seen.layout, config);
  Plotly.react("gaps", runs.flatMap(gapsOf), race.gaps, config);
  $("now").textContent = $("iteration").value;
  $("numbers").replaceChildren(...runs.map(row));
}

let playing = null;
function pause() { clearInterval(playing); playing = null; $("play").textContent = "Play"; }
function play() {
  if (playing !== null) return pause();
  if ($("iteration").value === $("iteration").max) $("iteration").value = 0;
  $("play").textContent = "Pause";
  playing = setInterval(() => {
    $("iteration").stepUp();
    draw();
    if ($("iteration").value === $("iteration").max) pause();
  }, 80);
}

for (const id of ["parametrization", "optimizer"]) $(id).addEventListener("change", draw);
$("iteration").addEventListener("input", draw);
$("play").addEventListener("click", play);
draw();
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
<script>{plotly}</script>
</head>
<body>
<h1>{title}</h1>
<p>{words}</p>
<div class="controls">
<span><label for="parametrization">Parametrization</label> <select id="parametrization">{charts}</select></span>
<span><label for="optimizer">Optimizer</label> <select id="optimizer">{optimizers}</select></span>
<span><label for="iteration">Iteration</label>
<input type="range" id="iteration" min="0" max="{most}" value="0" step="1">
<output id="now" for="iteration">0</output></span>
<button type="button" id="play">Play</button>
</div>
<div class="plots"><div id="paths"></div><div id="gaps"></div></div>
<table><thead><tr>{heads}</tr></thead><tbody id="numbers"></tbody></table>
<script type="application/json" id="race">{data}</script>
<script>{script}</script>
</body>
</html>
"""
