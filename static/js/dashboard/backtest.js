// A test of phrases while it runs: asked for once a second, drawn by the server.
import { fetchPiece, replace } from "./pieces.js";

const PAUSE_MS = 1000;

export function backtest(element) {
  const again = () => element.querySelector("[data-running]") && setTimeout(update, PAUSE_MS);

  async function update() {
    const piece = document.hidden ? null : await fetchPiece(element.dataset.live);
    for (const part of piece ? element.querySelectorAll("[data-part]") : []) {
      const fresh = piece.querySelector(`[data-part="${part.dataset.part}"]`);
      if (fresh) replace(part, fresh);
    }
    again();
  }

  again();
}
