// A list whose rows stay up to date: changed ones in place, new ones at the top.
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece, replace } from "./pieces.js";

const MOST_IDS = 100;
// New rows come in at the top; from here on the list is cut to its first page again.
const MOST_ROWS = 150;

export function list(element) {
  const { topic, rows: address } = element.dataset;
  const takesNew = "takesNew" in element.dataset;
  let changed = new Set();
  let isStale = false;

  const update = atMostOnceASecond(async () => {
    const ids = [...changed].slice(0, MOST_IDS);
    const all = isStale || changed.size > MOST_IDS;
    changed = new Set();
    isStale = false;
    const done = all ? await reload(element) : await take(element, address, ids, takesNew);
    if (done) {
      if (holder(element).children.length > MOST_ROWS) stale();
      return;
    }
    if (all) isStale = true;
    else ids.forEach((id) => changed.add(id));
    setTimeout(update, 2000);
  });

  function stale() {
    isStale = true;
    update();
  }

  onNews({
    changed(news) {
      const ids = (news[topic] ?? []).filter((id) => takesNew || rowOf(element, id));
      if (!ids.length) return;
      ids.forEach((id) => changed.add(id));
      update();
    },
    reload: stale,
  });
}

async function take(element, address, ids, takesNew) {
  if (!ids.length) return true;
  const url = new URL(address, location.href);
  url.searchParams.set("ids", ids.join(","));
  const piece = await fetchPiece(url);
  if (!piece) return false;
  const fresh = new Map([...piece.querySelectorAll("[data-id]")].map((row) => [row.dataset.id, row]));
  for (const id of ids) {
    if (!fresh.has(id)) rowOf(element, id)?.remove();
  }
  for (const row of fresh.values()) put(element, row, takesNew);
  settle(element);
  return true;
}

async function reload(element) {
  const page = await fetchPiece(location.href);
  if (!page) return false;
  const fresh = [...page.querySelectorAll("[data-list-rows] > [data-id]")];
  const known = new Set(fresh.map((row) => row.dataset.id));
  for (const row of rowsOf(element)) if (!known.has(row.dataset.id)) row.remove();
  element.querySelector(".pages")?.remove();
  for (const row of fresh) put(element, row, true);
  const pages = page.querySelector(".pages");
  if (pages) element.append(document.adoptNode(pages));
  settle(element);
  return true;
}

function put(element, row, takesNew) {
  const old = rowOf(element, row.dataset.id);
  if (old) {
    if (replace(old, row)) rowOf(element, row.dataset.id).classList.add("is-fresh");
    return;
  }
  if (!takesNew) return;
  const rows = rowsOf(element);
  const after = rows.find((other) => other.dataset.order < row.dataset.order);
  // Older than all there is: it belongs on a later page.
  if (!after && rows.length && element.querySelector("[rel=next]")) return;
  const added = document.adoptNode(row);
  added.classList.add("is-fresh");
  holder(element).insertBefore(added, after ?? null);
}

function settle(element) {
  holder(element).parentElement.classList.toggle("is-empty", !rowsOf(element).length);
}

function holder(element) {
  return element.querySelector("[data-list-rows]");
}

function rowsOf(element) {
  return [...holder(element).children];
}

function rowOf(element, id) {
  return element.querySelector(`[data-id="${CSS.escape(id)}"]`);
}
