// The page: shows what the connection tells, sends what the user writes. Text from others only ever
// becomes textContent.
'use strict';

const TEXT_MAX = 1000;
const LINES_SHOWN_MAX = 500;
const SAME_SPEAKER_MS = 5 * 60 * 1000;

const $ = (id) => document.getElementById(id);
const timeFormat = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit'});
const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const connection = new ChatConnection(`${scheme}//${location.host}/chat`);

// What the user wants, also across connections.
const wanted = {name: '', room: '', joined: false};
let lastSerial = 0;
let lastLine = null;
let roomEpoch = '';
let unconfirmed = '';  // what was sent and has not come back as a line yet
let members = [];
let retryAt = 0;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* private mode: it is a comfort only */ }
}

function recall(key) {
  try { return localStorage.getItem(key) || ''; } catch { return ''; }
}

// --- names ---------------------------------------------------------------------------------------

function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % 360;
}

function avatarOf(name) {
  const words = name.trim().split(/\s+/);
  const initials = words.slice(0, 2).map((word) => [...word][0] || '').join('').toUpperCase();
  const avatar = make('span', 'avatar', initials);
  avatar.setAttribute('aria-hidden', 'true');
  return avatar;
}

function showMembers() {
  const names = [...members].sort((a, b) => a.localeCompare(b));
  $('members').replaceChildren(...names.map((name) => {
    const item = make('li');
    item.style.setProperty('--hue', hueOf(name));
    item.append(avatarOf(name), make('span', '', name === wanted.name ? `${name} (you)` : name));
    return item;
  }));
  $('members-count').textContent = `· ${members.length}`;
}

// --- lines ---------------------------------------------------------------------------------------

function atNewest() {
  const lines = $('lines');
  return lines.scrollHeight - lines.scrollTop - lines.clientHeight < 60;
}

function scrollToNewest() {
  $('lines').scrollTop = $('lines').scrollHeight;
  $('to-newest').hidden = true;
}

function append(element, follow) {
  const lines = $('lines');
  lines.append(element);
  while (lines.children.length > LINES_SHOWN_MAX) lines.firstElementChild.remove();
  if (follow) scrollToNewest(); else $('to-newest').hidden = false;
}

function showEvent(text) {
  lastLine = null;
  append(make('li', 'event', text), atNewest());
}

function showLine(line) {
  if (line.serial <= lastSerial) return;  // the history after a reconnect repeats what we have
  lastSerial = line.serial;
  const own = line.name === wanted.name;
  if (own && line.text === unconfirmed) unconfirmed = '';
  const follow = own || atNewest();
  const first = !lastLine || lastLine.name !== line.name || line.at - lastLine.at > SAME_SPEAKER_MS;
  lastLine = line;
  const item = make('li', `line${own ? ' line-own' : ''}${first ? ' line-first' : ''}`);
  item.style.setProperty('--hue', hueOf(line.name));
  const date = new Date(line.at);
  if (first) {
    const head = make('div', 'line-head');
    const time = make('time', 'line-time', timeFormat.format(date));
    time.dateTime = date.toISOString();
    head.append(make('span', own ? 'visually-hidden' : 'line-name', line.name), time);
    if (!own) item.append(avatarOf(line.name));
    item.append(head);
  }
  const text = make('div', 'line-text', line.text);
  text.title = date.toLocaleString();
  item.append(text);
  append(item, follow);
}

// --- joining and leaving -------------------------------------------------------------------------

function showWelcome(problem = '') {
  wanted.joined = false;
  $('room').hidden = true;
  $('welcome').hidden = false;
  $('join-problem').textContent = problem;
  document.title = 'sansock chat';
  $(problem.includes('oom') && $('join-name').value ? 'join-room' : 'join-name').focus();
}

function join() {
  connection.send({type: 'join', room: wanted.room, name: wanted.name});
}

function joined(message) {
  const again = !$('room').hidden && $('room-title').dataset.room === message.room;
  // A server that was restarted counts from the beginning: then nothing of its history is known.
  if (!again || roomEpoch !== message.epoch) lastSerial = 0;
  roomEpoch = message.epoch;
  if (!again) $('lines').replaceChildren();
  lastLine = null;
  connection.confirm();
  members = message.members;
  $('room-title').textContent = `# ${message.room}`;
  $('room-title').dataset.room = message.room;
  $('room-self').textContent = `You are ${message.name}`;
  $('welcome').hidden = true;
  $('room').hidden = false;
  document.title = `#${message.room} · sansock chat`;
  history.replaceState(null, '', `#${message.room}`);
  message.history.forEach(showLine);
  giveBack();
  showEvent(again ? 'You are back' : message.members.length > 1 ? 'You joined' : 'You are the first one here');
  showMembers();
  if (!again) scrollToNewest();
  if (!again || document.activeElement === document.body) $('say-text').focus();
}

$('join-form').addEventListener('submit', (event) => {
  event.preventDefault();
  wanted.name = $('join-name').value.trim();
  wanted.room = $('join-room').value.trim().replace(/^#/, '').toLowerCase();
  $('join-room').value = wanted.room;
  $('join-problem').textContent = wanted.name === '' ? 'Choose a name first.' :
    connection.open ? '' : 'There is no connection yet: you join as soon as there is one.';
  if (wanted.name === '') return $('join-name').focus();
  wanted.joined = true;
  remember('name', wanted.name);
  remember('room', wanted.room);
  join();
});

$('leave').addEventListener('click', () => {
  connection.send({type: 'leave'});
  showWelcome();
});

$('copy-link').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    $('copy-link').textContent = 'Copied';
  } catch {
    $('copy-link').textContent = 'Copy it from the address bar';
  }
  setTimeout(() => { $('copy-link').textContent = 'Copy link'; }, 2000);
});

// --- writing -------------------------------------------------------------------------------------

function fitComposer() {
  const field = $('say-text');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + 2}px`;
  const left = TEXT_MAX - [...field.value].length;
  $('say-count').textContent = left < 200 ? `${left} left` : '';
  $('say-button').disabled = !connection.open || left < 0 || field.value.trim() === '';
}

function say() {
  const text = $('say-text').value.trim();
  if (text === '' || $('say-button').disabled) return;
  if (!connection.send({type: 'say', text})) return;
  unconfirmed = text;
  $('say-text').value = '';
  $('say-problem').textContent = '';
  fitComposer();
}

// What was refused or lost on the way goes back to where it was written.
function giveBack() {
  if (unconfirmed !== '' && $('say-text').value === '') $('say-text').value = unconfirmed;
  unconfirmed = '';
  fitComposer();
}

$('say-form').addEventListener('submit', (event) => {
  event.preventDefault();
  say();
  $('say-text').focus();
});
$('say-text').addEventListener('input', fitComposer);
$('say-text').addEventListener('keydown', (event) => {
  // Enter sends, unless it ends the composition of a character.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
$('lines').addEventListener('scroll', () => {
  if (atNewest()) $('to-newest').hidden = true;
});
$('to-newest').addEventListener('click', scrollToNewest);
$('retry').addEventListener('click', () => connection.retryNow());

// --- the connection ------------------------------------------------------------------------------

function showPause() {
  if (retryAt === 0) return;
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  $('notice-text').textContent = `No connection. Next attempt ${seconds > 0 ? `in ${seconds} s` : 'now'}.`;
}
setInterval(showPause, 500);

connection.addEventListener('state', ({detail}) => {
  $('status').dataset.state = detail.state;
  $('status-text').textContent = {connecting: 'Connecting…', open: 'Connected', waiting: 'Offline'}[detail.state];
  if (detail.state !== 'open') $('round-trip').textContent = '';
  retryAt = detail.state === 'waiting' ? detail.retryAt : 0;
  $('notice').hidden = detail.state === 'open' || (detail.state === 'connecting' && connection.attempts === 0);
  if (detail.state === 'connecting') $('notice-text').textContent = 'Connecting again…';
  $('retry').hidden = detail.state !== 'waiting';
  showPause();
  fitComposer();
  if (detail.state === 'open') {
    if (wanted.joined) join(); else connection.confirm();
  }
});

connection.addEventListener('roundTrip', ({detail}) => {
  $('round-trip').textContent = detail < 10 ? `${detail.toFixed(1)} ms` : `${Math.round(detail)} ms`;
});

connection.addEventListener('refused', ({detail}) => {
  if (detail.code !== 1001 && !$('room').hidden) {
    showEvent(`The server ended the connection: ${detail.reason || detail.code}`);
  }
});

function failed(message) {
  const inRoom = !$('room').hidden;
  // After a reconnect the server may still see our old connection: its name is free again soon.
  if (inRoom && message.code === 'name_taken') {
    $('say-problem').textContent = 'Waiting for your name to be free again…';
    return setTimeout(() => { if (wanted.joined) join(); }, 3000);
  }
  if (!inRoom) return showWelcome(message.message);
  $('say-problem').textContent = message.message;
  giveBack();
}

connection.addEventListener('message', ({detail: message}) => {
  switch (message.type) {
    case 'joined': $('say-problem').textContent = ''; return joined(message);
    case 'line': return showLine(message);
    case 'member_joined':
      members.push(message.name);
      showMembers();
      return showEvent(`${message.name} joined`);
    case 'member_left':
      members = members.filter((name) => name !== message.name);
      showMembers();
      return showEvent(`${message.name} left`);
    case 'error': return failed(message);
  }
});

$('join-name').value = recall('name');
$('join-room').value = decodeURIComponent(location.hash.slice(1)) || recall('room') || 'lobby';
$('join-name').focus();
connection.connect();
