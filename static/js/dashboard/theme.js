// Light, dark, or as the system has it; remembered on this device.
const KEY = "p5-theme";
const NAMES = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const NEXT = { system: "light", light: "dark", dark: "system" };
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export function applyTheme() {
  const wanted = choice();
  const isDark = wanted === "dark" || (wanted === "system" && systemIsDark.matches);
  document.documentElement.dataset.bsTheme = isDark ? "dark" : "light";
}

export function themeToggle(button) {
  const show = () => {
    button.querySelector("[data-label]").textContent = NAMES[choice()];
    button.setAttribute("aria-label", NAMES[choice()]);
    applyTheme();
  };
  button.addEventListener("click", () => {
    remember(NEXT[choice()]);
    show();
  });
  systemIsDark.addEventListener("change", applyTheme);
  window.addEventListener("storage", show);
  button.hidden = false;
  show();
}

// Storage can be forbidden; then the choice lasts as long as the page.
let chosen = null;

function choice() {
  try {
    chosen = localStorage.getItem(KEY) ?? chosen;
  } catch {
    // keeps what was chosen on this page
  }
  return chosen in NAMES ? chosen : "system";
}

function remember(value) {
  chosen = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // lasts as long as the page
  }
}
