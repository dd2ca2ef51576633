// What every page warns of: paused destinations, sites without their assistant, conversations
// still being read.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

const LOOK_AGAIN_MS = 2000;

export function notices(element) {
  let current = element;
  const update = atMostOnceASecond(async () => {
    const page = await fetchPiece("/notices");
    const fresh = page?.querySelector("[data-part=notices]");
    // With another role the whole page is another one: some of it may no longer be seen.
    if (fresh && fresh.dataset.role !== current.dataset.role) location.reload();
    if (fresh) showGivenUp(fresh.dataset.givenUp);
    if (fresh && replace(current, fresh)) current = fresh;
    followUp();
  });
  const followUp = () => {
    if (current.querySelector("[data-catching-up]")) setTimeout(update, LOOK_AGAIN_MS);
  };
  followUp();
  onNews({
    changed: (news) => (news.destinations || news.sites || news.deliveries) && update(),
    reload: update,
  });
}

// Beside "Deliveries": how many wait for a person.
function showGivenUp(number) {
  const shown = document.querySelector("b[data-given-up]");
  if (!shown) return;
  shown.textContent = number;
  shown.hidden = number === "0";
}
