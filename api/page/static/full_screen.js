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
