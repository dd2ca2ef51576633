// A sentence of what was done, at the foot of the page, with a way back.
const STAYS_MS = 10000;
let place = null;
let timer = 0;

export function say(text, tone, move = null) {
  place ??= make();
  place.className = `said-bar said-${tone}`;
  place.replaceChildren(element("span", text));
  if (move) {
    const button = element("button", move.label);
    button.type = "button";
    button.className = "said-move";
    button.addEventListener("click", () => {
      hide();
      move.run();
    });
    place.append(button);
  }
  clearTimeout(timer);
  timer = setTimeout(leave, STAYS_MS);
}

// Not under somebody's pointer or finger.
function leave() {
  if (place.matches(":hover, :focus-within")) timer = setTimeout(leave, STAYS_MS);
  else hide();
}

function hide() {
  clearTimeout(timer);
  place.className = "said-bar";
  place.replaceChildren();
}

function make() {
  const bar = document.createElement("div");
  bar.setAttribute("role", "status");
  document.body.append(bar);
  return bar;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
