// ws_client.mjs URL UNIX_URL : the npm package ws as the client of our echo_server.
import WebSocket from 'ws';
import {SIZES, assert, next, payload, run, test, text} from './tap.mjs';

const [url, unixUrl] = process.argv.slice(2);

function open(to = url, protocols = [], options = {}) {
  const ws = new WebSocket(to, protocols, {maxPayload: 0, ...options});
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve(ws));
    ws.once('error', reject);
  });
}

async function expectEcho(ws, message) {
  ws.send(message);
  const [data, isBinary] = await next(ws, 'message');
  const sentBinary = typeof message !== 'string';
  assert.equal(isBinary, sentBinary, 'the type of the echo');
  assert.ok(data.equals(sentBinary ? message : Buffer.from(message)), `the echo of ${message.length} differs`);
}

async function close(ws, code = 1000, reason = '') {
  const closed = next(ws, 'close');
  ws.close(code, reason);
  return closed;
}

test('text and binary of 0 B to 16 MiB', async () => {
  const ws = await open();
  for (const size of SIZES) {
    await expectEcho(ws, payload(size));
    await expectEcho(ws, text(size));
  }
  await close(ws);
});

test('fragmented messages', async () => {
  const ws = await open();
  const parts = [payload(1), payload(0), payload(126), payload(65536), payload(1 << 20)];
  parts.forEach((part, i) => ws.send(part, {binary: true, fin: i === parts.length - 1}));
  const [data] = await next(ws, 'message');
  assert.ok(data.equals(Buffer.concat(parts)));
  await close(ws);
});

test('pings are answered with their payload', async () => {
  const ws = await open();
  for (const size of [0, 1, 125]) {
    ws.ping(payload(size));
    const [data] = await next(ws, 'pong');
    assert.ok(data.equals(payload(size)));
  }
  await close(ws);
});

test('1,000 pings in one write are no offence', async () => {
  const ws = await open();
  for (let i = 0; i < 1000; i += 1) ws.ping(`ping ${i}`);
  await expectEcho(ws, Buffer.from('still here'));
  await close(ws);
});

test('our close code comes back', async () => {
  for (const [code, reason] of [[1000, ''], [1001, 'é€😀'], [3000, 'x'.repeat(123)], [4999, '']]) {
    const [received] = await close(await open(), code, reason);
    assert.equal(received, code);
  }
  const ws = await open();
  const closed = next(ws, 'close');
  ws.close();
  assert.equal((await closed)[0], 1005, 'a Close without a code is answered by one');
});

test('the subprotocol that the server has is selected', async () => {
  const ws = await open(url, ['first', 'second']);
  assert.equal(ws.protocol, 'second');
  await close(ws);
  // None that it has: ws as the client then refuses the connection itself.
  await assert.rejects(open(url, ['first']), /no subprotocol/);
});

test('version 8 of the protocol', async () => {
  const ws = await open(url, [], {protocolVersion: 8, origin: 'https://elsewhere.example'});
  await expectEcho(ws, payload(1000));
  await close(ws);
});

test('permessage-deflate is offered and declined', async () => {
  const ws = await open(url, [], {perMessageDeflate: true});
  assert.equal(ws.extensions, '');
  await expectEcho(ws, text(10000));
  await close(ws);
});

test('a Unix socket', async () => {
  const ws = await open(unixUrl);
  await expectEcho(ws, payload(1 << 20));
  await close(ws);
});

test('terminate() of one connection disturbs no other', async () => {
  const other = await open();
  for (let i = 0; i < 20; i += 1) {
    const ws = await open();
    ws.send(payload(1 << 20));
    ws.terminate();
  }
  await expectEcho(other, payload(1000));
  await close(other);
});

await run();
