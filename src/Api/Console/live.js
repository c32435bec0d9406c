// The parts of a page that say data-live are asked for anew every ten seconds. What somebody is at stays as it is: an
// opened list stays open, the focus stays where it is, and a part with a selection or a pressed button waits.
"use strict";

const every = 10_000;
const kept = "vtp-live-paused";
const button = document.querySelector("[data-live-switch]");
const status = document.querySelector("[data-live-status]");
const usually = status?.textContent;
let paused = sessionStorage.getItem(kept) !== null;

function say(text) {
  if (status.textContent !== text) {
    status.textContent = text;
  }
}

function show() {
  button.textContent = paused ? "Resume" : "Pause";
  button.setAttribute("aria-label", paused ? "Resume renewing this page" : "Pause renewing this page");
  button.setAttribute("aria-pressed", String(paused));
  say(paused ? "Not renewed" : usually);
}

function isBusy(part) {
  const selection = getSelection();
  return part.querySelector(":active") !== null || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

function renew(old, fresh) {
  for (const open of old.querySelectorAll("details[id][open]")) {
    fresh.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  }

  if (fresh.innerHTML === old.innerHTML) {
    return;
  }

  const focused = old.contains(document.activeElement) ? document.activeElement.id : null;
  old.replaceChildren(...fresh.childNodes);
  if (focused !== null) {
    ((focused && document.getElementById(focused)) || old).focus({ preventScroll: true });
  }
}

async function ask() {
  if (paused || document.hidden) {
    return;
  }

  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(every) });
    if (answer.redirected) {
      location.reload(); // The session has ended: the way leads to the sign-in.
      return;
    }

    if (!answer.ok) {
      say(`The server answers ${answer.status}; asking again`);
      return;
    }

    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh && !paused && !isBusy(part)) {
        renew(part, fresh);
      }
    }

    say(paused ? "Not renewed" : usually);
  } catch {
    say("The server does not answer; asking again");
  }
}

async function keepAsking() {
  await ask();
  setTimeout(keepAsking, every);
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    paused ? sessionStorage.setItem(kept, "") : sessionStorage.removeItem(kept);
    show();
    ask();
  });
  show();
  setTimeout(keepAsking, every);
}
