// Pieces of pages: asked for from our own server, drawn by it, put in place of the old ones.
import { refresh } from "./times.js";

// The answer as a document, or null when it cannot be had now. Signed out, or what the page is about
// was deleted: the page loads again and says so.
export async function fetchPiece(address) {
  let response;
  try {
    response = await fetch(address, { headers: { Accept: "text/html" } });
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

// Puts `fresh` in the place of `old`, keeping open details and the focus. False: nothing new.
export function replace(old, fresh) {
  if (isSame(old, fresh)) return false;
  const focused = old.contains(document.activeElement) ? placeOf(old, document.activeElement) : null;
  for (const details of old.querySelectorAll("details[open]")) {
    const same = details.id && fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = true;
  }
  const element = document.adoptNode(fresh);
  refresh(element);
  old.replaceWith(element);
  if (focused !== null) focusable(element)[focused]?.focus({ preventScroll: true });
  return true;
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
  return [...element.querySelectorAll("a[href], button, summary, select, input:not([type=hidden])")];
}

function placeOf(element, focused) {
  return focusable(element).indexOf(focused);
}
