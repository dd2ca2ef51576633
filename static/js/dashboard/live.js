// One event stream per page. It carries ids only; whoever shows rows asks for them.
// A hidden page closes it: browsers allow six connections to a host, for all tabs together.
import { showLive } from "./live_state.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;
const ASK_EVERY_MS = 15000;
const listeners = new Set();
let source = null;
let pause = FIRST_PAUSE_MS;
let timer = 0;

// `changed(ids by topic)`: those rows changed; `reload()`: anything may have.
export function onNews(listener) {
  listeners.add(listener);
  if (listeners.size === 1) start();
}

function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("online", reopen);
  window.addEventListener("focus", open); // does nothing unless another page took the stream over
  window.addEventListener("offline", () => showLive("lost"));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
}

function open() {
  if (source) return;
  clearTimeout(timer);
  source = new EventSource("/live");
  // Between drawing the page and this moment something may have changed.
  source.addEventListener("open", () => {
    pause = FIRST_PAUSE_MS;
    showLive("live");
    tell((listener) => listener.reload());
  });
  source.addEventListener("changed", (event) => {
    const ids = JSON.parse(event.data);
    tell((listener) => listener.changed(ids));
  });
  source.addEventListener("reload", () => tell((listener) => listener.reload()));
  source.addEventListener("replaced", replaced);
  source.addEventListener("error", lost);
}

// The browser reconnects by itself after a break, but gives up after an answer it cannot use.
function lost() {
  showLive("lost");
  if (source?.readyState !== EventSource.CLOSED) return;
  close();
  // Signed out, or too many pages are open: asking tells which, and keeps the page up to date.
  tell((listener) => listener.reload());
  timer = setTimeout(open, pause + Math.random() * pause);
  pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
}

// This person has more pages in sight than the server streams to. The ones opened last are live;
// this one asks from time to time, and is live again once it is used.
function replaced() {
  close();
  showLive("asking");
  timer = setTimeout(function ask() {
    tell((listener) => listener.reload());
    timer = setTimeout(ask, ASK_EVERY_MS);
  }, ASK_EVERY_MS);
}

function reopen() {
  close();
  if (!document.hidden) open();
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function tell(say) {
  for (const listener of listeners) say(listener);
}
