// Choosing is enough: no need to press "Show". The address names only what is filtered by.
const PHONE = window.matchMedia("(max-width: 767.98px)");
const FOCUS = "p5-filter";

export function filters(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(form);
  });
  form.addEventListener("change", (event) => {
    const { dataset, name } = event.target;
    // A day is typed number by number, and a search letter by letter: these wait for Enter.
    if ("day" in dataset || "search" in dataset) return;
    if ("period" in dataset) {
      showDays(form);
      if (event.target.value === "own") return form.querySelector("[data-day]").focus();
    }
    remember(name);
    go(form);
  });
  form.querySelector("[data-search]")?.addEventListener("search", (event) => {
    if (!event.target.value && event.target.defaultValue) go(form);
  });
  showDays(form);
  fold(form);
  PHONE.addEventListener("change", () => fold(form));
  focusAgain(form);
}

function go(form) {
  const period = form.querySelector("[data-period]");
  const fields = [...new FormData(form)].filter(([name, value]) => {
    if (["from", "to"].includes(name) && period?.value !== "own") return false;
    return value.trim() && !(name === "period" && value === "own");
  });
  const query = new URLSearchParams(fields).toString();
  location.assign(query ? `${form.action}?${query}` : form.action);
}

function showDays(form) {
  const period = form.querySelector("[data-period]");
  form.querySelector("[data-show], button").hidden = period?.value !== "own";
}

// On a phone the filters are one button; a wrong day is seen at once.
function fold(form) {
  const details = form.querySelector("[data-fold]");
  if (!details) return;
  details.open = !PHONE.matches || form.classList.contains("has-errors");
  const more = form.querySelector("[data-more]");
  if (more && PHONE.matches) more.open = true;
}

// The page is drawn anew: whoever chooses by keyboard goes on where they were.
function remember(name) {
  try {
    sessionStorage.setItem(FOCUS, name);
  } catch {
    // then the focus starts at the top
  }
}

function focusAgain(form) {
  try {
    const name = sessionStorage.getItem(FOCUS);
    sessionStorage.removeItem(FOCUS);
    if (name && !PHONE.matches) form.elements[name]?.focus({ preventScroll: true });
  } catch {
    // nothing is remembered
  }
}
