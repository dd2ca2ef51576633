// The chat page: reads its settings from data-*, connects the parts, starts.
import { paint } from "./colour.js";
import { createComposer } from "./composer.js";
import { createConversation } from "./conversation.js";
import { connectHost } from "./host.js";
import { createLinks } from "./links.js";
import { createOutbox } from "./outbox.js";
import { connectStartOver } from "./start_over.js";
import { createStorage } from "./storage.js";
import { createThread } from "./thread.js";
import { createView } from "./view.js";
import { wordsFor } from "./words.js";

const GREETING_MS = 450;
const NEXT_LINE_MS = 250;
const LOOK_AGAIN_MS = 30_000;

const root = document.documentElement;
const find = (id) => document.getElementById(id);
const words = wordsFor(root.lang);
const storage = createStorage(root.dataset.site);
let told = null; // how many unread messages the page around us knows of
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

paint(root, root.dataset.colour);
document.querySelectorAll("[data-word]").forEach((element) => {
  const text = words(element.dataset.word);
  if (element.dataset.as) element.setAttribute(element.dataset.as, text);
  else element.textContent = text;
});

const view = createView({
  scroller: find("scroller"),
  log: find("log"),
  typing: find("typing"),
  words,
  links: createLinks(root.dataset.linkHosts.split(" ").filter(Boolean)),
  resend: () => outbox.drain(),
});
const host = connectHost({
  opened() {
    begin();
    view.toBottom();
    composer.focus();
    countUnread(thread.lines());
  },
  closed: () => startOver.close(),
});
const thread = createThread((lines) => {
  view.draw(lines);
  countUnread(lines);
});
const conversation = createConversation({
  site: root.dataset.site,
  storage,
  host,
  thread,
  show: { greeting, answer, reset, note, notice, unusable, typing: view.setTyping },
});
const outbox = createOutbox({
  storage,
  deliver: conversation.deliver,
  refused(entry, problem) {
    thread.withdraw(entry.client_id);
    composer.giveBack(entry.text, problem.message || words("refused"));
  },
  changed: drawPending,
});
const composer = createComposer({
  form: find("composer"),
  suggestions: find("suggestions"),
  words,
  storage,
  submit: outbox.add,
});
const startOver = connectStartOver({
  button: find("start-over"),
  question: find("start-over-question"),
  confirmed: () => conversation.startOver().then(composer.focus),
  cancelled: composer.focus,
});

async function greeting({ messages }) {
  for (const [index, message] of messages.entries()) {
    if (!isCalm) await pause(index ? NEXT_LINE_MS : GREETING_MS);
    thread.store(message);
  }
  drawPending();
}

function answer({ input, completion_status: completion }, isNew) {
  composer.setInput(input || { type: "text" }, isNew);
  find("ended").hidden = input?.type !== "none";
  // Counted as a conversion by the host page: once, whichever tab hears of it first.
  if (completion !== "completed" || storage.get("told") === conversation.id) return;
  storage.set("told", conversation.id);
  host.tell("completed", { session_id: conversation.id });
}

function reset() {
  composer.setInput({ type: "text" });
  notice(null);
}

function note(name) {
  if (name) thread.note(words(name));
}

function notice(name, action) {
  find("notice").hidden = !name;
  if (!name) return;
  find("notice-text").textContent = words(name);
  find("notice-action").onclick = action;
}

function unusable(reason) {
  find("composer").hidden = true;
  find("suggestions").hidden = true;
  notice("unavailable");
  if (reason) find("notice-text").textContent = reason;
  find("notice-action").hidden = true;
}

function drawPending() {
  outbox.entries().forEach((entry) => thread.pend(entry, entry.state));
}

function countUnread(lines) {
  const newest = Math.max(0, ...lines.map((line) => line.id || 0));
  const seen = storage.get("seen") || 0;
  if (host.isOpen && !document.hidden) {
    if (newest > seen) storage.set("seen", newest);
    tellUnread(0);
  } else {
    tellUnread(lines.filter((line) => line.id > seen && line.role !== "visitor").length);
  }
}

function tellUnread(count) {
  if (count === told) return;
  told = count;
  host.tell("unread", { count });
}

let hasBegun = false;
function begin() {
  if (hasBegun) return;
  hasBegun = true;
  conversation.open().then(() => {
    drawPending();
    outbox.drain();
  });
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

storage.watch((name) => {
  if (name === null || name === "session") conversation.follow();
  else if (name.startsWith("out:")) {
    drawPending();
    if (storage.get(name)) outbox.drain();
    else conversation.refresh();
  }
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) conversation.refresh().then(() => countUnread(thread.lines()));
});
setInterval(() => document.hidden || conversation.refresh(), LOOK_AGAIN_MS);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (startOver.close()) composer.focus();
  else host.tell("close");
});
find("close").hidden = !host.isEmbedded;
find("close").addEventListener("click", () => host.tell("close"));

host.tell("ready");
// Behind a closed launcher only an earlier conversation is worth a look at the server.
if (host.isOpen || storage.get("session")) {
  begin();
  if (!host.isEmbedded) composer.focus();
}
