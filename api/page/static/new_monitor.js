// The form of a new monitor. What was typed is still there after a way round by a new destination, or
// by a log-in.

import { connectForms, isChanged } from "./forms.js";

const KEY = "draft:new-monitor";
const form = document.getElementById("new-monitor");

function keyOf(field) {
  return field.id || `${field.closest("[id]").id}:${field.value}`;
}

function* fields() {
  // Headers are secrets: no browser keeps them.
  for (const field of form.elements) if (field.dataset.type !== "pairs" || field.id === "labels") yield field;
}

function keep() {
  const typed = {};
  for (const field of fields()) {
    if (field.matches("input, select, textarea") && isChanged(field)) {
      typed[keyOf(field)] = field.type === "checkbox" ? field.checked : field.value;
    }
  }
  sessionStorage.setItem(KEY, JSON.stringify(typed));
}

function restore() {
  const typed = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  for (const field of fields()) {
    const known = typed[keyOf(field)];
    if (known === undefined) continue;
    if (field.type === "checkbox") field.checked = known;
    else field.value = known;
    const details = field.closest("details");
    if (details) details.open = true;
  }
}

function unlessForbidden(work) {
  try {
    work();
  } catch {
    // a browser that keeps nothing
  }
}

if (form) {
  unlessForbidden(restore);
  addEventListener("pagehide", () => unlessForbidden(
    () => (form.dataset.sent === undefined ? keep() : sessionStorage.removeItem(KEY))));
}
connectForms(document);
