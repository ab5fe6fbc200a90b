// A text of several sentences as a line of emotions, each of them a button that shows all about it.
const MANY = 40;
let answers = [];
let chosen = 0;

showAnswer = () => {
  if (answer !== answers[0]) chosen = 0;
  answers = [answer, ...(answer.sentences ?? [])];
  showLine();
  choose(chosen);
};

function choose(number) {
  chosen = number;
  for (const button of document.querySelectorAll("[data-number]")) {
    button.setAttribute("aria-pressed", button.dataset.number === String(number));
  }
  find("which").hidden = number === 0;
  if (number) find("which").replaceChildren(`Sentence ${number}: `, make("bdi", answers[number].sentence));
  show(answers[number]);
}

const inShort = (prediction) => {
  if (!prediction.probabilities) return ["no word that the model knows"];
  if (prediction.labels) return [isUnsure(prediction) ? "unsure, " : "", ...listed(prediction)];
  const [[label, value]] = ranked(prediction);
  return [isUnsure(prediction) ? "unsure, " : "", make("bdi", label), ` ${percent(value)} %`];
};

// The most probable label, or of several those that hold.
const saidOf = (prediction) => prediction.labels ?? [ranked(prediction)[0][0]];

function showLine() {
  const sentences = answers.slice(1);
  find("no-sentences").hidden = !answer.whyWhole;
  find("no-sentences").textContent = `It is not shown sentence by sentence. ${answer.whyWhole}`;
  find("by-sentence").hidden = sentences.length < 2 || !answer.probabilities;
  if (find("by-sentence").hidden) return;
  const known = sentences.filter(({ probabilities }) => probabilities);
  const firsts = new Set(known.flatMap(saidOf));
  const labels = ranked(answer).map(([label]) => label).filter((label) => firsts.has(label));
  find("names").replaceChildren(...labels.map((label) => make("span", label)));
  find("columns").classList.toggle("many", sentences.length > MANY);
  find("columns").replaceChildren(...sentences.map((one, i) => makeColumn(one, i + 1, labels)));
  const lines = [make("button", "The whole text"), ...sentences.map((one) => make("button", one.sentence))];
  find("sentences").replaceChildren(...lines.map((button, number) => {
    const line = make("li");
    const short = make("span");
    short.append(...inShort(answers[number]));
    button.dir = "auto";
    line.append(asChoice(button, number), short);
    return line;
  }));
}

function makeColumn(prediction, number, labels) {
  const column = asChoice(make("button"), number);
  column.tabIndex = number === 1 ? 0 : -1;
  const said = make("span");
  said.append(...inShort(prediction));
  column.setAttribute("aria-label", `Sentence ${number}: ${said.textContent}`);
  column.title = prediction.sentence;
  column.append(...labels.map((label) => {
    const value = prediction.probabilities?.[label] ?? 0;
    const cell = make("span", "", value && saidOf(prediction).includes(label) ? "first" : "");
    cell.style.setProperty("--share", value.toFixed(2));
    return cell;
  }));
  return column;
}

function asChoice(button, number) {
  button.type = "button";
  button.dataset.number = number;
  if (answers[number].probabilities) button.addEventListener("click", () => choose(number));
  else button.setAttribute("aria-disabled", "true");
  return button;
}

goWithArrows(find("columns"));
