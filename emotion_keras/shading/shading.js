// Of pages whose script makes what the macros of explained.html make: the same classes, numbers and sentences.
const STEPS = {{ shading.STEPS | tojson }};
const FULL_BAR = {{ shading.FULL_BAR }};
const signed = (value, digits = 3) => {
  const shown = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(shown) ? "−" : "+"}${shown}`; // What is rounded to 0 has no minus.
};

const numbers = (unit) => {
  const added = unit.contribution === null ? "part of the rest" : `contribution ${signed(unit.contribution)}`;
  return `${added}, gate ${unit.gate.toFixed(3)}`;
};

// A word as one view shows it.
function shade(element, word, view) {
  const step = STEPS.filter((step) => Math.abs(word.contribution ?? 0) >= step).length;
  element.className = "word";
  if (view === "gate") {
    element.classList.add("gated");
    element.style.setProperty("--open", word.gate.toFixed(2));
  } else if (step) {
    element.classList.add(`${word.contribution < 0 ? "against" : "for"}${step}`);
  }
}

// A moment as one view shows it.
function drawBar(element, moment, view) {
  const side = moment.contribution < 0 ? "against" : "for";
  const share = Math.min(Math.abs(moment.contribution) / FULL_BAR, 1);
  element.className = `bar ${view === "gate" ? "open" : side}`;
  element.style.height = `${view === "gate" ? 100 * moment.gate : 50 * share}%`;
}

// A patch as one view shows it.
function shadePatch(element, patch, view) {
  const side = patch.contribution < 0 ? "against" : "for";
  const share = view === "gate" ? patch.gate : Math.min(Math.abs(patch.contribution) / FULL_BAR, 1);
  element.className = `patch ${view === "gate" ? "open" : side}`;
  element.style.setProperty("--share", share.toFixed(2));
  element.textContent = view === "gate" || share < 0.25 ? "" : side === "for" ? "+" : "−";
}

const hundredths = (value) => Math.round(100 * value);
const added = (units) => units.reduce((sum, unit) => sum + (unit.contribution ?? 0), 0);

// The units of each of several modalities, without its name in theirs.
function groups(words, layout) {
  return Object.keys(layout).map((name) => {
    const start = `${name}: `;
    const own = words.filter((unit) => unit.word.startsWith(start));
    return { name, units: own.map((unit) => ({ ...unit, word: unit.word.slice(start.length) })) };
  }).filter(({ units }) => units.length);
}

// The sum of an explanation in words, whose parts add up as they are shown. `units` are what they are called, or how
// those of several modalities lie, by their names.
function total(explanation, units) {
  const score = hundredths(explanation.score);
  const parts = typeof units === "string"
    ? [[units, score - hundredths(explanation.rest)]]
    : groups(explanation.words, units).map((group) => [group.name, hundredths(added(group.units))]);
  const rest = parts.reduce((left, [, value]) => left - value, score);
  const shown = (value) => signed(value / 100, 2);
  // Where several labels may hold, one of them is explained.
  const ofLabel = explanation.explained ? ` of ${explanation.explained}` : "";
  return `Score${ofLabel} ${shown(score)} = ${parts.map(([name, value]) => `${name} ${shown(value)}`).join(", ")}, rest ${shown(rest)}`;
}
