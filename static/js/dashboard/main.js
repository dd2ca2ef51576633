// Behaviour of the dashboard's pages: each small module is bound to a [data-controller].
import { filters } from "./filters.js";
import { list } from "./list.js";
import { notices } from "./notices.js";
import { session } from "./session.js";
import { applyTheme, themeToggle } from "./theme.js";
import { keepTimes } from "./times.js";

const controllers = { filters, list, notices, session, "theme-toggle": themeToggle };

applyTheme();

document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll("[data-controller]")) {
    controllers[element.dataset.controller]?.(element);
  }
  keepTimes();
});
