// Shows what a build made, without the reader's place being lost: our own pages replace their
// parts marked data-live and reload their frame; a page of the site reloads itself.
"use strict";

let version = document.currentScript.dataset.version;
const frame = document.querySelector("iframe");
const state = document.getElementById("state");
let source;

function listen() {
  source = new EventSource("/-/events");
  source.addEventListener("built", (event) => event.data !== version && update(event.data));
  source.addEventListener("error", () => {
    version = "";  // whatever comes next is news
    state?.replaceChildren("The preview has stopped");
  });
}

// A browser grants a server six connections, so pages that nobody sees hold none.
document.addEventListener("visibilitychange", () => {
  source?.close();
  if (!document.hidden) listen();
});
if (!document.hidden) listen();

async function update(newer) {
  version = newer;
  const parts = document.querySelectorAll("[data-live]");
  if (!parts.length) return location.reload();
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const hasFrame = fresh.querySelector("iframe") !== null;
  if (fresh.body.className !== document.body.className || (hasFrame && !frame)) {
    return location.reload();
  }
  document.title = fresh.title;
  for (const part of parts) part.replaceChildren(...fresh.getElementById(part.id).childNodes);
  const panel = document.getElementById("problems");
  const level = fresh.getElementById("problems")?.dataset.level;
  if (panel && panel.dataset.level !== level) {
    panel.dataset.level = level;
    panel.open = level === "error";
  }
  if (hasFrame) reloadFrame();  // else it keeps what was there before the file was broken
}

// The frame is a stranger to this page (it is sandboxed), so neither its scroll position can be
// read nor its reload() be called. But a browser restores the position of what it goes back to:
// away to a blank page, and back. That is safe only once the frame has loaded, since a page that
// is still loading is replaced rather than left, and back() would lead out of this page.
let step = "loading";  // then ready; away and back; ready again
let isAsked = false;  // to reload once more, when it is back
let patience;

function reloadFrame() {
  if (step === "ready") {
    step = "away";
    frame.contentWindow.location = "/-/blank";
  } else if (step === "loading") {
    frame.src = frame.src;
  } else {
    isAsked = true;
  }
}

function arrive(next) {
  step = next;
  if (isAsked) {
    isAsked = false;
    reloadFrame();
  }
}

frame?.addEventListener("load", () => {
  clearTimeout(patience);
  if (step === "away") {
    step = "back";
    history.back();
    // It is back at once, but a distant image may keep it loading for long.
    patience = setTimeout(arrive, 1000, "loading");
  } else if (step === "back" || document.readyState === "complete") {
    arrive("ready");
  }
});
window.addEventListener("load", () => step === "loading" && arrive("ready"));
