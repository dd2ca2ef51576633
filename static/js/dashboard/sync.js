// The page of manual syncs: how far the running one is, without a reload.
import { fetchPiece, replace } from "./pieces.js";

const BUSY_MS = 1000;
const QUIET_MS = 10000;

export function sync(element) {
  const look = async () => {
    if (!document.hidden) await update(element);
    setTimeout(look, isBusy(element) ? BUSY_MS : QUIET_MS);
  };
  setTimeout(look, BUSY_MS);
}

async function update(element) {
  const wasBusy = isBusy(element);
  const piece = await fetchPiece(element.dataset.live);
  if (!piece) return;
  put(element, piece);
  if (!wasBusy || isBusy(element)) return;
  // It has ended: tables, rows set aside and the list of syncs have changed, too.
  const page = await fetchPiece(location.href);
  if (page) put(element, page);
}

function put(element, piece) {
  for (const part of element.querySelectorAll("[data-part]")) {
    const fresh = piece.querySelector(`[data-part="${part.dataset.part}"]`);
    if (fresh) replace(part, fresh);
  }
}

function isBusy(element) {
  return ["running", "waiting"].includes(element.querySelector("[data-part=run]").dataset.state);
}
