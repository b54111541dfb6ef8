// Runs an image that was built for WebAssembly: node run.mjs FILE
import { readFileSync, writeSync } from 'node:fs';

const host = {
    write: (start, length) => writeSync(1, new Uint8Array(instance.exports.memory.buffer, start, length)),
    exit: process.exit,
};
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { host });
instance.exports.main();
