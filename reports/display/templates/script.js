// Tables are sorted by a click on a heading; figures of three metrics show one at a time.
for (const table of document.querySelectorAll("figure.table table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const order = before === first ? second : first;
      const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        if (!numeric) return sign * key(a).localeCompare(key(b));
        const [x, y] = [parseFloat(key(a)), parseFloat(key(b))];
        // What has no number stays below.
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
        return sign * (x - y);
      });
      body.append(...rows);
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
    });
  });
}

const groups = [...document.querySelectorAll(".metrics")];
function show(metric) {
  for (const group of groups) {
    for (const figure of group.querySelectorAll("[data-metric]"))
      figure.hidden = figure.dataset.metric !== metric;
    for (const button of group.querySelectorAll(".switch button"))
      button.setAttribute("aria-pressed", button.dataset.shows === metric);
  }
}
for (const group of groups) {
  const control = document.createElement("div");
  control.className = "switch";
  control.setAttribute("role", "group");
  control.setAttribute("aria-label", "Metric");
  for (const figure of group.querySelectorAll("[data-metric]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = figure.dataset.title;
    button.dataset.shows = figure.dataset.metric;
    button.addEventListener("click", () => {
      const top = control.getBoundingClientRect().top;
      show(figure.dataset.metric);
      // Figures above change, too: what was clicked stays where it was.
      window.scrollBy({ top: control.getBoundingClientRect().top - top, behavior: "instant" });
    });
    control.append(button);
  }
  group.prepend(control);
}
const first = document.querySelector(".metrics [data-metric]");
if (first) show(first.dataset.metric);

// What a link leads to may be folded.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  const own = target.querySelector(":scope > details.appendix");
  if (own) own.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", unfold);
unfold();

// Paper shows what is unfolded: a reader who wants all of it unfolds all of it first.
const every = document.createElement("button");
every.type = "button";
every.className = "unfold";
every.textContent = "Unfold all";
every.addEventListener("click", () => {
  const folded = [...document.querySelectorAll("details:not([open])")];
  const opens = folded.length > 0;
  for (const details of opens ? folded : document.querySelectorAll("details")) details.open = opens;
  every.textContent = opens ? "Fold all" : "Unfold all";
});
document.querySelector("nav").append(every);
