// Light, dark, or as the system has it. Whoever is signed in has it kept by the server, in
// <html data-theme>; this device remembers it for the pages before signing in.
const KEY = "p5-theme";
const NAMES = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const NEXT = { system: "light", light: "dark", dark: "system" };
const root = document.documentElement;
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export function applyTheme() {
  if (root.dataset.theme) root.dataset.theme = unsaved() ?? root.dataset.theme;
  const wanted = choice();
  const isDark = wanted === "dark" || (wanted === "system" && systemIsDark.matches);
  root.dataset.bsTheme = isDark ? "dark" : "light";
  if (root.dataset.theme) remember(wanted);
}

export function themeToggle(button) {
  const show = () => {
    button.querySelector("[data-label]").textContent = NAMES[choice()];
    button.setAttribute("aria-label", NAMES[choice()]);
    applyTheme();
  };
  button.addEventListener("click", () => {
    choose(NEXT[choice()]);
    save(button.dataset.save, choice());
    show();
  });
  systemIsDark.addEventListener("change", applyTheme);
  // Chosen in another tab.
  window.addEventListener("storage", (event) => {
    if (event.key === KEY && event.newValue in NAMES) choose(event.newValue);
    show();
  });
  button.hidden = false;
  show();
  if (unsaved()) save(button.dataset.save, unsaved());
}

// The profile's own field says the same.
function choose(value) {
  root.dataset.theme = value;
  const field = document.querySelector(`input[name="theme"][value="${value}"]`);
  if (field) field.checked = true;
}

// A page that is loaded while this is under way may come with the theme before.
async function save(address, theme) {
  keepUnsaved(theme);
  const token = document.querySelector("input[name=csrf_token]").value;
  const body = new URLSearchParams({ theme, csrf_token: token });
  try {
    await fetch(address, { method: "POST", body, keepalive: true });
    if (unsaved() === theme) keepUnsaved(null);
  } catch {
    // lasts as long as the page
  }
}

// Storage can be forbidden; then the choice lasts as long as the page.
function choice() {
  let chosen = root.dataset.theme;
  try {
    chosen ??= localStorage.getItem(KEY);
  } catch {
    // as the system has it
  }
  return chosen in NAMES ? chosen : "system";
}

function remember(value) {
  try {
    if (localStorage.getItem(KEY) !== value) localStorage.setItem(KEY, value);
  } catch {
    // lasts as long as the page
  }
}

function unsaved() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keepUnsaved(theme) {
  try {
    if (theme) sessionStorage.setItem(KEY, theme);
    else sessionStorage.removeItem(KEY);
  } catch {
    // the page that is loaded next shows it
  }
}
