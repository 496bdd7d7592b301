// ws_server.mjs ECHO_CLIENT ADAPTER : the npm package ws as the server of our echo_client, over TLS if the
// environment names a directory of CERTIFICATES.
import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as createTlsServer} from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {WebSocketServer} from 'ws';
import {SIZES, assert, run, test} from './tap.mjs';

const [echoClient, adapter] = process.argv.slice(2);
const certificates = process.env.CERTIFICATES;
const scheme = certificates ? 'wss' : 'ws';
const trust = certificates ? ['--tls-ca', join(certificates, 'ca.pem')] : [];

function runClient(...options) {
  return new Promise((resolve) => {
    execFile(echoClient, [...options.map(String), ...trust, '--adapter', adapter], (error, stdout, stderr) => {
      resolve({code: error ? error.code : 0, stdout, stderr});
    });
  });
}

function createWebServer() {
  if (!certificates) return createServer();
  const read = (name) => readFileSync(join(certificates, name));
  return createTlsServer({cert: read('server.pem'), key: read('server.key')});
}

// Runs `body(url)` while the web server listens.
async function listen(web, body) {
  await new Promise((resolve) => web.listen(0, '127.0.0.1', resolve));
  try {
    await body(`${scheme}://127.0.0.1:${web.address().port}/`);
  } finally {
    await new Promise((resolve) => web.close(resolve));
  }
}

// Serves `onConnection(ws, request)` while `body(url)` runs.
async function serve(options, onConnection, body) {
  const web = createWebServer();
  const server = new WebSocketServer({server: web, maxPayload: 0, ...options});
  server.on('connection', onConnection);
  await listen(web, async (url) => {
    try {
      await body(url);
    } finally {
      for (const ws of server.clients) ws.terminate();
      server.close();
    }
  });
}

function echo(ws) {
  ws.on('message', (data, isBinary) => ws.send(data, {binary: isBinary}));
}

function checkSuccess(result, messages) {
  assert.equal(result.stderr, '');
  assert.equal(result.code, 0);
  assert.ok(result.stdout.startsWith(`echoed ${messages} messages`), result.stdout);
}

function checkFailure(result, ...words) {
  assert.equal(result.code, 1, result.stdout + result.stderr);
  assert.match(result.stderr, /^[^\n]+\n$/);
  for (const word of words) assert.ok(result.stderr.includes(word), `'${word}' is not in: ${result.stderr}`);
}

test('text and binary of 0 B to 16 MiB', async () => {
  await serve({}, echo, async (url) => {
    checkSuccess(await runClient(url, '--sizes', SIZES.join(','), '--count', 2 * SIZES.length), 2 * SIZES.length);
  });
});

test('compression is on offer and not asked for', async () => {
  const extensions = [];
  const onConnection = (ws, request) => {
    extensions.push(request.headers['sec-websocket-extensions'], ws.extensions);
    echo(ws);
  };
  await serve({perMessageDeflate: true}, onConnection, async (url) => {
    checkSuccess(await runClient(url, '--count', 20), 20);
  });
  assert.deepEqual(extensions, [undefined, '']);
});

test('echoes in fragments with pings between them', async () => {
  let pongs = 0;
  const onConnection = (ws) => {
    ws.on('pong', () => { pongs += 1; });
    ws.on('message', (data, binary) => {
      const half = data.length >> 1;
      ws.send(data.subarray(0, half), {binary, fin: false});
      ws.ping('between');
      ws.send(data.subarray(half), {binary, fin: true});
    });
  };
  await serve({}, onConnection, async (url) => checkSuccess(await runClient(url, '--count', 16), 16));
  assert.ok(pongs > 0, 'no pong came');
});

test('the close code and reason of both sides', async () => {
  const codes = [];
  const onConnection = (ws, request) => {
    codes.push(new Promise((resolve) => ws.on('close', resolve)));
    if (request.url === '/end') ws.close(4321, 'é€😀'); else echo(ws);
  };
  await serve({}, onConnection, async (url) => {
    checkSuccess(await runClient(url, '--count', 2), 2);
    checkFailure(await runClient(`${url}end`), '4321', 'é€😀');
    assert.deepEqual(await Promise.all(codes), [1000, 4321]);
  });
});

test('the server ends without a closing handshake', async () => {
  await serve({}, (ws) => ws.on('message', () => ws.terminate()), async (url) => {
    checkFailure(await runClient(url, '--count', 2), 'message 1 of 2');
  });
});

test('a subprotocol is selected', async () => {
  let selected;
  const onConnection = (ws) => {
    selected = ws.protocol;
    echo(ws);
  };
  await serve({handleProtocols: (offered) => [...offered].pop()}, onConnection, async (url) => {
    checkSuccess(await runClient(url, '--count', 2, '--subprotocol', 'one', '--subprotocol', 'two'), 2);
  });
  assert.equal(selected, 'two');
});

test('refusals with 401, 426 and 503 are reported', async () => {
  await serve({verifyClient: () => false}, echo, async (url) => checkFailure(await runClient(url), '401'));
  for (const status of [426, 503]) {
    const web = createWebServer();
    web.on('upgrade', (request, socket) => {
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 8\r\n\r\nbecause\n`);
    });
    await listen(web, async (url) => checkFailure(await runClient(url), String(status), 'because'));
  }
});

test('a Unix socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sansock-'));
  const path = join(directory, 's');
  const http = createServer();
  const server = new WebSocketServer({server: http});
  server.on('connection', echo);
  await new Promise((resolve) => http.listen(path, resolve));
  checkSuccess(await runClient(`ws+unix:${path}:/x`, '--count', 20), 20);
  await new Promise((resolve) => http.close(resolve));
  rmSync(directory, {recursive: true});
});

await run();
