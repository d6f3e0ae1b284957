// The words of the page's language, which the document carries.

const texts = JSON.parse(document.getElementById("texts").textContent);

/** Returns a text with its {names} filled in. */
export function t(key, values = {}) {
  const text = texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Returns the text of one of a family, such as a kind; one without a text stands for itself. */
export function textOf(prefix, name) {
  return texts[`${prefix}.${name}`] ?? name;
}
