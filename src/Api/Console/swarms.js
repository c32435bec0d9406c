// What happens in the swarms, as /ws tells it. All that strangers named becomes text, and never markup.
"use strict";

const most = 50;
const longestPause = 60_000;
const feed = document.getElementById("feed");
const list = document.getElementById("events");
let pause = 1_000;

const sentences = {
  peer_joined: (data) => ["joined", `${data.hostname || data.peer_id}${data.ip ? ` at ${data.ip}` : ""}`],
  peer_left: (data) => ["left", data.peer_id],
  file_added: (data) => ["new file", `${data.name} (${new Intl.NumberFormat("en").format(data.size)} bytes)`],
  file_removed: (data) => ["file gone", data.hash.slice(0, 16) + "…"],
};

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className ?? "";
  return made;
}

function tell({ type, data, timestamp }) {
  const [what, whom] = sentences[type](data);
  const at = element("time", timestamp.slice(11, 19));
  at.dateTime = timestamp;
  const line = document.createElement("li");
  line.append(at, " ", element("b", what), " ", element("bdi", whom));
  list.prepend(line);
  while (list.children.length > most) {
    list.lastElementChild.remove();
  }
}

function count(data) {
  for (const place of document.querySelectorAll("[data-count]")) {
    place.textContent = new Intl.NumberFormat("en").format(data[place.dataset.count]);
  }
}

function listen() {
  const address = new URL(feed.dataset.feed, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => {
    feed.textContent = "As they come.";
    pause = 1_000;
  });
  socket.addEventListener("message", (message) => {
    const event = JSON.parse(message.data);
    if (event.type === "stats_update") {
      count(event.data);
    } else if (sentences[event.type]) {
      tell(event);
    }
  });
  socket.addEventListener("close", () => {
    feed.textContent = "The server has hung up; connecting anew.";
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, longestPause);
  });
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Without TLS browsers have only the old way.
    const text = document.createElement("textarea");
    text.value = button.dataset.copy;
    document.body.append(text);
    text.select();
    document.execCommand("copy");
    text.remove();
    button.focus();
  }

  button.textContent = "Copied";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    copy(button);
  }
});

if (feed) {
  listen();
}
