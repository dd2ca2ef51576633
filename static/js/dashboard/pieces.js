// Pieces of pages: asked for from our own server, drawn by it, put in place of the old ones.
import { refresh } from "./times.js";

// The answer as a document, or null when it cannot be had now. Signed out, or what the page is about
// was deleted: the page loads again and says so. What is said only once is kept for a whole page.
export async function fetchPiece(address) {
  let response;
  try {
    response = await fetch(address, { headers: { Accept: "text/html", "X-Piece": "1" } });
  } catch {
    return null;
  }
  if (response.redirected || response.status === 404) location.reload();
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Runs `work` at most once a second; whatever is asked meanwhile is one more run.
export function atMostOnceASecond(work) {
  let isRunning = false;
  let isWanted = false;
  const run = async () => {
    if (isRunning) {
      isWanted = true;
      return;
    }
    isRunning = true;
    isWanted = false;
    await work();
    setTimeout(() => {
      isRunning = false;
      if (isWanted) run();
    }, 1000);
  };
  return run;
}

// Puts `fresh` in the place of `old`, keeping open details, the focus and what somebody has typed. A
// form marked with data-keep stays as it is while it is being filled in, and says that what it is
// about has changed. False: nothing new was put there.
export function replace(old, fresh) {
  if (isSame(old, fresh)) return false;
  if (isBeingFilledIn(old, fresh)) return false;
  const focused = old.contains(document.activeElement) ? placeOf(old, document.activeElement) : null;
  const caret = focused !== null ? caretOf(document.activeElement) : null;
  for (const details of old.querySelectorAll("details[open]")) {
    const same = details.id && fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = true;
  }
  const typed = typedIn(old);
  const element = document.adoptNode(fresh);
  refresh(element);
  old.replaceWith(element);
  for (const [id, value] of typed) putTyped(element.querySelector(`#${CSS.escape(id)}`), value);
  const field = focused !== null ? focusable(element)[focused] : null;
  field?.focus({ preventScroll: true });
  if (field && caret && caretOf(field)) field.setSelectionRange(...caret);
  return true;
}

function isBeingFilledIn(old, fresh) {
  const form = old.querySelector("form[data-keep]");
  if (!form || !("typed" in form.dataset || typedIn(form).length)) return false;
  const version = fresh.querySelector("form[data-keep]")?.dataset.version;
  const note = form.querySelector("[data-outdated]");
  if (note && version !== form.dataset.version) note.hidden = false;
  return true;
}

// Id and value of each field that somebody has changed.
function typedIn(element) {
  return [...element.querySelectorAll("input:not([type=hidden]), textarea, select")]
    .filter((field) => field.id && isTyped(field))
    .map((field) => [field.id, isTicked(field) ? field.checked : field.value]);
}

function isTyped(field) {
  if (isTicked(field)) return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const shown = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  return field.value !== shown?.value;
}

function putTyped(field, value) {
  if (!field) return;
  if (isTicked(field)) field.checked = value;
  else field.value = value;
}

function isTicked(field) {
  return field.type === "checkbox" || field.type === "radio";
}

// Fields of some types have no caret, and say so by an error or by null.
function caretOf(field) {
  try {
    return field.selectionStart == null ? null : [field.selectionStart, field.selectionEnd];
  } catch {
    return null;
  }
}

function isSame(old, fresh) {
  return comparable(old) === comparable(fresh);
}

// Without what differs from answer to answer, or is kept up to date here.
function comparable(element) {
  const copy = element.cloneNode(true);
  copy.classList.remove("is-fresh", "is-new-line");
  if (!copy.classList.length) copy.removeAttribute("class");
  for (const line of copy.querySelectorAll(".is-new-line, .is-target")) line.classList.remove("is-new-line", "is-target");
  for (const input of copy.querySelectorAll("input[type=hidden]")) input.remove();
  for (const time of copy.querySelectorAll("time")) time.textContent = "";
  for (const details of copy.querySelectorAll("details")) details.open = false;
  return copy.outerHTML;
}

function focusable(element) {
  return [...element.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden])")];
}

function placeOf(element, focused) {
  return focusable(element).indexOf(focused);
}
