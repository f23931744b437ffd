import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';
import { LinesError } from '../runtime/lines-error.ts';

/** Another process has the control socket, or it cannot be created. */
export class CannotServeControl extends LinesError {
  override readonly name = 'CannotServeControl';
}

/** Owner and group only: write access to the socket is control over the daemon. */
const SOCKET_UMASK = 0o117;

/** CONTROL_SOCKET, or the default path where its directory exists; undefined: no control socket. */
export function controlSocketPath(setting: string | undefined): string | undefined {
  return setting ?? (existsSync(dirname(CONTROL_SOCKET_PATH)) ? CONTROL_SOCKET_PATH : undefined);
}

/**
 * Serves HTTP on a UNIX socket of mode 0660. Replaces a socket that a killed daemon left behind. Throws
 * CannotServeControl.
 */
export async function listenOnSocket(
  path: string,
  handler: RequestListener,
  setUmask: (mask: number) => number = process.umask,
): Promise<Server> {
  const server = createServer(handler);
  try {
    await removeStale(path);
    const umask = setUmask(SOCKET_UMASK);
    try {
      server.listen(path);
    } finally {
      setUmask(umask);
    }
    await once(server, 'listening');
  } catch (error) {
    throw new CannotServeControl([
      `cannot listen on CONTROL_SOCKET ${path}: ${whyNot(path, error as NodeJS.ErrnoException)}`,
    ]);
  }
  return server;
}

function whyNot(path: string, { code, message }: NodeJS.ErrnoException): string {
  // Node reports it as EACCES.
  if (!existsSync(dirname(path))) return 'its directory does not exist';
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens on it (is another integratord running?), or there is a file that is not a socket';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not create it in its directory';
    default:
      return message;
  }
}

/** Removes a socket on which no process listens. */
async function removeStale(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    // Linux refuses a connection to any file; only a socket is ours to remove.
    const isDead = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' && (await lstat(path)).isSocket();
    if (isDead) await rm(path, { force: true });
  } finally {
    socket.destroy();
  }
}
