// The pages of destinations: tests that are followed until they arrive, and secrets shown once.

import { call, whileBusy } from "./api.js";
import { connectForms } from "./forms.js";
import { reasonOf } from "./refusals.js";
import { Renewal } from "./renewal.js";
import { t } from "./texts.js";

const ASK_MS = 1000;
const PATIENCE_MS = 30_000;
const NEWEST = 20; // a test is among them
const OVER = ["sent", "failed"];

const audit = document.getElementById("deliveries");
const renewal = audit && new Renewal(document.getElementById("content"), () => {});

function say(button, text, state = "") {
  const place = button.closest(".row-end").querySelector("[data-test-outcome]");
  place.textContent = text;
  place.dataset.state = state;
}

/** Sends a test and says what becomes of it. */
async function test(button) {
  const path = `/api/v1/destinations/${button.dataset.test}`;
  say(button, t("destination.script.test.waiting"));
  try {
    const { delivery_id: id } = await call("POST", `${path}/test`);
    await follow(button, path, id);
  } catch (refused) {
    say(button, reasonOf(refused), "error");
  }
  renewal?.now();
}

async function follow(button, path, id) {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    const { deliveries } = await call("GET", `${path}/deliveries?limit=${NEWEST}`);
    const found = deliveries.find((each) => each.delivery_id === id);
    if (OVER.includes(found?.status)) {
      const text = t(`destination.script.test.${found.status}`, { error: found.last_error ?? "" });
      say(button, text, found.status === "sent" ? "ok" : "error");
      return;
    }
    if (found?.last_error) {
      say(button, t("destination.script.test.retrying", { error: found.last_error }), "warning");
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
  say(button, t("destination.script.test.slow"), "warning");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-test]");
  if (button) whileBusy(button, () => test(button));
});

// A new destination: what is asked for belongs to its type.
const form = document.getElementById("new-destination");
for (const radio of form?.querySelectorAll("input[type=radio]") ?? []) {
  radio.addEventListener("change", () => {
    document.getElementById("type").value = radio.value;
    for (const each of form.querySelectorAll("[data-for-type]")) {
      each.hidden = each.dataset.forType !== radio.value;
    }
    if (radio.value !== "webhook") document.getElementById("ed25519").checked = false;
  });
}

function created(answer) {
  const page = (form.dataset.next ?? "/destinations/") + answer.destination_id;
  if (!answer.secret) {
    location.assign(page);
    return;
  }
  document.getElementById("secret-text").textContent = answer.secret;
  document.getElementById("secret-continue").href = page;
  document.getElementById("secret").showModal();
}

document.getElementById("secret-copy")?.addEventListener("click", async () => {
  const text = document.getElementById("secret-text");
  getSelection().selectAllChildren(text);
  await navigator.clipboard?.writeText(text.textContent).then(
    () => { document.getElementById("secret-outcome").textContent = t("destination.script.copied"); },
    () => {}, // it is selected, so that a key copies it
  );
});

connectForms(document, (answer) => {
  if (form) created(answer);
  else renewal?.soon();
});
