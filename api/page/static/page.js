// What every page does: local times, logging out.

import { call } from "./api.js";
import { notify } from "./notices.js";
import { localize } from "./time.js";

const AGES_MS = 5000;

// On a phone the row of pages is longer than the screen.
const current = document.querySelector(".bar-pages [aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetLeft - 32;

localize();
setInterval(localize, AGES_MS);

// Whoever logs in next in this tab finds nothing that was typed.
function forget() {
  try {
    sessionStorage.clear();
  } catch {
    // a browser that keeps nothing
  }
}

document.getElementById("log-out")?.addEventListener("click", async () => {
  try {
    await call("DELETE", "/session");
    forget();
    location.assign("/login");
  } catch (refused) {
    notify(refused.message, "error");
  }
});
