import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';

/** Owner and group only: write access to the socket is control over the daemon. */
const SOCKET_UMASK = 0o117;

/** CONTROL_SOCKET, or the default path where its directory exists; undefined: no control socket. */
export function controlSocketPath(setting: string | undefined): string | undefined {
  return setting ?? (existsSync(dirname(CONTROL_SOCKET_PATH)) ? CONTROL_SOCKET_PATH : undefined);
}

/** Serves HTTP on a UNIX socket of mode 0660. Replaces a socket that a killed daemon left behind. */
export async function listenOnSocket(path: string, handler: RequestListener): Promise<Server> {
  await removeStale(path);
  const server = createServer(handler);
  const umask = process.umask(SOCKET_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  return server;
}

/** Removes a socket on which no process listens. */
async function removeStale(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') await rm(path, { force: true });
  } finally {
    socket.destroy();
  }
}
