// The tools of the wall: its filter, its alarm, the full screen.

const MOST_LABELS = 200;
const ALARM_KEY = "stream-tracker.alarm";
const TONES = [[880, 0], [660, 0.18], [880, 0.36]];
const TONE_SEC = 0.15;
const VOLUME = 0.25;

// Which tiles are shown; kept in the address, so that a wall of one team can be a bookmark.
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

// A signal of sound when something breaks, made by the browser; off until somebody wants it.
export class Alarm {
  /** @param {HTMLElement} button the switch @param {HTMLElement} blocked said when the browser keeps it quiet */
  constructor(button, blocked) {
    this.button = button;
    this.blocked = blocked;
    this.context = null;
    button.addEventListener("click", () => this.clicked());
    this.set(stored() === "on");
    if (this.isOn) this.prepare();
  }

  set(isOn) {
    this.isOn = isOn;
    this.button.setAttribute("aria-pressed", String(isOn));
    if (!isOn) this.blocked.hidden = true;
  }

  async clicked() {
    const isBlocked = this.isOn && this.context?.state === "suspended";
    this.set(isBlocked || !this.isOn);
    store(this.isOn ? "on" : "off");
    if (!this.isOn) return;
    await this.prepare();
    this.sound();
  }

  async prepare() {
    this.context ??= new AudioContext();
    // Resuming waits for a click where there was none.
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 300))]);
    this.blocked.hidden = this.context.state !== "suspended";
  }

  sound() {
    if (!this.isOn || this.context?.state !== "running") return;
    for (const [frequency, afterSec] of TONES) {
      const begin = this.context.currentTime + afterSec;
      const gain = new GainNode(this.context, { gain: 0 });
      gain.gain.linearRampToValueAtTime(VOLUME, begin + 0.02);
      gain.gain.setValueAtTime(VOLUME, begin + TONE_SEC - 0.03);
      gain.gain.linearRampToValueAtTime(0, begin + TONE_SEC);
      const tone = new OscillatorNode(this.context, { type: "triangle", frequency });
      tone.connect(gain).connect(this.context.destination);
      tone.start(begin);
      tone.stop(begin + TONE_SEC);
    }
    this.button.dataset.sounded = String(Number(this.button.dataset.sounded ?? 0) + 1);
  }
}

function stored() {
  try {
    return localStorage.getItem(ALARM_KEY);
  } catch {
    return null; // the browser keeps nothing
  }
}

function store(value) {
  try {
    localStorage.setItem(ALARM_KEY, value);
  } catch {
    // as above: the switch is on until the page is closed
  }
}

// The wall alone: without header and tools, and over the whole screen where the browser lets it.
export function setUpFullScreen(button) {
  const enterText = button.textContent;

  function show(isOnlyWall) {
    document.body.classList.toggle("only-wall", isOnlyWall);
    button.textContent = isOnlyWall ? button.dataset.leave : enterText;
  }

  async function toggle() {
    const isOnlyWall = !document.body.classList.contains("only-wall");
    show(isOnlyWall);
    try {
      if (isOnlyWall) await document.documentElement.requestFullscreen?.();
      else if (document.fullscreenElement) await document.exitFullscreen();
    } catch {
      // refused: the wall still fills the window
    }
  }

  button.addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", () => show(Boolean(document.fullscreenElement)));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "f" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) toggle();
    if (event.key === "Escape" && document.body.classList.contains("only-wall") && !document.fullscreenElement) show(false);
  });
}
