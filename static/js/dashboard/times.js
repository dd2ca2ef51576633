// Keeps "5 min ago" and "in 2 min" true. Says what app/web/frame/labels.py says.
const EVERY_MS = 5000;

export function keepTimes() {
  setInterval(() => refresh(document), EVERY_MS);
}

export function refresh(root) {
  for (const element of root.querySelectorAll("time[data-ago], time[data-until]")) {
    const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
    const text = "ago" in element.dataset ? ago(seconds) : until(-seconds);
    if (text !== null && text !== element.textContent) element.textContent = text;
  }
}

// From a week on the server has written the date, which stays as it is.
function ago(seconds) {
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86400);
  if (days < 7) return days === 1 ? "1 day ago" : `${days} days ago`;
  return null;
}

function until(seconds) {
  if (seconds < 1) return "any moment";
  if (seconds < 60) return `in ${Math.round(seconds)} s`;
  if (seconds < 3600) return `in ${Math.round(seconds / 60)} min`;
  return `in ${Math.round(seconds / 3600)} h`;
}
