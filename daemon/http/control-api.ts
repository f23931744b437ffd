import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import polka from 'polka';
import type { SessionManager } from '../session/manager.ts';
import { send } from './answer.ts';

/** Owner and group only: whoever may write to the socket operates the daemon. */
const SOCKET_UMASK = 0o117;

/** Serves the operator's interface, versioned JSON over HTTP, on a UNIX socket: GET /v1/sessions. */
export async function serveControl(path: string, manager: SessionManager): Promise<Server> {
  const app = polka({
    onNoMatch: (_request, response) => send(response, { status: 404, body: { reason: 'not-found' } }),
  });
  app.get('/v1/sessions', (_request, response) => send(response, { status: 200, body: { sessions: manager.views() } }));
  await removeStale(path);
  const server = createServer((request, response) =>
    app.handler(request as Parameters<typeof app.handler>[0], response),
  );
  const umask = process.umask(SOCKET_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  return server;
}

/** Removes the socket that a daemon that was killed left behind; one that somebody still serves stays. */
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
