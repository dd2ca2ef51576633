// Draws the thread. Text goes in by textContent only: nothing anyone writes is ever HTML.

const NEAR_BOTTOM_PX = 80;
const AT_BOTTOM_PX = 4;
const SLOW_AFTER_MS = 700;

export function createView({ scroller, log, typing, words, links, resend }) {
  const elements = new Map(); // BotUI key → element
  const drawn = new Map(); // BotUI key → the line as it was drawn
  let count = 0;
  let isPinned = true; // the reader is at the end and wants to stay there

  function draw(lines) {
    const seen = new Set(lines.map((line) => line.key));
    for (const [key, element] of elements) {
      if (seen.has(key)) continue;
      element.remove();
      elements.delete(key);
      drawn.delete(key);
    }
    lines.forEach((line, index) => {
      const element = elements.get(line.key) || create(line);
      if (drawn.get(line.key) !== line) update(element, line);
      drawn.set(line.key, line);
      // Moved only when out of place: a screen reader announces what is inserted.
      if (log.children[index] !== element) log.insertBefore(element, log.children[index] || null);
    });
    log.setAttribute("aria-busy", String(lines.some((line) => line.isStreaming)));
    const isMine = lines.length > count && lines.at(-1).role === "visitor";
    count = lines.length;
    if (isPinned || isMine) toBottom();
  }

  function create(line) {
    const who = line.role === "visitor" ? "me" : line.role === "system" ? "note" : "them";
    const element = make("div", `line ${who}`);
    if (who !== "note") {
      const speaker = { visitor: "you", agent: "agent" }[line.role] || "assistant";
      element.append(make("span", "sr-only", words(speaker)));
    }
    const bubble = make("p", "bubble");
    bubble.dir = "auto";
    element.append(bubble);
    elements.set(line.key, element);
    return element;
  }

  function update(element, line) {
    const bubble = element.querySelector(".bubble");
    write(bubble, line);
    if (line.id) {
      element.dataset.id = line.id;
      bubble.title = new Date(line.at).toLocaleString(document.documentElement.lang, {
        dateStyle: "medium",
        timeStyle: "short",
      });
    }
    const state = line.isBroken ? "broken" : line.state || "";
    if ((element.dataset.state || "") === state) return;
    element.dataset.state = state;
    element.querySelector(".state")?.remove();
    // Most messages are taken at once: only a slow one says that it is on its way.
    if (state === "sending") {
      setTimeout(() => {
        const isStill = element.dataset.state === "sending" && !element.querySelector(".state");
        if (isStill) element.append(make("p", "state", words("sending")));
      }, SLOW_AFTER_MS);
    }
    if (state === "broken") element.append(make("p", "state", words("brokenOff")));
    if (state === "waiting" || state === "busy") {
      const reason = words(state === "busy" ? "busyLine" : "notSent");
      const note = make("p", "state", `${reason} · `);
      const button = make("button", "link", words("sendAgain"));
      button.type = "button";
      button.addEventListener("click", resend);
      note.append(button);
      element.append(note);
    }
  }

  // Words that come in are added to those on screen: what the reader has marked stays marked.
  function write(bubble, line) {
    const only = bubble.childNodes.length === 1 ? bubble.firstChild : null;
    if (line.isStreaming && only?.data && line.text.startsWith(only.data)) {
      only.appendData(line.text.slice(only.data.length));
      return;
    }
    const isLinked = ["assistant", "agent"].includes(line.role) && !line.isStreaming;
    const parts = isLinked ? links(line.text) : [line.text];
    const isSame = bubble.textContent === line.text && !bubble.children.length;
    if (!isSame || parts.length > 1 || parts[0] !== line.text) bubble.replaceChildren(...parts);
  }

  function setTyping(isTyping) {
    typing.hidden = !isTyping;
  }

  function toBottom() {
    isPinned = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  // Only scrolling up lets go of the end, if only by a line: it also moves away by itself when the
  // list grows.
  let top = 0;
  scroller.addEventListener("scroll", () => {
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    if (scroller.scrollTop < top && below > AT_BOTTOM_PX) isPinned = false;
    else if (below < NEAR_BOTTOM_PX) isPinned = true;
    top = scroller.scrollTop;
  });
  // Bubbles and choices make the list longer; a phone's keyboard makes its window lower.
  const observer = new ResizeObserver(() => isPinned && toBottom());
  [scroller, ...scroller.children].forEach((part) => observer.observe(part));

  return { draw, setTyping, toBottom };
}

export function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
