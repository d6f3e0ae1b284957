// The monitor page: picture, meters and lists that stay current, and the strip of coverage.

import { connectForms } from "./forms.js";
import { LevelHistory } from "./levels.js";
import { listen } from "./live.js";
import { LivePicture } from "./picture.js";
import { Renewal } from "./renewal.js";
import { CoverageStrip } from "./strip.js";
import { duration } from "./time.js";

const data = JSON.parse(document.getElementById("data").textContent);
const monitorId = data.monitor_id;

const picture = new LivePicture(document.getElementById("picture"));
const history = new LevelHistory(document.getElementById("history"), data.levels);
const strip = new CoverageStrip(
  document.getElementById("coverage"), monitorId, Date.parse(data.created_at), Date.parse(data.finished_at));
const renewal = new Renewal(document.querySelector(".monitor"), () => {
  show();
  strip.tick();
});

function show() {
  history.add(document.getElementById("levels"));
  for (const each of document.querySelectorAll("[data-seconds]")) {
    each.textContent = duration(Number(each.dataset.seconds));
  }
}

show();
connectForms(document, () => renewal.soon());
listen(null, {
  monitor(monitor) {
    if (monitor.monitor_id !== monitorId) return;
    if (monitor.picture_at) picture.renew();
    renewal.soon();
  },
  incident(incident) {
    if (incident.monitor_id === monitorId) renewal.soon();
  },
});

await Promise.all([strip.loaded, picture.loaded]);
document.body.dataset.ready = "";
