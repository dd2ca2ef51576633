// Which sites are answered by their assistant, and how that goes: drawn anew when one changes.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

export function siteState(element) {
  const update = atMostOnceASecond(async () => {
    const page = await fetchPiece(element.dataset.live);
    for (const part of page ? element.querySelectorAll("[data-part]") : []) {
      const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) replace(part, fresh);
    }
  });
  onNews({ changed: (news) => news.sites && update(), reload: update });
}
