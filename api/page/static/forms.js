// Forms and buttons that call the API. What it refuses is said beside the field that it names.
//
// <form data-api="/api/v1/monitors" data-method="POST" data-done="/monitors/{monitor_id}">
// <button data-call="DELETE" data-path="/api/v1/monitors/mon-…" data-done="It is gone.">
//
// Names of fields are paths (`config.recovery_sec`); `data-type` says how a value is read. With
// `data-changed-only`, a form sends only what differs from what the server rendered.

import { call, whileBusy } from "./api.js";
import { notify } from "./notices.js";
import { reasonOf } from "./refusals.js";
import { now } from "./time.js";

const READERS = {
  text: (text) => text.trim() || null,
  number: (text) => (text.trim() === "" ? null : Number(text)),
  moment: (text) => (text ? new Date(text).toISOString() : null),
  pairs: (text) => Object.fromEntries(text.split("\n").filter((line) => line.trim()).map(pair)),
  switch: (_, field) => field.checked,
  list: (_, field) => checked(field).map((each) => each.value),
  // As a list, but none is null: all of them.
  chosen: (_, field) => (checked(field).length ? checked(field).map((each) => each.value) : null),
  words: (text) => text.split(/[\s,]+/).filter(Boolean),
  later: (sec) => new Date(now() + Number(sec) * 1000).toISOString(),
  named: (_, field) => checked(field).map((each) => {
    const name = each.closest("li").querySelector("[data-shown-name]").value.trim();
    return { monitor_id: each.value, name: name || null };
  }),
};

/** Connects all forms and buttons below `root`; `changed` is called after each success. */
export function connectForms(root, changed = () => {}) {
  for (const form of root.querySelectorAll("form[data-api]")) {
    const order = { key: newKey() };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form, order, changed);
    });
  }
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.opens) open(button);
    if (button?.dataset.closes !== undefined) button.closest("dialog").close();
    if (button?.dataset.call) press(button, changed);
  });
}

// `data-aim` and `data-says` of the button tell its dialog what it is about.
function open({ dataset }) {
  const dialog = document.getElementById(dataset.opens);
  if (dataset.aim) dialog.querySelector("form").dataset.api = dataset.aim;
  if (dataset.says !== undefined) dialog.querySelector("[data-said]").textContent = dataset.says;
  dialog.showModal();
}

async function press(button, changed) {
  try {
    const body = button.dataset.body && JSON.parse(button.dataset.body);
    await whileBusy(button, () => call(button.dataset.call, button.dataset.path, body));
  } catch (refused) {
    notify(reasonOf(refused), "error");
    return;
  }
  button.closest("dialog")?.close();
  if (button.dataset.done) notify(button.dataset.done);
  if (button.dataset.reload !== undefined) location.reload();
  else changed();
}

async function send(form, order, changed) {
  clear(form);
  const body = bodyOf(form);
  if (form.dataset.nothing && Object.keys(body).length === 0) {
    say(form, form.dataset.nothing);
    return;
  }
  const headers = form.dataset.method === "POST" ? { "Idempotency-Key": order.key } : {};
  try {
    const answer = await whileBusy(form.querySelector("[type=submit]"), () =>
      call(form.dataset.method, form.dataset.api, body, headers));
    finish(form, answer);
    changed(answer);
  } catch (refused) {
    // Where nothing answered, the same order again is no second monitor.
    if (refused.status) order.key = newKey();
    refuse(form, refused);
  }
}

/** Returns what a form sends: an object nested as the names of its fields say. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.querySelectorAll("[data-type]:not(:disabled)")) {
    if (form.dataset.changedOnly !== undefined && !isChanged(field)) continue;
    const path = (field.name || field.dataset.name).split(".");
    const last = path.pop();
    const inside = path.reduce((outer, name) => (outer[name] ??= {}), body);
    inside[last] = READERS[field.dataset.type](field.value, field);
  }
  return body;
}

/** Returns whether a field differs from what the server rendered. */
export function isChanged(field) {
  if (field.dataset.always !== undefined) return true;
  if (field.dataset.type === "list") return [...field.querySelectorAll("input")].some(isChecked);
  if (field.type === "checkbox") return isChecked(field);
  if (field.tagName === "SELECT") return [...field.options].some((each) => each.selected !== each.defaultSelected);
  return field.value !== field.defaultValue;
}

function checked(group) {
  return [...group.querySelectorAll("input:checked:not(:disabled)")];
}

function isChecked(box) {
  return box.checked !== box.defaultChecked;
}

function finish(form, answer) {
  if (form.dataset.done) {
    form.dataset.sent = "";
    location.assign(form.dataset.done.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(answer[name])));
    return;
  }
  // What was saved is what the next change is compared with.
  for (const field of form.querySelectorAll("input, textarea")) {
    field.defaultValue = field.value;
    field.defaultChecked = field.checked;
  }
  for (const option of form.querySelectorAll("option")) option.defaultSelected = option.selected;
  say(form, form.dataset.saved, "ok");
}

function refuse(form, refused) {
  const field = refused.field && fieldOf(form, refused.field);
  if (!field) {
    say(form, reasonOf(refused), "error");
    return;
  }
  const place = document.getElementById(`${field.id}-problem`);
  place.textContent = reasonOf(refused);
  place.hidden = false;
  field.setAttribute("aria-invalid", "true");
  const details = field.closest("details");
  if (details) details.open = true;
  linkToMonitor(form, refused);
  field.focus();
}

// `config.request_headers.Cookie` is said at `config.request_headers`.
function fieldOf(form, name) {
  const path = name.split(".");
  for (; path.length; path.pop()) {
    const field = document.getElementById(path.join("."));
    if (field && form.contains(field)) return field;
  }
  return null;
}

function linkToMonitor(form, refused) {
  const link = form.querySelector("[data-duplicate]");
  const id = /\bmon-[0-9a-f-]{36}/.exec(refused.message)?.[0];
  if (!link || refused.code !== "DUPLICATE_MONITOR" || !id) return;
  link.href = `/monitors/${id}`;
  link.hidden = false;
}

function say(form, text, state = "") {
  const place = form.querySelector("[data-outcome]");
  place.textContent = text;
  place.dataset.state = state;
}

function clear(form) {
  say(form, "");
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll("[id$='-problem'], [data-duplicate]")) place.hidden = true;
}

function pair(line) {
  const [name, ...rest] = line.split(":");
  return [name.trim(), rest.join(":").trim()];
}

function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return [...random].map((each) => each.toString(16).padStart(2, "0")).join("");
}
