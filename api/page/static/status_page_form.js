// The form of a status page: its address is its name in the API.

import { connectForms } from "./forms.js";

const form = document.getElementById("status-page");
const slug = document.getElementById("slug");

slug?.addEventListener("input", () => {
  form.dataset.api = `/api/v1/status-pages/${encodeURIComponent(slug.value.trim() || " ")}`;
});

// A title suggests an address until one is written.
if (slug) {
  form.dataset.api = "/api/v1/status-pages/%20";
  document.getElementById("title").addEventListener("input", (event) => {
    if (slug.dataset.written !== undefined) return;
    slug.value = event.target.value.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);
    slug.dispatchEvent(new Event("input"));
  });
  slug.addEventListener("keydown", () => { slug.dataset.written = ""; });
}

connectForms(document);
