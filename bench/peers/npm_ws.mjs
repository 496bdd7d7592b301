// npm_ws.mjs --port N [--deflate off|on|no-context] [--tls-cert FILE --tls-key FILE] : an echo over the npm package ws,
// as tests/interop has it.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import {createRequire} from 'node:module';
import {parseArgs} from 'node:util';

const require = createRequire(new URL('../../tests/interop/', import.meta.url));
const {WebSocketServer} = require('ws');

const usage = () => {
  console.error('usage: npm_ws.mjs --port N [--deflate off|on|no-context] [--tls-cert FILE --tls-key FILE]');
  process.exit(2);
};
let given;
try {
  const file = {type: 'string'};
  given = parseArgs({
    options: {port: {type: 'string'}, deflate: {type: 'string', default: 'off'}, 'tls-cert': file, 'tls-key': file},
  }).values;
} catch {
  usage();
}
const {port, deflate, 'tls-cert': certificate, 'tls-key': key} = given;
if ((certificate === undefined) !== (key === undefined)) usage();
if (!/^\d+$/.test(port ?? '') || !['off', 'on', 'no-context'].includes(deflate)) usage();
// As peer.h has it for all peers: every message is compressed, as zlib's defaults say.
const compression = {threshold: 0, zlibDeflateOptions: {level: 6, memLevel: 8}};
if (deflate === 'no-context') {
  // Where these are false, a client that asks for them is refused.
  compression.serverNoContextTakeover = true;
  compression.clientNoContextTakeover = true;
}
// The cipher is that of peer.h.
const listener = certificate === undefined ? http.createServer() : https.createServer({
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key), ciphers: 'TLS_AES_128_GCM_SHA256', minVersion: 'TLSv1.3',
});
// It sets TCP_NODELAY by itself.
const server = new WebSocketServer({
  server: listener,
  perMessageDeflate: deflate === 'off' ? false : compression,
  maxPayload: 64 << 20,
});
server.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => ws.send(data, {binary: isBinary}));
});
const scheme = certificate === undefined ? 'ws' : 'wss';
listener.listen({host: '127.0.0.1', port: Number(port), backlog: 4096},
                () => console.log(`listening on ${scheme}://127.0.0.1:${listener.address().port}/`));
