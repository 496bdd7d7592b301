// deflate_ws_server.mjs ECHO_CLIENT ADAPTER : the npm package ws as a server that compresses, with our
// echo_client.
import {execFile} from 'node:child_process';
import {WebSocketServer} from 'ws';
import {assert, run, test} from './tap.mjs';

const [echoClient, adapter] = process.argv.slice(2);
const SIZES = [0, 1, 63, 64, 125, 126, 1000, 5000, 65535, 65536, 1 << 20];
const COUNT = 3 * 2 * SIZES.length;

function runClient(url, deflate, count = COUNT) {
  const options = [url, '--count', String(count), '--sizes', SIZES.join(','), '--adapter', adapter];
  return new Promise((resolve) => {
    execFile(echoClient, [...options, '--deflate', deflate], (error, stdout, stderr) => {
      resolve({code: error ? error.code : 0, stdout, stderr});
    });
  });
}

function echo(ws) {
  ws.on('message', (data, isBinary) => ws.send(data, {binary: isBinary}));
}

// Runs our client against a server with these options; gives the extensions of its answer.
async function answerOf(perMessageDeflate, {onConnection = echo, deflate = 'on', check = checkSuccess} = {}) {
  const server = new WebSocketServer({host: '127.0.0.1', port: 0, maxPayload: 0, perMessageDeflate});
  let answer = '';
  server.on('headers', (lines) => {
    answer = lines.filter((line) => line.startsWith('Sec-WebSocket-Extensions: ')).join().slice(26);
  });
  server.on('connection', onConnection);
  await new Promise((resolve) => server.once('listening', resolve));
  check(await runClient(`ws://127.0.0.1:${server.address().port}/`, deflate));
  for (const ws of server.clients) ws.terminate();
  await new Promise((resolve) => server.close(resolve));
  return answer;
}

function checkSuccess(result) {
  assert.equal(result.stderr, '');
  assert.equal(result.code, 0);
  assert.ok(result.stdout.startsWith(`echoed ${COUNT} messages`), result.stdout);
}

test('0 B to 1 MiB, as ws accepts it by default', async () => {
  assert.equal(await answerOf(true), 'permessage-deflate');
});

test('with context takeover and without, in each direction, also of short messages', async () => {
  for (const serverNoContextTakeover of [undefined, true]) {
    for (const clientNoContextTakeover of [undefined, true]) {
      const answer = await answerOf({serverNoContextTakeover, clientNoContextTakeover, threshold: 0});
      assert.equal(answer.includes('server_no_context_takeover'), serverNoContextTakeover === true, answer);
      assert.equal(answer.includes('client_no_context_takeover'), clientNoContextTakeover === true, answer);
    }
  }
});

test('a client that wants no context is given none', async () => {
  const answer = await answerOf(true, {deflate: 'no-context'});
  assert.ok(answer.includes('server_no_context_takeover'), answer);
  assert.ok(answer.includes('client_no_context_takeover'), answer);
});

test('every size of window, in each direction', async () => {
  for (let bits = 9; bits <= 15; bits += 1) {
    const answer = await answerOf({serverMaxWindowBits: bits, clientMaxWindowBits: bits, threshold: 0});
    assert.ok(answer.includes(`server_max_window_bits=${bits}`), answer);
    assert.ok(answer.includes(`client_max_window_bits=${bits}`), answer);
  }
});

test('a client that does not compress', async () => {
  assert.equal(await answerOf(true, {deflate: 'off'}), '');
});

test('echoes in fragments with pings between them, each second one not compressed', async () => {
  const onConnection = (ws) => {
    let compress = false;
    ws.on('message', (data, binary) => {
      compress = !compress;
      const half = data.length >> 1;
      ws.send(data.subarray(0, half), {binary, compress, fin: false});
      ws.ping('between');
      ws.send(data.subarray(half), {binary, compress, fin: true});
    });
  };
  await answerOf({threshold: 0}, {onConnection});
  await answerOf({threshold: 0}, {onConnection, deflate: 'no-context'});
});

await run();
