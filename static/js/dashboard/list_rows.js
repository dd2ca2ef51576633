// The rows of a list as they stand on the page.
import { focusRow } from "./keys.js";
import { replace } from "./pieces.js";

export function holder(element) {
  return element.querySelector("[data-list-rows]");
}

export function rowsOf(element) {
  return [...holder(element).children];
}

export function rowOf(element, id) {
  return holder(element).querySelector(`:scope > [data-id="${CSS.escape(id)}"]`);
}

export function isLonger(element) {
  return Boolean(element.querySelector("[rel=next]"));
}

// Draws a row anew where it stands. False: it is not on the page.
export function change(element, fresh) {
  const old = rowOf(element, fresh.dataset.id);
  if (!old) return false;
  if (replace(old, fresh)) flash(rowOf(element, fresh.dataset.id));
  return true;
}

export function insert(element, fresh) {
  const row = document.adoptNode(fresh);
  const after = rowsOf(element).find((other) => other.dataset.order < row.dataset.order);
  holder(element).insertBefore(row, after ?? null);
  flash(row);
}

// The focus does not get lost with a row: it goes to its neighbour.
export function remove(element, id) {
  const row = rowOf(element, id);
  if (!row) return false;
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  const hadFocus = row.contains(document.activeElement);
  row.remove();
  if (hadFocus && neighbour) focusRow(neighbour);
  return true;
}

// Whether a row that is not there has its place on this page, not on a later one.
export function belongs(element, row) {
  const last = rowsOf(element).at(-1);
  return !last || !isLonger(element) || row.dataset.order > last.dataset.order;
}

export function settle(element, page) {
  const count = page?.querySelector("[data-part=count]");
  const shown = document.querySelector("[data-part=count]");
  if (count && shown) replace(shown, count);
  holder(element).parentElement.classList.toggle("is-empty", !rowsOf(element).length);
  element.dispatchEvent(new CustomEvent("rows"));
}

export function takePages(element, page) {
  element.querySelector(".pages")?.remove();
  const pages = page.querySelector("[data-part=list] .pages");
  if (pages) element.append(document.adoptNode(pages));
}

function flash(row) {
  row.classList.add("is-fresh");
}
