// A button of an explanation, which says its numbers when it is pointed at.
function makeUnit(index, description) {
  const button = make("button");
  button.type = "button";
  button.tabIndex = index === 0 ? 0 : -1;
  button.setAttribute("aria-label", description);
  const show = () => { find("detail").textContent = description; };
  button.addEventListener("pointerenter", show);
  button.addEventListener("focus", show);
  return button;
}
