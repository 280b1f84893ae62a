// Keeps the model up to date: a WebSocket, polling while it is down, and back again.

import { applyDelta } from "./model.js";

const POLL_MS = 5000;
const SILENCE_MS = 15000; // the server says something every 5 s
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;

export class Feed {
  /**
   * @param onModel called with (model, delta or null) after each change; null: all of it is new
   * @param onConnection called with ("live" | "polling" | "lost", time of the loss in ms)
   */
  constructor(onModel, onConnection) {
    this.model = null;
    this.onModel = onModel;
    this.onConnection = onConnection;
    this.socket = null;
    this.retryMs = FIRST_RETRY_MS;
    this.pollTimer = 0;
    this.retryTimer = 0;
    this.silenceTimer = 0;
    this.lostSince = 0;
    this.fetching = false;
  }

  async start() {
    // Everything comes once over HTTP, compressed; the socket then carries changes only.
    await this.fetch();
    this.connect();
    // No reason to wait any longer once the network or the reader is back.
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.retryNow());
  }

  retryNow() {
    if (!this.socket) {
      clearTimeout(this.retryTimer);
      this.connect();
    }
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/chart${this.position()}`);
    this.socket = socket;
    this.listen();
    socket.addEventListener("message", (event) => {
      this.listen();
      this.retryMs = FIRST_RETRY_MS;
      this.stopPolling();
      this.take(JSON.parse(event.data));
      this.report("live");
    });
    socket.addEventListener("close", () => this.dropped(socket));
  }

  /** Start the clock that takes a silent socket for a dead one. */
  listen() {
    clearTimeout(this.silenceTimer);
    const socket = this.socket;
    this.silenceTimer = setTimeout(() => {
      socket.close();
      this.dropped(socket); // a dead connection may never say that it closed
    }, SILENCE_MS);
  }

  dropped(socket) {
    if (socket !== this.socket) {
      return;
    }
    this.socket = null;
    clearTimeout(this.silenceTimer);
    this.startPolling();
    const wait = this.retryMs * (0.75 + Math.random() / 2);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  startPolling() {
    if (!this.pollTimer) {
      this.pollTimer = setInterval(() => this.fetch(), POLL_MS);
      this.fetch();
    }
  }

  stopPolling() {
    clearInterval(this.pollTimer);
    this.pollTimer = 0;
  }

  async fetch(position = this.position()) {
    if (this.fetching) {
      return;
    }
    this.fetching = true;
    try {
      const answer = await fetch(`/api/chart${position}`, { cache: "no-store" });
      if (!answer.ok) {
        throw new Error(`status ${answer.status}`);
      }
      this.take(await answer.json());
      if (this.pollTimer) {
        this.report("polling");
      }
    } catch {
      if (this.pollTimer) {
        this.report("lost");
      }
    } finally {
      this.fetching = false;
    }
  }

  /** Ask for the chart of something that is held; without a socket nothing happens. */
  wishFor(symbol) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ show: symbol }));
    }
  }

  /** Where we are, as a query string. */
  position() {
    const { model } = this;
    return model ? `?since=${model.revision}&session=${encodeURIComponent(model.session)}` : "";
  }

  report(state) {
    this.lostSince = state === "lost" ? this.lostSince || Date.now() : 0;
    this.onConnection(state, this.lostSince);
  }

  take(message) {
    if (message.kind === "snapshot") {
      this.model = message;
      this.onModel(this.model, null);
    } else if (message.kind === "delta" && message.base === this.model?.revision) {
      applyDelta(this.model, message);
      this.onModel(this.model, message);
    } else if (message.revision > (this.model?.revision ?? -1)) {
      this.fetch(); // something was missed: ask for what is between
    }
  }
}
