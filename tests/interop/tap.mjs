// Cases that print the Test Anything Protocol, and payloads.
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

export {assert};
