// Which tiles are shown; kept in the address, so that a wall of one team can be a bookmark.

const MOST_LABELS = 200;

export class Filter {
  /** @param {Function} changed called when other tiles are wanted */
  constructor(changed) {
    this.text = document.getElementById("filter-text");
    this.label = document.getElementById("filter-label");
    this.offered = "";
    const address = new URLSearchParams(location.search);
    this.text.value = address.get("q") ?? "";
    this.chosen = address.get("label") ?? "";
    const apply = () => {
      this.chosen = this.label.value;
      this.keep();
      changed();
    };
    this.text.addEventListener("input", apply);
    this.label.addEventListener("change", apply);
    this.text.form.addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("filter-clear").addEventListener("click", () => {
      this.text.value = this.label.value = "";
      apply();
      this.text.focus();
    });
  }

  get wanted() {
    return { text: this.text.value.trim().toLowerCase(), label: this.chosen };
  }

  /** Offers the labels that there are. */
  offer(labels) {
    const pairs = new Set(this.chosen ? [this.chosen] : []);
    for (const one of labels) for (const [key, value] of Object.entries(one)) pairs.add(`${key}:${value}`);
    const sorted = [...pairs].sort().slice(0, MOST_LABELS);
    if (this.offered !== sorted.join("\n")) {
      this.offered = sorted.join("\n");
      this.label.replaceChildren(this.label.options[0], ...sorted.map((pair) => new Option(pair, pair)));
    }
    this.label.value = this.chosen;
    this.label.hidden = sorted.length === 0;
  }

  keep() {
    const { text, label } = this.wanted;
    const address = new URLSearchParams();
    if (text) address.set("q", text);
    if (label) address.set("label", label);
    history.replaceState(null, "", address.size ? `?${address}` : location.pathname);
  }
}
