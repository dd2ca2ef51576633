// The parts of a page that stay up to date: drawn again when something of these topics changed; with
// `data-id`, only when it was this one.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

const AGAIN_MS = 2000;

export function parts(element) {
  const { id, live, topics } = element.dataset;

  const update = atMostOnceASecond(async () => {
    const piece = await fetchPiece(live);
    if (!piece) {
      setTimeout(update, AGAIN_MS);
      return;
    }
    for (const part of element.querySelectorAll("[data-part]")) {
      const fresh = piece.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) replace(part, fresh);
    }
  });

  onNews({
    changed(told) {
      const changed = topics.split(" ").flatMap((topic) => told[topic] ?? []);
      if (id ? changed.includes(id) : changed.length) update();
    },
    reload: update,
  });
}
