// deflate_ws_client.mjs URL FORGETFUL_URL : the npm package ws as a client of our echo_server that compresses;
// behind the second URL it keeps no context.
import WebSocket from 'ws';
import {assert, mixedMessages, next, payload, run, test, text} from './tap.mjs';

const [url, forgetfulUrl] = process.argv.slice(2);

// Resolves to [the connection, what the server has answered].
function open(perMessageDeflate, to = url, options = {}) {
  const ws = new WebSocket(to, [], {maxPayload: 0, perMessageDeflate, ...options});
  let answer;
  ws.once('upgrade', (response) => { answer = response.headers['sec-websocket-extensions']; });
  return new Promise((resolve, reject) => {
    ws.once('open', () => resolve([ws, answer]));
    ws.once('error', reject);
  });
}

async function expectEchoes(ws, messages = mixedMessages()) {
  for (const message of messages) {
    ws.send(message);
    const [data, isBinary] = await next(ws, 'message');
    const sentBinary = typeof message !== 'string';
    assert.equal(isBinary, sentBinary, 'the type of the echo');
    assert.ok(data.equals(sentBinary ? message : Buffer.from(message)), `the echo of ${message.length} differs`);
  }
  const closed = next(ws, 'close');
  ws.close(1000);
  assert.equal((await closed)[0], 1000);
}

test('text and binary of 0 B to 1 MiB, as ws offers it by default', async () => {
  const [ws, answer] = await open(true);
  assert.equal(ws.extensions, 'permessage-deflate');
  assert.equal(answer, 'permessage-deflate; client_max_window_bits=12');
  await expectEchoes(ws);
});

test('with context takeover and without, in each direction, also of short messages', async () => {
  for (const serverNoContextTakeover of [undefined, true]) {
    for (const clientNoContextTakeover of [undefined, true]) {
      const [ws, answer] = await open({serverNoContextTakeover, clientNoContextTakeover, threshold: 0});
      assert.equal(answer.includes('server_no_context_takeover'), serverNoContextTakeover === true, answer);
      assert.equal(answer.includes('client_no_context_takeover'), clientNoContextTakeover === true, answer);
      await expectEchoes(ws);
    }
  }
});

test('every size of window, in each direction', async () => {
  for (let bits = 9; bits <= 15; bits += 1) {
    const [ws, answer] = await open({serverMaxWindowBits: bits, clientMaxWindowBits: bits, threshold: 0});
    assert.ok(answer.includes(`server_max_window_bits=${bits}`), answer);
    assert.ok(answer.includes(`client_max_window_bits=${Math.min(bits, 12)}`), answer);
    await expectEchoes(ws);
  }
});

test('a server that keeps no context says so to everybody', async () => {
  const [ws, answer] = await open(true, forgetfulUrl);
  assert.ok(answer.includes('server_no_context_takeover'), answer);
  assert.ok(answer.includes('client_no_context_takeover'), answer);
  await expectEchoes(ws);
});

test('a client that does not compress', async () => {
  const [ws, answer] = await open(false);
  assert.equal(answer, undefined);
  await expectEchoes(ws);
});

test('fragmented messages, with pings between the fragments, of which some are not compressed', async () => {
  for (const to of [url, forgetfulUrl]) {
    const [ws] = await open({threshold: 0}, to);
    for (const compress of [true, false, true]) {
      const parts = [payload(1), payload(0), payload(126), Buffer.from(text(65536)), payload(1 << 20)];
      for (const [i, part] of parts.entries()) {
        ws.send(part, {binary: true, compress, fin: i === parts.length - 1});
        ws.ping('between');
      }
      const [data] = await next(ws, 'message');
      assert.ok(data.equals(Buffer.concat(parts)));
    }
    await expectEchoes(ws);
  }
});

test('many messages on the way at once', async () => {
  const [ws] = await open({threshold: 0});
  const messages = Array.from({length: 500}, (_, k) => payload(k * 37 % 5000));
  let count = 0;
  const all = new Promise((resolve, reject) => {
    ws.on('close', () => reject(new Error(`closed after ${count} echoes`)));
    ws.on('message', (data) => {
      if (!data.equals(messages[count])) reject(new Error(`the echo ${count} differs`));
      count += 1;
      if (count === messages.length) resolve();
    });
  });
  for (const message of messages) ws.send(message);
  await all;
  ws.terminate();
});

await run();
