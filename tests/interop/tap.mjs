// Cases that print the Test Anything Protocol, payloads, and what the tests of npm ws have in common.
import {strict as assert} from 'node:assert';

const CASE_TIMEOUT_MS = 120000;
const cases = [];

export const SIZES = [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20];

export function test(name, body) {
  cases.push([name, body]);
}

export async function run() {
  let failed = 0;
  for (const [index, [name, body]] of cases.entries()) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('the case hangs')), CASE_TIMEOUT_MS);
    });
    try {
      await Promise.race([body(), late]);
      console.log(`ok ${index + 1} - ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${index + 1} - ${name}`);
      const trace = String(error.stack || error).slice(0, 2000);
      console.log(trace.split('\n').map((line) => `# ${line}`).join('\n'));
    }
    clearTimeout(timer);
  }
  console.log(`1..${cases.length}`);
  process.exit(failed === 0 ? 0 : 1);
}

// The values of the next `event` of a connection; it must not close before.
export function next(ws, event) {
  return new Promise((resolve, reject) => {
    const closed = (code) => reject(new Error(`closed with ${code} while waiting for ${event}`));
    if (event !== 'close') ws.once('close', closed);
    ws.once(event, (...values) => {
      ws.off('close', closed);
      resolve(values);
    });
  });
}

export function payload(size) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i += 1) bytes[i] = (i * 31 + (i >> 8) * 7) & 255;
  return bytes;
}

export function text(size) {
  const unit = 'aé€😀~';
  const unitSize = Buffer.byteLength(unit);
  return unit.repeat(Math.floor(size / unitSize)) + '.'.repeat(size % unitSize);
}

// Bytes that do not shrink, the same for the same seed.
export function noise(size, seed) {
  const bytes = Buffer.alloc(size);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

// Text and binary of 0 B to 1 MiB: what shrinks a lot, a little and not at all, some of it again and again.
export function mixedMessages() {
  const messages = [];
  for (const size of [0, 1, 63, 64, 125, 126, 1000, 1024, 5000, 65535, 65536, 1 << 20]) {
    const bytes = noise(size, size);
    messages.push(text(size), payload(size), bytes, Buffer.alloc(size), bytes.subarray(0, 3000), text(200));
  }
  return messages;
}

export {assert};
