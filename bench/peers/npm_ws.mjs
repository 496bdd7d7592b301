// npm_ws.mjs --port N [--deflate off|on|no-context] : an echo over the npm package ws, as tests/interop has it.
import {createRequire} from 'node:module';
import {parseArgs} from 'node:util';

const require = createRequire(new URL('../../tests/interop/', import.meta.url));
const {WebSocketServer} = require('ws');

const usage = () => {
  console.error('usage: npm_ws.mjs --port N [--deflate off|on|no-context]');
  process.exit(2);
};
let given;
try {
  given = parseArgs({options: {port: {type: 'string'}, deflate: {type: 'string', default: 'off'}}}).values;
} catch {
  usage();
}
const {port, deflate} = given;
if (!/^\d+$/.test(port ?? '') || !['off', 'on', 'no-context'].includes(deflate)) usage();
// As peer.h has it for all peers: every message is compressed, as zlib's defaults say.
const compression = {threshold: 0, zlibDeflateOptions: {level: 6, memLevel: 8}};
if (deflate === 'no-context') {
  // Where these are false, a client that asks for them is refused.
  compression.serverNoContextTakeover = true;
  compression.clientNoContextTakeover = true;
}
// It sets TCP_NODELAY by itself.
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  backlog: 4096,
  perMessageDeflate: deflate === 'off' ? false : compression,
  maxPayload: 64 << 20,
});
server.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => ws.send(data, {binary: isBinary}));
});
server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}/`));
