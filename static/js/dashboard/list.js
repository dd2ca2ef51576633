// A list whose rows stay up to date. Changed rows change in place and rows that no longer fit go;
// new ones wait behind "3 new sessions", so that nothing moves under one's eyes.
import { focusRow, onKeys, rowKeys } from "./keys.js";
import { belongs, change, holder, insert, isLonger, remove, rowOf, rowsOf, settle, takePages } from "./list_rows.js";
import { onNews } from "./live.js";
import { news } from "./news.js";
import { atMostOnceASecond, fetchPiece } from "./pieces.js";

const MOST_IDS = 100;
const AGAIN_MS = 2000;

export function list(element) {
  const { topic, rows: address, page: whole = location.href } = element.dataset;
  const takesNew = "takesNew" in element.dataset;
  const waiting = news(element, showNew);
  // What somebody moved on this very page is theirs to see at once.
  const own = new Set();
  let changed = new Set();
  let isStale = false;

  const update = atMostOnceASecond(async () => {
    const ids = [...changed];
    const all = isStale || ids.length > MOST_IDS;
    changed = new Set();
    isStale = false;
    if (await (all ? catchUp() : take(ids))) return;
    if (all) isStale = true;
    else ids.forEach((id) => changed.add(id));
    setTimeout(update, AGAIN_MS);
  });

  // Each of these gives whether the server has answered.
  async function take(ids) {
    if (!ids.length) return true;
    const url = new URL(address, location.href);
    url.searchParams.set("ids", ids.join(","));
    const piece = await fetchPiece(url);
    if (!piece) return false;
    const fresh = new Map(rowsIn(piece).map((row) => [row.dataset.id, row]));
    const gone = ids.filter((id) => !fresh.has(id));
    gone.forEach((id) => waiting.drop(id));
    // What moves up from the next page takes the place of what has gone.
    const isOneLess = gone.filter((id) => remove(element, id)).length > 0;
    if (isOneLess && (isLonger(element) || "stands" in element.dataset)) stale();
    put([...fresh.values()]);
    settle(element, piece);
    return true;
  }

  // After a break, anything may have changed.
  async function catchUp() {
    const page = await fetchPiece(whole);
    if (!page) return false;
    const fresh = rowsIn(page);
    const known = new Set(fresh.map((row) => row.dataset.id));
    const here = [...rowsOf(element).map((row) => row.dataset.id), ...waiting.ids];
    const missing = here.filter((id) => !known.has(id));
    const last = rowsOf(element).at(-1)?.dataset.order;
    const older = fresh.filter((row) => last && row.dataset.order < last);
    put(fresh.filter((row) => !older.includes(row)));
    older.forEach((row) => insert(element, row));
    if (older.length || !last) takePages(element, page);
    settle(element, page);
    // They were pushed on by new ones, or are there no more: asking tells.
    return missing.length ? take(missing.slice(0, MOST_IDS)) : true;
  }

  // Where nothing stands yet, nothing can move: new rows come in by themselves.
  function put(rows) {
    const isEmpty = !rowsOf(element).length;
    for (const row of rows) {
      if (change(element, row) || !takesNew || !belongs(element, row)) continue;
      if (isEmpty || own.has(row.dataset.id)) insert(element, row);
      else waiting.add(row.dataset.id);
    }
  }

  // The first page as it is now, with the focus on what is new.
  async function showNew(ids) {
    const page = await fetchPiece(whole);
    if (!page) return false;
    const fresh = rowsIn(page);
    const known = new Set(fresh.map((row) => row.dataset.id));
    for (const row of rowsOf(element)) if (!known.has(row.dataset.id)) row.remove();
    for (const row of fresh) if (!change(element, row)) insert(element, row);
    takePages(element, page);
    settle(element, page);
    const first = rowsOf(element).find((row) => ids.has(row.dataset.id)) ?? holder(element).firstElementChild;
    window.scrollTo({ top: 0 });
    focusRow(first);
    return true;
  }

  function stale() {
    isStale = true;
    update();
  }

  comeBack(element);
  onKeys({ ...rowKeys(element), n: () => waiting.show(), "/": search });
  onNews({
    changed(told) {
      const ids = told[topic] ?? [];
      if (!ids.length) return;
      ids.forEach((id) => changed.add(id));
      update();
    },
    reload: stale,
  });
  // No need to wait for the stream.
  element.addEventListener("moved", (event) => {
    for (const id of event.detail) {
      own.add(id);
      changed.add(id);
    }
    update();
  });
}

// Whoever comes back from a row goes on from there.
function comeBack(element) {
  holder(element).addEventListener("click", (event) => {
    const id = event.target.closest("a") && event.target.closest("[data-id]")?.dataset.id;
    if (id) history.replaceState({ row: id }, "");
  });
  const [entry] = performance.getEntriesByType("navigation");
  if (entry?.type === "back_forward" && history.state?.row) focusRow(rowOf(element, history.state.row));
}

function rowsIn(page) {
  return [...page.querySelectorAll("[data-id]")];
}

function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}
