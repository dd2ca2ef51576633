// Whether the page is up to date, in the side bar and for screen readers.
const WORDS = { live: "Live", lost: "Reconnecting…", asking: "Updated every 15 s" };
const PATIENCE_MS = 2500;
let timer = 0;

// A short break is not worth a word; a long one is, however often the browser tries again.
export function showLive(state) {
  if (state !== "lost") {
    clearTimeout(timer);
    timer = 0;
    show(state);
  } else {
    timer ||= setTimeout(() => show(state), PATIENCE_MS);
  }
}

function show(state) {
  const element = document.querySelector("[data-live-state]");
  if (!element || element.dataset.is === state) return;
  element.dataset.is = state;
  element.querySelector("span").textContent = WORDS[state];
}
