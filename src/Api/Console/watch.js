// The dashboard as /api/dashboard/realtime/sse tells it. All that somebody named becomes text, and never markup.
"use strict";

const most = 50;
const longestPause = 60_000;
const feed = document.getElementById("feed");
const activity = document.getElementById("activity");
const alerts = document.getElementById("alerts");
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
let pause = 1_000;

const readings = {
  active_users: (data) => data.activeUsers,
  health: (data) => data.systemHealth.status,
  response_time: (data) => data.systemHealth.responseTime,
  error_rate: (data) => data.systemHealth.errorRate,
  memory: (data) => data.systemHealth.memory?.used,
  websocket: (data) => data.connections?.websocket,
  sse: (data) => data.connections?.sse,
};

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className ?? "";
  return made;
}

function show(value, place) {
  place.textContent =
    value === null || value === undefined ? "–"
    : typeof value !== "number" ? value
    : place.dataset.reading === "error_rate" ? share.format(value)
    : number.format(value);
}

function count(data) {
  for (const place of document.querySelectorAll("[data-reading]")) {
    show(readings[place.dataset.reading](data), place);
  }
}

function prepend(list, key, timestamp, ...parts) {
  // What the page was drawn with may be told once more.
  if (key && list.querySelector(`[data-key="${CSS.escape(key)}"]`)) {
    return;
  }

  const at = element("time", timestamp.slice(11, 19));
  at.dateTime = timestamp;
  const line = document.createElement("li");
  line.dataset.key = key ?? "";
  line.append(at, ...parts.flatMap((part) => [" ", part]));
  list.prepend(line);
  while (list.children.length > most) {
    list.lastElementChild.remove();
  }
}

const happened = {
  connected: (data) => {
    feed.textContent = data.recovered ? "As it happens; nothing was missed." : "As it happens.";
    pause = 1_000;
  },
  initial_data: (data) => {
    count(data.metrics);
    for (const one of data.recentActivity.toReversed()) {
      happened.user_activity(one);
    }
  },
  analytics_update: (data) => {
    if (data.type === "metrics_update") {
      count(data.data);
    } else if (data.type !== "system_health") {
      prepend(activity, null, data.timestamp, element("b", data.type), element("bdi", JSON.stringify(data.data)));
    }
  },
  user_activity: (data) =>
    prepend(activity, data.id, data.timestamp, element("b", data.action), element("bdi", data.name ?? data.userId ?? "somebody"), element("span", data.details?.outcome === "Failed" ? "was refused" : "")),
  system_alert: (data) =>
    prepend(alerts, data.id, data.timestamp, element("span", data.level, data.level === "info" ? "tag" : "tag paused"), element("bdi", data.message), element("bdi", data.source, "about")),
};

function listen() {
  const stream = new EventSource(feed.dataset.feed);
  for (const [name, tell] of Object.entries(happened)) {
    stream.addEventListener(name, (event) => tell(JSON.parse(event.data)));
  }

  stream.addEventListener("error", () => {
    if (stream.readyState !== EventSource.CLOSED) {
      feed.textContent = "The connection was interrupted; connecting anew.";
      return;
    }

    // Refused: too many pages are open, or the session has ended, in which case the page leads to the sign-in.
    feed.textContent = "The server refuses the stream; asking again.";
    setTimeout(async () => {
      const answer = await fetch(location.href, { cache: "no-store", method: "HEAD" }).catch(() => null);
      answer?.redirected ? location.reload() : listen();
    }, pause);
    pause = Math.min(pause * 2, longestPause);
  });
}

if (feed) {
  listen();
}
