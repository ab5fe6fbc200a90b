"use strict";
// Of every page. A page has FLAWS, its words for flags without an answer, UNITS, what an explanation is about, and the
// function explain, which shows an explanation as a view has it.
const find = (id) => document.getElementById(id);
// Texts and labels become text, never HTML.
const make = (name, text = "", className = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
};
let latest = 0;
let answer = null;
let explanation = null;

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The service cannot be reached. Is it still running?");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const message = content.detail ?? `The service answered with status ${answer.status}.`;
    // Which field of the request it is about is of no interest here.
    throw Object.assign(new Error(message.replace(/^[a-z_]+: /, "")), { status: answer.status });
  }
  return content;
}

const about = ask("health").then((health) => {
  find("model").textContent = health.model;
  return health;
});
about.catch(showProblem);

function showProblem(error) {
  find("problem").textContent = error.message;
  find("problem").hidden = false;
}

// Shows what `send` gets from the service, whose health it is given.
async function predict(send) {
  const number = ++latest;
  find("problem").hidden = true;
  find("result").classList.add("is-old");
  try {
    const { predictions } = await send(await about);
    // An answer that was overtaken by a later question is not shown.
    if (number !== latest) return;
    [answer] = predictions;
    showAnswer();
  } catch (error) {
    if (number === latest) showProblem(error);
  }
}

// A page that has more to show of an answer does so in place of this.
let showAnswer = () => show(answer);

function show(prediction) {
  find("result").classList.remove("is-old");
  const flaw = FLAWS[prediction.flag];
  find("result").hidden = Boolean(flaw);
  if (flaw) return showProblem(new Error(flaw));
  const all = ranked(prediction);
  if (prediction.labels) showSeveral(prediction);
  else showOne(prediction, all);
  for (const [flag, note] of [["truncated", "cut"], ["unfamiliar", "unfamiliar"]]) {
    if (find(note)) find(note).hidden = !prediction.flag.includes(flag);
  }
  find("bars").replaceChildren(...all.map(([label, value]) => row(label, value, prediction.labels?.includes(label))));
  explanation = prediction.words?.length ? prediction : null;
  showExplanation();
}

function showOne(prediction, all) {
  const [first, second] = all.map(([label, value]) => [make("bdi", label), percent(value)]);
  const other = second ? [" or ", second[0], ` (${second[1]} %)`] : [];
  find("headline").replaceChildren(...(isUnsure(prediction)
    ? ["unsure, perhaps ", first[0], ` (${first[1]} %)`, ...other]
    : [first[0], `, ${first[1]} % confident`]));
  find("second").hidden = isUnsure(prediction) || !second;
  if (second && !isUnsure(prediction)) find("second").replaceChildren("Next: ", second[0], `, ${second[1]} %`);
}

function showSeveral(prediction) {
  find("headline").replaceChildren(isUnsure(prediction) ? "unsure, perhaps " : "", ...listed(prediction));
  find("second").hidden = false;
  find("second").textContent = `All of this is right with a probability of ${percent(prediction.confidence)} %, if emotions are independent.`;
}

// The labels that hold.
function listed({ labels }) {
  if (!labels.length) return ["none of these emotions"];
  return labels.flatMap((label, i) => (i ? [", ", make("bdi", label)] : [make("bdi", label)]));
}

// The labels with their probabilities, the most probable first.
const ranked = ({ probabilities }) => Object.entries(probabilities).sort((a, b) => b[1] - a[1]);

// The page applies the threshold that is chosen on it; one that the service was started with stands in the answer.
function isUnsure({ label, guess, confidence }) {
  return (guess ?? label) !== label || confidence < Number(find("least")?.value ?? 0);
}

function showExplanation() {
  find("explanation").hidden = !explanation;
  if (!explanation) return;
  const view = document.querySelector("[name=view]:checked").value;
  document.querySelectorAll("[data-view]").forEach((part) => { part.hidden = part.dataset.view !== view; });
  find("detail").textContent = "";
  find("sum").textContent = total(explanation, UNITS);
  explain(explanation.words, view);
}

document.querySelectorAll("[name=view]").forEach((choice) => choice.addEventListener("change", showExplanation));

find("least")?.addEventListener("change", () => showAnswer());

const percent = (value) => (100 * value).toFixed(1);

function row(label, value, holds) {
  const line = make("tr");
  const name = make("th");
  name.scope = "row";
  name.append(make("bdi", label));
  if (holds) name.append(" ✓");
  const cell = make("td");
  const track = make("div", "", "track");
  const bar = make("div", "", "bar");
  bar.style.width = `${100 * value}%`;
  track.append(bar);
  cell.append(track);
  line.append(name, cell, make("td", percent(value)));
  return line;
}

// Of a row of buttons one is reached with Tab, and the others from there with the arrow keys.
function goWithArrows(row) {
  row.addEventListener("keydown", (event) => {
    const buttons = [...row.querySelectorAll("button")];
    const from = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? from + step;
    if (from < 0 || !buttons[to]) return;
    event.preventDefault();
    buttons[from].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
}
