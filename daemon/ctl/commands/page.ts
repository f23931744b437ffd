import { createServer } from 'node:http';
import { type Command, Option } from 'commander';
import type { Status } from '../../contract/control-api.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { listenOnLoopback, parseLoopbackAddress } from './loopback-address.ts';
import { pageRelay } from './page-relay.ts';

const DEFAULT_ADDRESS = '127.0.0.1:8081';

/** integratorctl page: the status page for a browser, on this machine or at the other end of a forwarded port. */
export function addPageCommand(program: Command, io: Io): void {
  program
    .command('page')
    .description("serve the daemon's status page to browsers, to be looked at only, until Ctrl-C")
    .addOption(
      new Option('--listen <address>', 'a port, or a loopback address and a port; 0 takes a free port')
        .argParser(parseLoopbackAddress)
        .default(DEFAULT_ADDRESS),
    )
    .action(async ({ listen }: { listen: string }, command: Command) => {
      const invocation = new Invocation(command, io);
      // Whoever may not ask the daemon, or finds none, hears it here and not in a browser.
      await invocation.daemon.get<Status>('/v1/status');
      const server = createServer(pageRelay(invocation.daemon.socketPath, io.clock));
      const url = await listenOnLoopback(server, listen);
      invocation.show({ url }, () => [`${url} shows the status page until Ctrl-C`]);
      try {
        await interruption(io.stop);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
}

/** Rejects when integratorctl is to stop. */
function interruption(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(stop.reason);
    if (stop.aborted) end();
    stop.addEventListener('abort', end, { once: true });
  });
}
