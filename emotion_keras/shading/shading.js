// Of pages whose script makes what the macros of explained.html make: the same classes, numbers and sentences.
const STEPS = {{ shading.STEPS | tojson }};
const FULL_BAR = {{ shading.FULL_BAR }};
const signed = (value, digits = 3) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

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

// The sum of an explanation in words, whose parts add up as they are shown.
function total(explanation, units) {
  const [score, rest] = [explanation.score, explanation.rest].map((value) => Math.round(100 * value));
  const parts = [score, score - rest, rest].map((hundredths) => signed(hundredths / 100, 2));
  return `Score ${parts[0]} = ${units} ${parts[1]}, rest ${parts[2]}`;
}
