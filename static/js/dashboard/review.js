// QA of one session: decisions by keyboard, the message an issue is about, and what is typed stays
// when somebody else decides meanwhile.
import { onKeys } from "./keys.js";
import { onNews } from "./live.js";
import { atMostOnceASecond, fetchPiece } from "./pieces.js";
import { refresh } from "./times.js";

export function review(element) {
  const { session, live } = element.dataset;
  let isLeaving = false;

  const update = atMostOnceASecond(async () => {
    const piece = isLeaving ? null : await fetchPiece(live);
    const fresh = piece?.querySelector(".qa");
    if (fresh && !isLeaving) meet(fresh);
  });

  // The panel is drawn anew when something in it changed, so nothing is bound to the element itself.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-move]") || event.defaultPrevented) return;
    if (isLeaving) event.preventDefault(); // pressed twice
    isLeaving = true;
  });
  window.addEventListener("pageshow", () => (isLeaving = false));
  document.addEventListener("input", (event) => event.target.closest(".qa") && typing(event.target));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wrong]");
    if (button) isWrong(button.dataset.wrong);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest?.(".qa, .qa-was")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
    if (event.key === "Escape") event.target.blur();
  });
  onNews({
    changed: (news) => news.sessions?.includes(session) && update(),
    reload: update,
  });
  if (!document.querySelector("[data-walk]")) return;
  for (const button of document.querySelectorAll("[data-wrong]")) button.hidden = false;
  onKeys({
    p: () => press("passed"),
    i: () => open("issue"),
    f: () => open("fixed"),
    u: () => press("undo"),
    s: skip,
    j: skip,
  });
}

// A key for what is not offered here is left to the browser.
function press(move) {
  const button = document.querySelector(`form[data-move="${move}"] > button:not([type=button])`);
  button?.click();
  return Boolean(button);
}

function open(move) {
  const form = document.querySelector(`form[data-move="${move}"]`);
  if (!form) return false;
  unfold(form.querySelector("details"));
  form.querySelector("[name=note]").focus();
  return true;
}

function unfold(details) {
  if (details) details.open = true;
}

function skip() {
  const link = document.querySelector("a[data-move=skip]");
  link?.click();
  return Boolean(link);
}

function isWrong(id) {
  const choice = document.querySelector(".qa select[name=message_id]");
  if (!choice) return;
  choice.value = id;
  typing(choice);
  open("issue");
}

function typing(field) {
  const part = field.closest("[data-part]");
  // The session's page leaves a part of another name as it is.
  if (part) part.dataset.part = typed(part).length ? "qa-held" : "qa";
  if (field.name === "message_id") mark(field.value);
}

function mark(id) {
  for (const line of document.querySelectorAll(".is-wrong")) line.classList.remove("is-wrong");
  const line = id && document.getElementById(`message-${id}`);
  line?.classList?.add("is-wrong");
  if (line) line.scrollIntoView({ block: "nearest" });
}

function typed(panel) {
  const notes = [...panel.querySelectorAll("textarea")].filter((field) => !field.readOnly && field.value !== field.defaultValue);
  const choices = [...panel.querySelectorAll("select")].filter((field) => field.value && !field.selectedOptions[0].defaultSelected);
  return [...notes, ...choices];
}

// Somebody else has decided, or taken it back.
function meet(fresh) {
  const old = document.querySelector(".qa");
  if (decisions(old) === decisions(fresh)) return;
  const kept = typed(old);
  const isWalk = document.querySelector("[data-walk]");
  if (!kept.length && !isWalk) return; // the session's page draws it
  const element = document.adoptNode(fresh);
  refresh(element);
  const hasFocus = old.contains(document.activeElement) && document.activeElement.id;
  for (const field of kept) carry(field, element);
  tell(element, kept.length > 0);
  old.replaceWith(element);
  if (hasFocus) document.getElementById(hasFocus)?.focus({ preventScroll: true });
}

function decisions(panel) {
  return [...panel.querySelectorAll(".qa-history li")].map((item) => item.className + item.dataset.move).join();
}

function carry(field, fresh) {
  const same = fresh.querySelector(`#${field.id}`);
  if (same) {
    same.value = field.value;
    unfold(same.closest("details"));
  } else if (field.name === "note") {
    const copy = document.createElement("div");
    copy.className = "field";
    copy.innerHTML = '<label for="qa-kept">What you wrote</label><textarea class="form-control" id="qa-kept" rows="3" readonly></textarea>';
    copy.querySelector("textarea").value = field.value;
    fresh.querySelector(".qa-moves").before(copy);
  }
}

function tell(panel, isKept) {
  const notice = document.createElement("p");
  notice.className = "notice notice-trouble qa-told";
  notice.setAttribute("role", "alert");
  const last = panel.querySelector(".qa-history li");
  const what = !last || last.matches(".is-undone") ? "a decision was taken back" : last.querySelector(".timeline-what").textContent;
  notice.textContent = `Meanwhile: ${what}.${isKept ? " What you wrote is still here." : ""}`;
  panel.querySelector(".qa-head").after(notice);
}
