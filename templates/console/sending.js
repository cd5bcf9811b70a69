// Counts down to a planned send, and shows how far a mailing is. Without it, a page is loaded again.
"use strict";

const EVERY = 2000;

async function ask(url) {
  const answer = await fetch(url, {headers: {Accept: "application/json"}});
  if (!answer.ok || answer.redirected) {
    location.reload(); // such as to log in again
    return null;
  }
  return answer.json();
}

function repeat(act) {
  async function again() {
    try {
      if (await act() === false) {
        return;
      }
    } catch {
      // The console does not answer at this moment.
    }
    setTimeout(again, EVERY);
  }
  setTimeout(again, EVERY);
}

function countDown(card) {
  const left = card.querySelector("[data-left]");
  const bar = card.querySelector("progress");
  let due = performance.now() + Number(card.dataset.seconds) * 1000;
  function show() {
    const seconds = Math.max(0, Math.ceil((due - performance.now()) / 1000));
    if (left) {
      left.textContent = seconds;
    }
    bar.value = bar.max - seconds;
  }
  setInterval(show, 250);
  const before = card.dataset.seconds === "0";
  repeat(async () => {
    const state = await ask(card.dataset.plan);
    if (!state) {
      return false;
    }
    if (state.status !== "waiting") {
      location.assign(state.location);
      return false;
    }
    due = performance.now() + state.seconds * 1000;
    if (!before && state.seconds === 0) {
      card.querySelector("[data-said]").textContent = "It is being started.";
    }
    return true;
  });
}

function follow(card) {
  const status = "sending";
  const bar = card.querySelector("progress");
  const count = new Intl.NumberFormat("en");
  repeat(async () => {
    const now = await ask(card.dataset.progress);
    if (!now) {
      return false;
    }
    if (now.status !== status) {
      location.reload();
      return false;
    }
    const values = {...now.counts, done: now.done, total: now.total};
    for (const [name, value] of Object.entries(values)) {
      for (const place of document.querySelectorAll(`[data-of="${name}"]`)) {
        place.textContent = count.format(value);
      }
    }
    card.querySelector('[data-of="said"]').textContent = now.said;
    bar.max = now.total || 1;
    bar.value = now.done;
    return true;
  });
}

for (const card of document.querySelectorAll("[data-plan]")) {
  countDown(card);
}
for (const card of document.querySelectorAll("[data-progress]")) {
  follow(card);
}
