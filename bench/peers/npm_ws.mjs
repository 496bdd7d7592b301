// npm_ws.mjs --port N : an echo over the npm package ws, as tests/interop has it.
import {createRequire} from 'node:module';

const require = createRequire(new URL('../../tests/interop/', import.meta.url));
const {WebSocketServer} = require('ws');

const [option, port] = process.argv.slice(2);
if (option !== '--port' || !/^\d+$/.test(port ?? '')) {
  console.error('usage: npm_ws.mjs --port N');
  process.exit(2);
}
// It sets TCP_NODELAY by itself.
const server = new WebSocketServer(
    {host: '127.0.0.1', port: Number(port), backlog: 4096, perMessageDeflate: false, maxPayload: 64 << 20});
server.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => ws.send(data, {binary: isBinary}));
});
server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}/`));
