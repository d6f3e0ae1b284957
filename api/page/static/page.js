// What every page does: local times, logging out.

import { call } from "./api.js";
import { notify } from "./notices.js";
import { localize } from "./time.js";

const AGES_MS = 5000;

localize();
setInterval(localize, AGES_MS);

document.getElementById("log-out")?.addEventListener("click", async () => {
  try {
    await call("DELETE", "/session");
    location.assign("/login");
  } catch (refused) {
    notify(refused.message, "error");
  }
});
