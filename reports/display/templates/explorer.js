// The explorer of the test split: what a model says, filtered, a page of rows at a time.
(() => {
  const form = document.getElementById("explorer");
  if (!form) return;
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  // Where several labels may hold of a text, answers are sets of labels, and two bytes each.
  const cells = data.cells ?? data.labels;
  const holds = (data.holds ?? data.labels.map((_, at) => [at])).map((of) => new Set(of));
  const answersOf = (text) => (data.cells ? new Uint16Array(bytes(text).buffer) : bytes(text));
  const truth = answersOf(data.truth);
  const models = data.said.map((said, at) => ({ said: answersOf(said), sure: bytes(data.confidence[at]) }));
  const table = document.getElementById("explorer-table");
  const more = document.getElementById("explorer-more");
  const found = document.getElementById("explorer-found");
  const STEP = 10;
  let texts = data.texts;
  let rows = [];
  let shown = 0;

  for (const name of ["label", "said"])
    data.labels.forEach((label, at) => form.elements[name].add(new Option(label, at)));
  if (data.cells)
    data.labels.forEach((label, at) => form.elements.said.add(new Option(`${label}, wrongly`, `wrong ${at}`)));
  const isSaid = (wanted, said, right) => {
    const at = +wanted.replace("wrong ", "");
    return holds[said].has(at) && !(wanted.startsWith("wrong") && holds[right].has(at));
  };

  const cell = (row, text, name) => {
    const td = row.insertCell();
    const bdi = document.createElement("bdi");
    bdi.textContent = text;
    td.append(bdi);
    if (name) td.className = name;
  };

  function add() {
    const model = models[form.elements.model.value];
    for (const at of rows.slice(shown, shown + STEP)) {
      const row = table.tBodies[0].insertRow();
      cell(row, data.ids[at]);
      cell(row, cells[truth[at]]);
      cell(row, cells[model.said[at]], model.said[at] === truth[at] ? "" : "wrong");
      cell(row, ((100 * model.sure[at]) / 255).toFixed(0), "number");
      if (texts.length) cell(row, texts[at], "long");
    }
    shown = Math.min(rows.length, shown + STEP);
    more.hidden = shown >= rows.length;
  }

  function filter() {
    const { label, said, which, least, most, search, order, model } = form.elements;
    const { said: answers, sure } = models[model.value];
    const words = search.value.toLocaleLowerCase().trim();
    rows = [];
    let right = 0;
    for (let at = 0; at < truth.length; at++) {
      const isRight = answers[at] === truth[at];
      const percent = (100 * sure[at]) / 255;
      if (label.value !== "" && !holds[truth[at]].has(+label.value)) continue;
      if (said.value !== "" && !isSaid(said.value, answers[at], truth[at])) continue;
      if (which.value && isRight !== (which.value === "right")) continue;
      if (percent < +(least.value || 0) || percent > +(most.value || 100) + 0.5) continue;
      if (words && !`${data.ids[at]} ${texts[at] ?? ""}`.toLocaleLowerCase().includes(words)) continue;
      right += isRight;
      rows.push(at);
    }
    rows.sort((a, b) => order.value * (sure[a] - sure[b]) || a - b);
    table.tBodies[0].replaceChildren();
    shown = 0;
    found.textContent =
      `${rows.length.toLocaleString("en")} of ${truth.length.toLocaleString("en")}` +
      (rows.length && !which.value
        ? `; ${((100 * right) / rows.length).toFixed(1)} % of them ${data.cells ? "with all labels right" : "answered rightly"}.`
        : ".");
    table.hidden = !rows.length;
    table.tHead.rows[0].cells[4].hidden = !texts.length;
    add();
  }

  // A click on a cell of the confusion matrix shows what is in it.
  for (const td of document.querySelectorAll("table.confusion td")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...td.childNodes);
    button.setAttribute(
      "aria-label",
      `${td.dataset.label} ${data.cells ? "holds, answered" : "taken for"} ${td.dataset.predicted}: ${button.textContent} per cent; show them`
    );
    td.append(button);
    button.addEventListener("click", () => {
      const { label, said, which, least, most, search, model } = form.elements;
      label.value = data.labels.indexOf(td.dataset.label);
      const isWrong = data.cells && td.dataset.label !== td.dataset.predicted;
      said.value = `${isWrong ? "wrong " : ""}${data.labels.indexOf(td.dataset.predicted)}`;
      which.value = search.value = "";
      [least.value, most.value, model.value] = [0, 100, 0];
      filter();
      document.getElementById("texts").scrollIntoView();
      form.elements.label.focus({ preventScroll: true });
    });
  }

  // Texts from the reader's own file, which the page does not hold.
  function parse(text, isIsear) {
    const byId = new Map();
    if (isIsear && /^[^\n]*\|[^\n]*SIT/.test(text)) {
      // 40 columns, then the text, which may hold the delimiter and is followed by two more.
      text.split(/\r?\n/).slice(1).forEach((line, row) => {
        const said = line.split("|").slice(40).join("|").replace(/\|1\|?"?\s*$/, "");
        if (said) byId.set(String(row + 1), said.replace(/[á÷¦|]/g, " ").replace(/\s+/g, " ").trim());
      });
      return byId;
    }
    const [head, ...lines] = records(text.replace(/^\uFEFF/, ""));
    const [id, column] = ["id", "text"].map((name) => (head ?? []).indexOf(name));
    if (id < 0 || column < 0) return byId;
    for (const line of lines) if (line.length > column) byId.set(line[id], line[column]);
    return byId;
  }

  // CSV (RFC 4180): quoted fields may hold commas, line breaks and doubled quotes.
  function records(text) {
    const lines = [[]];
    const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
    for (let match; field.lastIndex < text.length && (match = field.exec(text)); ) {
      lines.at(-1).push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
      if (match[3] !== ",") lines.push([]);
    }
    return lines.filter((line) => line.length > 1);
  }

  const own = document.getElementById("own-texts");
  own?.addEventListener("change", async () => {
    const said = document.getElementById("own-texts-said");
    if (!own.files.length) return;
    const byId = parse(await own.files[0].text(), own.dataset.isear === "true");
    const joined = data.ids.map((id) => byId.get(id));
    const known = joined.filter((text) => text !== undefined).length;
    if (!known) {
      said.textContent = "This file holds none of the texts: it needs the columns id and text.";
      return;
    }
    texts = joined.map((text) => text ?? "–");
    said.textContent = `${known.toLocaleString("en")} of ${data.ids.length.toLocaleString("en")} texts joined.`;
    filter();
  });

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", add);
  filter();
})();
