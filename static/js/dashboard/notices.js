// What every page warns of: destinations that are paused.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

export function notices(element) {
  let current = element;
  const update = atMostOnceASecond(async () => {
    const page = await fetchPiece("/notices");
    const fresh = page?.querySelector("[data-part=notices]");
    if (fresh && replace(current, fresh)) current = fresh;
  });
  onNews({
    changed: (news) => news.destinations && update(),
    reload: update,
  });
}
