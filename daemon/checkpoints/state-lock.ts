import { mkdir, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Clock, Millis } from '../runtime/clock.ts';
import { LinesError } from '../runtime/lines-error.ts';

const OWNER_ONLY = 0o700;
/** A holder answers at once; one that is stopped does not answer, and still has its files. */
const ANSWER_WITHIN_MS: Millis = 1000;
/** A holder that was killed may still be ending. */
const ATTEMPTS = 20;
const RETRY_MS: Millis = 100;

/** Another daemon uses STATE_DIR. */
export class StateDirectoryTaken extends LinesError {
  override readonly name = 'StateDirectoryTaken';

  constructor(path: string, pid: string) {
    const holder = pid === '' ? 'another integratord' : `another integratord, pid ${pid}`;
    super([
      `STATE_DIR ${path} is in use by ${holder}: two daemons would resume the same calls. Stop it, or give each daemon its own STATE_DIR`,
    ]);
  }
}

/**
 * Locks a directory for this process until it ends, however it ends: the lock is an abstract UNIX socket, which has no
 * file that a crash could leave behind. Its name is made from the directory's device and inode, so that links and mounts
 * of it share the lock. It reaches as far as the network namespace, which containers that share a volume do not share.
 * Creates the directory if it is missing. Undefined if that is not possible, which whatever uses it reports, and on
 * systems other than Linux. Throws StateDirectoryTaken.
 */
export async function lockStateDirectory(path: string, clock: Clock): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const name = await nameOf(path);
  if (name === undefined) return undefined;
  for (let attempt = 1; ; attempt++) {
    const server = await listening(name);
    if (server) return server;
    const holder = await pidOfHolder(name, clock);
    if (holder !== undefined || attempt === ATTEMPTS) throw new StateDirectoryTaken(path, holder ?? '');
    await clock.sleep(RETRY_MS);
  }
}

async function nameOf(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { recursive: true, mode: OWNER_ONLY });
    const { dev, ino } = await stat(path);
    return `\0integratord-state-${dev}-${ino}`;
  } catch {
    return undefined;
  }
}

/** Undefined if another process listens there. */
function listening(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Undefined if the holder is gone, or ends before it answers; empty if it does not answer. */
async function pidOfHolder(name: string, clock: Clock): Promise<string | undefined> {
  const socket = connect(name);
  let isSilent = false;
  const cancel = clock.after(ANSWER_WITHIN_MS, () => {
    isSilent = true;
    socket.destroy();
  });
  try {
    return (await text(socket)) || undefined;
  } catch {
    return isSilent ? '' : undefined;
  } finally {
    cancel();
  }
}
