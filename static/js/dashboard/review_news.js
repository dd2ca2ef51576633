// What waits for reviewers changes as they and visitors go on: the numbers, and the lists.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

export function reviewNews(element) {
  let current = element;
  const update = atMostOnceASecond(async () => {
    const piece = await fetchPiece(element.dataset.live || location.href);
    const fresh = piece?.querySelector(`[data-news="${element.dataset.news}"]`);
    if (!fresh) return void setTimeout(update, 5000);
    if (replace(current, fresh)) current = fresh;
  });
  onNews({ changed: (news) => news.sessions && update(), reload: update });
}
