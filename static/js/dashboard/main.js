// Behaviour of the dashboard's pages: each small module is bound to a [data-controller].
import { assistantTrial } from "./assistant_trial.js";
import { backtest } from "./backtest.js";
import { copy } from "./copy.js";
import { copyLink } from "./copy_link.js";
import { filters } from "./filters.js";
import { help } from "./help.js";
import { list } from "./list.js";
import { notices } from "./notices.js";
import { parts } from "./parts.js";
import { pick } from "./pick.js";
import { select } from "./select.js";
import { printPage } from "./print_page.js";
import { review } from "./review.js";
import { reviewNews } from "./review_news.js";
import { session } from "./session.js";
import { sync } from "./sync.js";
import { applyTheme, themeToggle } from "./theme.js";
import { keepTimes } from "./times.js";
import { trial } from "./trial.js";

const controllers = {
  "assistant-trial": assistantTrial,
  backtest,
  copy,
  "copy-link": copyLink,
  filters,
  help,
  list,
  notices,
  parts,
  pick,
  review,
  "review-news": reviewNews,
  select,
  print: printPage,
  session,
  sync,
  "theme-toggle": themeToggle,
  trial,
};

applyTheme();

// On a phone the pages stand in a row that is longer than the screen.
function showWhereOneIs() {
  const here = document.querySelector(".side-links [aria-current]");
  const [row, place] = [here?.parentElement, here?.getBoundingClientRect()];
  if (row) row.scrollLeft += place.left + place.width / 2 - row.getBoundingClientRect().left - row.clientWidth / 2;
}

document.addEventListener("DOMContentLoaded", () => {
  showWhereOneIs();
  for (const element of document.querySelectorAll("[data-controller]")) {
    controllers[element.dataset.controller]?.(element);
  }
  keepTimes();
});
