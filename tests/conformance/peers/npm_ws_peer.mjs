// npm_ws_peer.mjs [--deflate] [--agent NAME] (--listen PORT | --connect ws://HOST:PORT/)
//
// The npm package ws as an echo peer of the conformance cases. With --listen it is a server, which prints
// `listening on ws://127.0.0.1:PORT/`; with --connect a client that runs all cases of a fuzzing server.
import {createRequire} from 'node:module';
import {parseArgs} from 'node:util';

// Where `./dev test` installs the package.
const WebSocket = createRequire(new URL('../../interop/', import.meta.url))('ws');

const {values} = parseArgs({options: {
  listen: {type: 'string'}, connect: {type: 'string'}, agent: {type: 'string', default: 'npm_ws_client'},
  deflate: {type: 'boolean', default: false},
}});
// No limits: some of the cases are about what is large. Threshold 0: small messages are compressed too, or
// half of the cases of compression would show nothing.
const settings = {
  maxPayload: 0, maxFragments: 0, maxBufferedChunks: 0, skipUTF8Validation: false,
  perMessageDeflate: values.deflate ? {threshold: 0} : false,
};

function echo(ws) {
  ws.on('message', (data, binary) => ws.send(data, {binary}));
  // Connections that end badly are what the cases are about.
  ws.on('error', () => {});
}

function open(url, options = settings) {
  const ws = new WebSocket(url, options);
  const closed = new Promise((resolve) => ws.once('close', resolve));
  ws.on('error', () => {});
  return {ws, closed};
}

async function drive(url, agent) {
  const base = url.replace(/\/$/, '');
  const name = encodeURIComponent(agent);
  const first = open(`${base}/getCaseCount`, {perMessageDeflate: false});
  let count = NaN;
  first.ws.on('message', (data) => { count = Number(data); });
  await first.closed;
  if (!Number.isInteger(count)) throw new Error(`no case count from ${base}`);
  for (let number = 1; number <= count; number += 1) {
    const {ws, closed} = open(`${base}/runCase?case=${number}&agent=${name}`);
    echo(ws);
    await closed;
  }
  await open(`${base}/updateReports?agent=${name}`, {perMessageDeflate: false}).closed;
}

if (values.connect) {
  await drive(values.connect, values.agent);
} else {
  const server = new WebSocket.Server({host: '127.0.0.1', port: Number(values.listen), ...settings});
  server.on('connection', echo);
  server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}/`));
  process.on('SIGTERM', () => process.exit(0));
}
