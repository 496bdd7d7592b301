// One lasting connection to the chat: connects, measures the round-trip time, and comes back with
// growing, random pauses. Knows nothing of the page.
'use strict';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30000;
const PING_INTERVAL_MS = 5000;
const PING_FIRST_MS = 300;
const ANSWER_MAX_MS = 10000;

class ChatConnection extends EventTarget {
  // Events, each with `detail`: state {state: 'connecting' | 'open' | 'waiting', retryAt},
  // message (the parsed object), roundTrip (milliseconds), refused {code, reason}.
  constructor(url) {
    super();
    this.url = url;
    this.socket = null;
    this.attempts = 0;
    this.pingId = 0;
    this.pingSentAt = 0;
    this.retryTimer = 0;
    this.pingTimer = 0;
    this.answerTimer = 0;
    // A network that comes back, or a page that is looked at again, is a better reason than any timer.
    addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.retryNow();
    });
  }

  get open() {
    return this.socket !== null && this.socket.readyState === WebSocket.OPEN;
  }

  connect() {
    this.stopTimers();
    this.emit('state', {state: 'connecting'});
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // A server that neither accepts nor refuses is as good as none.
    this.answerTimer = setTimeout(() => this.abandon(socket), ANSWER_MAX_MS);
    socket.addEventListener('open', () => {
      if (socket !== this.socket) return;
      clearTimeout(this.answerTimer);
      this.emit('state', {state: 'open'});
      this.pingTimer = setTimeout(() => this.ping(), PING_FIRST_MS);
    });
    socket.addEventListener('message', (event) => {
      if (socket === this.socket) this.receive(event.data);
    });
    socket.addEventListener('close', (event) => {
      if (socket === this.socket) this.ended(event.code, event.reason);
    });
  }

  // False if there is no connection: the caller keeps what it wanted to say.
  send(message) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  // Ends a pause early; does nothing while connected or connecting.
  retryNow() {
    if (this.retryTimer !== 0) this.connect();
  }

  // What was lost is back: the next pause is short again.
  confirm() {
    this.attempts = 0;
  }

  receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;  // not of this protocol
    }
    if (message.type !== 'pong') {
      this.emit('message', message);
    } else if (message.id === this.pingId) {
      clearTimeout(this.answerTimer);
      this.emit('roundTrip', performance.now() - this.pingSentAt);
      this.pingTimer = setTimeout(() => this.ping(), PING_INTERVAL_MS);
    }
  }

  ping() {
    const socket = this.socket;
    this.pingId += 1;
    this.pingSentAt = performance.now();
    if (!this.send({type: 'ping', id: this.pingId})) return;
    this.answerTimer = setTimeout(() => this.abandon(socket), ANSWER_MAX_MS);
  }

  // The browser may need minutes to give a dead connection up; we do not wait for its close event.
  abandon(socket) {
    if (socket !== this.socket) return;
    socket.close();
    this.ended(1006, '');
  }

  ended(code, reason) {
    this.stopTimers();
    this.socket = null;
    if (code !== 1006) this.emit('refused', {code, reason});
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.attempts);
    this.attempts += 1;
    // Jitter, so that a restarted server is not called by everybody in the same moment.
    const pause = ceiling / 2 + Math.random() * ceiling / 2;
    this.retryTimer = setTimeout(() => this.connect(), pause);
    this.emit('state', {state: 'waiting', retryAt: Date.now() + pause});
  }

  stopTimers() {
    clearTimeout(this.retryTimer);
    clearTimeout(this.pingTimer);
    clearTimeout(this.answerTimer);
    this.retryTimer = this.pingTimer = this.answerTimer = 0;
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, {detail}));
  }
}
