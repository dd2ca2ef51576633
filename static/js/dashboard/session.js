// One session's page: each of its parts is drawn again when something in it changed.
import { onKeys } from "./keys.js";
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

export function session(element) {
  const id = element.dataset.session;

  const update = atMostOnceASecond(async () => {
    const piece = await fetchPiece(element.dataset.live);
    if (!piece) {
      setTimeout(update, 2000);
      return;
    }
    const isAtEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
    const seen = new Set([...element.querySelectorAll(".line")].map((line) => line.id));
    for (const part of element.querySelectorAll("[data-part]")) {
      const fresh = piece.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) replace(part, fresh);
    }
    showTarget(element);
    const added = [...element.querySelectorAll(".line")].filter((line) => !seen.has(line.id));
    added.forEach((line) => line.classList.add("is-new-line"));
    // Whoever reads the newest message goes on reading the newest.
    if (added.length && isAtEnd) added.at(-1).scrollIntoView({ block: "nearest" });
  });

  onKeys({
    j: () => follow(element, "next"),
    k: () => follow(element, "prev"),
    e: () => archive(element),
  });
  window.addEventListener("hashchange", () => showTarget(element));
  onNews({
    changed(news) {
      const deliveries = news.deliveries ?? [];
      const sessions = news.sessions ?? [];
      const isOurs = (delivery) => element.querySelector(`[data-delivery="${CSS.escape(delivery)}"]`);
      const isRelated = (other) => other === id || element.querySelector(`[data-other="${CSS.escape(other)}"]`);
      if (sessions.some(isRelated) || deliveries.some(isOurs)) update();
    },
    reload: update,
  });
}

// The message one came for: a line drawn again is no :target any more.
function showTarget(element) {
  for (const line of element.querySelectorAll(".is-target")) line.classList.remove("is-target");
  const wanted = location.hash.match(/^#message-\d+$/) && element.querySelector(location.hash);
  if (wanted) wanted.classList.add("is-target");
}

// To the next session of the list one came from. False: there is none.
function follow(element, rel) {
  const link = element.querySelector(`[data-part=steps] [rel=${rel}]`);
  link?.click();
  return link !== null;
}

function archive(element) {
  const button = element.querySelector("[data-part=archive] button");
  button?.click();
  return button !== null;
}
